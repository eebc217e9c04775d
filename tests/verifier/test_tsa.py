import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from workseal_verifier import tsa
from workseal_verifier.errors import ConfigError
from workseal_verifier.tsa import TsaClient, load_roots


class Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, body = {
            "/good": (200, b"token"),
            "/huge": (200, bytes(70_000)),
            "/bad": (500, b""),
        }[self.path]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_returns_the_answer(url: str) -> None:
    assert TsaClient(f"{url}/good").send(b"query") == b"token"


@pytest.mark.parametrize(
    ("path", "text"), [("/bad", "answered 500"), ("/huge", "exceeds 65536 bytes")]
)
def test_whatever_goes_wrong_is_an_os_error(url: str, path: str, text: str) -> None:
    with pytest.raises(OSError, match=text):
        TsaClient(url + path).send(b"query")


def test_no_authority_is_an_os_error() -> None:
    with pytest.raises(OSError, match="did not answer"):
        TsaClient("http://127.0.0.1:1/").send(b"query")


def test_refuses_a_root_file_without_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("nothing")
    for name in ("root.pem", "missing.pem"):
        with pytest.raises(ConfigError, match="holds no certificate"):
            load_roots(tmp_path / name)


def test_an_answer_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the whole never does: head first, then body."""
    monkeypatch.setattr(tsa, "TIMEOUT_S", 0.5)
    for begun in (b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=_drip, args=(server, begun))
            thread.start()
            with pytest.raises(OSError, match=r"in 0\.5 s"):
                TsaClient(f"http://127.0.0.1:{server.getsockname()[1]}/").send(b"query")
            thread.join()


def _drip(server: socket.socket, begun: bytes) -> None:
    connection, _ = server.accept()
    with connection, suppress(OSError):
        connection.sendall(begun)
        while True:
            connection.sendall(b"a")
            time.sleep(0.05)
