"""A browser on a page of the server, as far as the server sees: cookies, origin, fetch metadata."""

from typing import Any

import httpx

from support.asking import SignedBy
from support.authenticator import Authenticator
from support.office import LiveServer, Office
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import KeyRevoke, KeyRotate, RevocationReason, sign
from workseal_verifier.api.access import COOKIE


class Browser:
    """Ask a live server as a page of its own does; the office's clock is the server's."""

    def __init__(self, office: Office, live: LiveServer, path: str = "/v1/session") -> None:
        self.office = office
        # What it reads to see whether it may.
        self.path = path
        self.origin = f"http://localhost:{live.port}"
        # The name that passkeys work with; the socket is the server's all the same.
        self.http = httpx.Client(
            base_url=live.url,
            trust_env=False,
            timeout=30,
            headers={"host": f"localhost:{live.port}"},
        )
        self.cookie = ""
        self.authenticator = Authenticator(self.origin)

    def close(self) -> None:
        self.http.close()

    def ask(
        self, method: str, path: str, body: Any = None, *, drop: str = "", **changes: str
    ) -> httpx.Response:
        """Send a request with the headers that a browser sends; `drop` leaves one out."""
        headers = {"sec-fetch-site": "same-origin"}
        if method != "GET":
            headers["origin"] = self.origin
        if self.cookie:
            headers["cookie"] = f"{COOKIE}={self.cookie}"
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        headers.pop(drop, None)
        answer = self.http.request(method, path, json=body, headers=headers)
        set_cookie = answer.headers.get("set-cookie", "")
        # Never kept by the client itself: `Secure` is not sent over plain http but by browsers.
        self.http.cookies.clear()
        if set_cookie.startswith(f"{COOKIE}="):
            self.cookie = set_cookie.partition("=")[2].partition(";")[0].strip('"')
        return answer

    def reads(self) -> int:
        """Return the status of reading."""
        return self.ask("GET", self.path).status_code

    def link(self, signer: SeedSigner) -> str:
        """Get a link's token by a signed request, as a command line does."""
        auth = SignedBy(signer, lambda: self.office.now)
        answer = self.http.post("/v1/signin/links", auth=auth)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def sign_in(self, signer: SeedSigner) -> None:
        """Follow a link."""
        answer = self.ask("POST", "/v1/signin", {"token": self.link(signer)})
        assert answer.status_code == 204, answer.text

    def make_passkey(self) -> httpx.Response:
        """Make a passkey in the session."""
        options = self.ask("POST", "/v1/passkeys/options").json()
        answer = {"credential": self.authenticator.create(options)}
        return self.ask("POST", "/v1/passkeys", answer)

    def use_passkey(self) -> httpx.Response:
        """Begin a session with the passkey."""
        options = self.ask("POST", "/v1/signin/passkey/options").json()
        answer = {"credential": self.authenticator.get(options)}
        return self.ask("POST", "/v1/signin/passkey", answer)


def name_of(answer: httpx.Response) -> str:
    """Return the name of the problem that an answer is."""
    kind: str = answer.json()["type"]
    return kind.rpartition(":")[2]


def end_key(office: Office, signer: SeedSigner, how: str) -> None:
    """Have a party end its own key: `rotated` or `revoked`."""
    if how == "rotated":
        new = SeedSigner(b"\x55" * 32)
        record: KeyRotate | KeyRevoke = KeyRotate.make(
            claimed_at=office.now, old=signer.public_key, new=new
        )
    else:
        record = KeyRevoke(
            claimed_at=office.now,
            key=signer.public_key.thumbprint,
            reason=RevocationReason.COMPROMISED,
        )
    office.post([sign(record, signer)])
