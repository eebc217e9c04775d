"""The simulator behind a real HTTP server on the loopback interface, living in real time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from support.simulator import Simulator
from support.wire import Wire

ROUND_MS = 1_000
# What shows whose a request is.
SIGNED = ("signature-input", "signature")


def now_ms() -> int:
    """Return the time of this machine, which is the verifier's too."""
    return time.time_ns() // 1_000_000


class Bridge:
    """Hold the simulator, and where it is reached."""

    def __init__(self, round_ms: int = ROUND_MS) -> None:
        self.simulator = Simulator(now=now_ms(), round_ms=round_ms)
        self.simulator.publish_rules()
        self.simulator.start_beacon(now_ms() // round_ms - 10, 7_200_000 // round_ms)
        self.wire = Wire(self.simulator)
        self.lock = threading.Lock()
        self.up = True
        # How far the verifier's clock is ahead of this machine's.
        self.ahead_ms = 0
        self.url = ""

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request at the present time."""
        with self.lock:
            self.simulator.now = now_ms() + self.ahead_ms
            return self.wire.handle_request(request)


@contextmanager
def bridged(round_ms: int = ROUND_MS) -> Iterator[Bridge]:
    """Serve until the block ends; `up = False` closes connections without an answer."""
    bridge = Bridge(round_ms)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def _serve(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            body = self.rfile.read(length)
            if not bridge.up:
                self.close_connection = True
                return
            url = f"http://localhost{self.path}"
            shown = {name: self.headers[name] for name in SIGNED if name in self.headers}
            asked = httpx.Request(self.command, url, content=body, headers=shown)
            answer = bridge.answer(asked)
            self.send_response(answer.status_code)
            for name in ("content-type", "retry-after"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that the base class calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bridge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield bridge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
