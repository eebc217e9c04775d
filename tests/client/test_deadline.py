"""Through real sockets, to a peer that is never late and never ready."""

import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from support.certificates import make_certificate
from workseal_client import (
    RefusedError,
    Request,
    Response,
    UnreachableError,
    VerifierClient,
    default_transport,
)
from workseal_client.deadline import DeadlineTransport
from workseal_client.trust import Trust

SECONDS = 0.6
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"


@contextmanager
def dripping(begun: bytes, drop: bytes, every: float = 0.05) -> Iterator[str]:
    """Serve an answer that begins at once and goes on for ever, drop by drop."""
    over = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(begun)
            while drop and not over.is_set():
                connection.sendall(drop)
                time.sleep(every)
            over.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join()


def transport() -> DeadlineTransport:
    return DeadlineTransport(Trust(), seconds=SECONDS)


@pytest.mark.parametrize(
    ("begun", "drop"),
    [
        pytest.param(b"", b"", id="silence"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: ", b"a", id="head"),
        pytest.param(HEAD.replace(b"3", b"60000") + b"\r\n", b"a", id="body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", id="chunks"
        ),
    ],
)
def test_an_answer_that_drips_has_an_end(begun: bytes, drop: bytes) -> None:
    with dripping(begun, drop) as url:
        client = VerifierClient(url, transport())
        with pytest.raises(UnreachableError, match="it took too long"):
            client.checkpoint()
        client.close()


@contextmanager
def answering(*turns: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection after the other, each as a function does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for turn in turns:
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    turn(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def whole(connection: socket.socket) -> bytes:
    """Read a request up to what its head says of its length."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += connection.recv(65_536)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = int(dict(re.findall(rb"([a-z-]+): (.*)", head)).get(b"content-length", 0))
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def answers(number: int, seconds: float = 0.0) -> Callable[[socket.socket], None]:
    def turn(connection: socket.socket) -> None:
        for _ in range(number):
            whole(connection)
            time.sleep(seconds)
            connection.sendall(HEAD + b"\r\nabc")

    return turn


def test_each_exchange_has_the_whole_time() -> None:
    """On one connection, which the first exchange leaves open."""
    with answering(answers(3, SECONDS * 0.5)) as url, VerifierClient(url, transport()) as client:
        for _ in range(3):
            assert client.checkpoint() == b"abc"


def test_a_connection_that_ended_meanwhile_is_replaced() -> None:
    with answering(answers(1), answers(1)) as url, VerifierClient(url, transport()) as client:
        assert client.checkpoint() == b"abc"
        (kept,) = client._exchange._transport._idle.values()  # type: ignore[attr-defined]
        assert select.select([kept[0][0]._socket], [], [], 20)[0], "it did not end"
        assert client.checkpoint() == b"abc"


def test_what_is_written_down_of_a_request_is_what_is_sent() -> None:
    heard, written = list[bytes](), list[Request]()

    class Written:
        def __init__(self) -> None:
            self.inner = transport()
            self.close = self.inner.close

        def send(self, request: Request) -> Response:
            written.append(request)
            return self.inner.send(request)

    def turn(connection: socket.socket) -> None:
        for _ in range(2):
            heard.append(whole(connection))
            connection.sendall(HEAD + b"\r\nabc")

    with answering(turn) as url, VerifierClient(url, Written()) as client:
        client.submit([b"\xa0"], 7)
        client.checkpoint()
    assert heard == [one.head() + one.body for one in written]
    assert heard[0].startswith(b"POST /v1/statements?old=7 HTTP/1.1\r\nHost: 127.0.0.1:")


def test_who_refuses_a_long_body_before_its_end_is_heard() -> None:
    problem = b'{"type": "urn:workseal:problem:too-large", "detail": "x"}'
    head = b"HTTP/1.1 413 No\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"

    def turn(connection: socket.socket) -> None:
        connection.recv(1_000)
        connection.sendall(head + b"content-length: %d\r\n\r\n" % len(problem) + problem)
        # Closed with most of the body unread: what is still sent is answered by a reset.

    with (
        answering(turn) as url,
        VerifierClient(url, DeadlineTransport(Trust(), seconds=30)) as client,
        pytest.raises(RefusedError, match="too-large"),
    ):
        client.submit([bytes(8 << 20)], 0)


def test_what_goes_wrong_is_told_plainly_and_without_an_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = [reason(f"http://127.0.0.1:{port}")]
    for begun in (b"no HTTP at all\r\n\r\n", HEAD + b"\r\na"):

        def turn(connection: socket.socket, begun: bytes = begun) -> None:
            whole(connection)
            connection.sendall(begun)

        with answering(turn) as url:
            found.append(reason(url))
    assert found == [
        "it cannot be reached", "the connection broke off", "the connection broke off",
    ]  # fmt: skip


def reason(url: str) -> str:
    with (
        VerifierClient(url, transport()) as client,
        pytest.raises(UnreachableError) as caught,
    ):
        client.checkpoint()
    before, _, told = str(caught.value).partition(": ")
    assert before == "no answer from the verifier"
    return told


def test_only_a_certificate_that_is_vouched_for_is_believed(tmp_path: Path) -> None:
    """A real TLS server: believed with its authority in the settings, and not without."""
    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def turn(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            for _ in range(2):
                whole(secure)
                secure.sendall(HEAD + b"\r\nabc")

    # The stranger is asked for twice: its authority may be in the rest of what the system believes.
    with answering(turn, turn, turn, turn) as url:
        port = url.rpartition(":")[2]
        with VerifierClient(
            f"https://127.0.0.1:{port}", default_transport(str(certificate))
        ) as client:
            # Twice on one connection: what TLS sends by itself in between ends none.
            assert [client.checkpoint() for _ in range(2)] == [b"abc"] * 2
        for untrusting, host, why in (
            (default_transport(), "127.0.0.1", "is from nobody whom"),
            # The certificate is for the address, not for this name.
            (default_transport(str(certificate)), "localhost", "is for other addresses"),
        ):
            with (
                VerifierClient(f"https://{host}:{port}", untrusting) as client,
                pytest.raises(UnreachableError, match=f"its certificate {why}"),
            ):
                client.checkpoint()


@pytest.mark.parametrize(("days", "why"), [(9, "is not valid yet"), (-9, "has expired")])
def test_a_certificate_of_another_time_says_so(tmp_path: Path, days: int, why: str) -> None:
    certificate = make_certificate(tmp_path, days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def turn(connection: socket.socket) -> None:
        with suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()

    with (
        answering(turn) as url,
        VerifierClient(
            url.replace("http:", "https:"), default_transport(str(certificate))
        ) as client,
        pytest.raises(UnreachableError, match=f"its certificate {why}, by the clock"),
    ):
        client.checkpoint()


def test_an_authority_that_the_systems_file_alone_has_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    (tmp_path / "certs").mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def turn(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            whole(secure)
            secure.sendall(HEAD + b"\r\nabc")

    with (
        answering(turn, turn) as url,
        VerifierClient(f"https://127.0.0.1:{url.rpartition(':')[2]}", transport()) as client,
    ):
        assert client.checkpoint() == b"abc"
