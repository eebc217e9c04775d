import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.server import address_of, ask
from workseal_protocol.keys import SeedSigner

SIGNER = SeedSigner(bytes(32))


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """Serve one answer to whatever is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/x"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(url: str, limit: int = 100) -> str:
    with pytest.raises(CommandError) as caught:
        ask(address_of(url), "GET", SIGNER, limit=limit)
    assert caught.value.code == 1
    return str(caught.value)


def test_an_answer_is_bounded() -> None:
    with answering(200, b"x" * 100) as url:
        assert ask(address_of(url), "GET", SIGNER, limit=100) == b"x" * 100
    with answering(200, b"x" * 101) as url:
        assert "too long" in refused(url)


def test_a_redirect_is_not_followed() -> None:
    with answering(200, b"elsewhere") as other, answering(302, b"", {"location": other}) as url:
        assert "302" in refused(url)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"type": "about:blank"}', b"[" * 90])
def test_what_is_no_problem_of_a_verifier_is_not_quoted(body: bytes) -> None:
    with answering(403, body) as url:
        assert refused(url) == "no verifier answers there: status 403"


def test_a_server_that_calls_every_time_wrong_is_asked_twice_and_no_more() -> None:
    stale = b'{"type": "urn:workseal:problem:stale", "detail": "no"}'
    with answering(401, stale) as url:
        assert "clock" in refused(url)


def test_no_server_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "no answer" in refused(f"http://127.0.0.1:{port}/")
