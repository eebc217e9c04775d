import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workseal_verifier.outward import Outward

# 400 MB of nothing.
PACKED = gzip.compress(gzip.compress(bytes(4_000_000)) * 100)


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        type(self).connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.answer(body + str(self.headers.get("user-agent")).encode())

    def do_GET(self) -> None:
        self.answer(self.path.encode())

    def answer(self, body: bytes) -> None:
        status = {"/w/moved": 302, "/w/bad": 422}.get(self.path, 200)
        body = {"/w/huge": bytes(300_000), "/w/packed": PACKED}.get(self.path, body)
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/w/elsewhere")
        self.send_header("content-length", str(len(body)))
        if self.path == "/w/packed":
            self.send_header("content-encoding", "gzip, gzip")
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Answering.connections = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/w"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def outward() -> Iterator[Outward]:
    made = Outward(5)
    yield made
    made.close()


def test_sends_a_body_or_asks_for_what_is_there_on_one_connection(
    outward: Outward, url: str
) -> None:
    send = outward.to(url)
    for _ in range(3):
        assert send("/add", b"body ") == (200, b"body workseal-verifier")
        assert send("/there", None) == (200, b"/w/there")
    assert Answering.connections == 1


def test_a_packed_answer_is_not_unpacked(outward: Outward, url: str) -> None:
    """A witness would fill the memory of the log with one answer."""
    assert len(PACKED) < 10_000
    assert outward.to(url)("/packed", None) == (200, PACKED)


def test_a_status_is_an_answer_and_no_redirect_is_followed(outward: Outward, url: str) -> None:
    send = outward.to(url)
    assert send("/bad", b"")[0] == 422
    assert send("/moved", b"")[0] == 302


@pytest.mark.parametrize(
    ("address", "path"),
    [("http://127.0.0.1:1", "/"), ("http://[nonsense", "/"), ("nonsense://x", "/"), ("", "/huge")],
)
def test_whatever_goes_wrong_is_an_os_error(
    outward: Outward, url: str, address: str, path: str
) -> None:
    with pytest.raises(OSError, match="no answer: "):
        outward.to(address or url)(path, b"")


def test_an_answer_that_drips_is_not_waited_for(url: str) -> None:
    """Each byte comes in time, the whole never does; others are answered meanwhile."""
    outward = Outward(0.5)
    for begun in (b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=_drip, args=(server, begun))
            thread.start()
            found: list[str] = []

            def wait(port: int = server.getsockname()[1], found: list[str] = found) -> None:
                try:
                    outward.to(f"http://127.0.0.1:{port}")("/", b"")
                except OSError as error:
                    found.append(str(error))

            waiting = threading.Thread(target=wait)
            waiting.start()
            assert outward.to(url)("/there", None)[0] == 200
            waiting.join()
            thread.join()
            assert found == ["no whole answer in 0.5 s"]
    outward.close()


def test_ends_what_is_under_way() -> None:
    outward = Outward(3600)
    with socket.create_server(("127.0.0.1", 0)) as server:
        found: list[str] = []

        def wait() -> None:
            try:
                outward.to(f"http://127.0.0.1:{server.getsockname()[1]}")("/", b"")
            except OSError as error:
                found.append(str(error))

        waiting = threading.Thread(target=wait)
        waiting.start()
        connection, _ = server.accept()
        outward.close()
        waiting.join()
        connection.close()
    assert found == ["nothing is asked any more"]
    with pytest.raises(OSError, match="nothing is asked"):
        outward.to("http://127.0.0.1:1")("/", b"")
    outward.close()


def _drip(server: socket.socket, begun: bytes) -> None:
    connection, _ = server.accept()
    with connection, suppress(OSError):
        connection.sendall(begun)
        # Ten times the deadline, and then the end: who waits longer is told of that.
        for _ in range(100):
            connection.sendall(b"a")
            time.sleep(0.05)
