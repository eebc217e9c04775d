"""`workseal open --view`: disclosed frames in a browser, for a while, and in no file.

Rules: loopback and a port of its own, so the page shares its origin with nothing. It is named by
exactly one `Host`; whoever has not the link's token gets an empty page, be it another user of the
machine or a page of the web. The token is in the fragment, which no request carries. What is shown
is kept in memory until the time is over or it is closed, and is marked for who asked for it. A page
that hears nothing of this program any more shows nothing either. It is no lock: a screen can be
photographed.
"""

import hashlib
import hmac
import json
import re
import secrets
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Final

HOST: Final = "127.0.0.1"
_TOKEN_BYTES: Final = 32
# Requests that are answered at the same time; a browser opens six connections.
_PLACES: Final = 12
_SECONDS: Final = 10.0
# A clock that runs on while the machine sleeps, where there is one: an hour's sleep is an hour.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", None)
_FRAME: Final = re.compile(r"/frames/(0|[1-9][0-9]{0,5})")
_HEADERS: Final = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), display-capture=(), clipboard-write=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """Hold one marked picture, packed, and what is said of it."""

    name: str
    line: str
    width: int
    height: int
    packed: bytes

    @classmethod
    def of(cls, name: str, line: str, size: tuple[int, int], rgb: bytes) -> "ShownFrame":
        """Pack a picture (8-bit RGB, row-major): several of 4K lie in memory at a time."""
        return cls(name, line, *size, zlib.compress(rgb, 1))


class Viewing:
    """Show frames until the time is over, or until they are closed in the page."""

    def __init__(
        self, frames: Sequence[ShownFrame], lines: Sequence[str], *, seconds: float
    ) -> None:
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._server = _Server(tuple(frames), tuple(lines), self._token, seconds)

    @property
    def link(self) -> str:
        """Return the address with its token; whoever has it sees what is shown."""
        return f"http://{self._server.authority}/#{self._token}"

    def run(self) -> None:
        """Answer until the end; nothing is shown after it returns."""
        server = self._server
        try:
            server.serve_forever(poll_interval=0.1)
        finally:
            server.frames = ()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, frames: tuple[ShownFrame, ...], lines: tuple[str, ...], token: str, seconds: float
    ) -> None:
        super().__init__((HOST, 0), _Handler)
        self.frames = frames
        self.lines = lines
        self.token = token
        self.end = now() + seconds
        self._ending = False
        self.authority = f"{HOST}:{self.server_port}"
        self.page = files(__package__).joinpath("viewer.html").read_bytes()
        self.policy = _policy(self.page.decode())
        self._places = threading.BoundedSemaphore(_PLACES)

    @property
    def left(self) -> float:
        """Return for how many seconds more it shows something."""
        return max(0.0, self.end - now())

    def service_actions(self) -> None:
        """Forget what is shown when the time is over; called between requests."""
        if not self.left and not self._ending:
            self._ending = True
            self.frames = ()
            threading.Thread(target=self.shutdown, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; one caller too many is let go, not waited for."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection, and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that leaves early is no fault, and a text could hold content."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SECONDS
    server_version = "workseal"
    sys_version = ""

    def do_GET(self) -> None:
        """Give the page to anybody here, and what is shown to who has the token."""
        if not self._is_meant():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path == "/":
            self._send(self.server.page, "text/html; charset=utf-8")
        elif not self._has_token():
            self._refuse(HTTPStatus.FORBIDDEN)
        elif not self.server.left:
            # A machine that wakes up answers before it has looked at the time.
            self._refuse(HTTPStatus.GONE)
        elif self.path == "/left":
            self._send(b"", "text/plain")
        elif self.path == "/frames":
            self._send(self._told(), "application/json")
        elif found := _FRAME.fullmatch(self.path):
            self._picture(int(found[1]))
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Close what is shown."""
        if not self._is_meant():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path != "/close" or not self._has_token():
            self._refuse(HTTPStatus.FORBIDDEN)
        else:
            self.server.frames = ()
            self._send(b"", "text/plain")
            threading.Thread(target=self.server.shutdown, daemon=True).start()

    def log_message(self, *_arguments: object) -> None:
        """Write nothing down."""

    def _is_meant(self) -> bool:
        """Tell whether a request names this page and comes from it, or from nowhere."""
        origins = self.headers.get_all("origin") or [f"http://{self.server.authority}"]
        return (
            self.headers.get_all("host") == [self.server.authority]
            and origins == [f"http://{self.server.authority}"]
            and self.headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
        )

    def _has_token(self) -> bool:
        given = self.headers.get("authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, f"Bearer {self.server.token}".encode())

    def _told(self) -> bytes:
        frames = [
            {"name": one.name, "line": one.line, "width": one.width, "height": one.height}
            for one in self.server.frames
        ]
        told = {"frames": frames, "lines": self.server.lines, "seconds": self.server.left}
        return json.dumps(told).encode()

    def _picture(self, number: int) -> None:
        frames = self.server.frames
        if number < len(frames):
            packed = frames[number].packed
            self._send(packed, "application/octet-stream", {"content-encoding": "deflate"})
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def _refuse(self, status: HTTPStatus) -> None:
        self._send(status.phrase.encode(), "text/plain", status=status)

    def _send(
        self,
        body: bytes,
        media: str,
        more: dict[str, str] | None = None,
        *,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> None:
        self.send_response(status)
        policy = {"content-security-policy": self.server.policy}
        fields = {"content-type": media, "content-length": str(len(body))}
        for name, value in (_HEADERS | policy | fields | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def now() -> float:
    """Return seconds of a clock that nobody sets."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def _policy(page: str) -> str:
    """Allow the page's own script and style by their digests, and nothing from elsewhere."""
    script, style = (
        re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[0] for tag in ("script", "style")
    )
    return (
        f"default-src 'none'; script-src '{_digest_of(script)}'; style-src '{_digest_of(style)}';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest_of(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
