import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from support.office import LiveServer, Office
from workseal_verifier.api.problems import PREFIX


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65_536):
        data += piece
    return data


def ask(connection: socket.socket) -> bytes:
    """Ask for /healthz and read the answer up to its body, which is "ok"."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    data = b""
    while not data.endswith(b"\r\n\r\nok"):
        piece = connection.recv(65_536)
        if not piece:
            break
        data += piece
    return data


def one_answer(connection: socket.socket) -> bytes:
    """Read one answer to its end, and leave the connection open."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")]
    while len(body) < int(length.rpartition(b" ")[2]):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def send_until_cut(connection: socket.socket, piece: bytes, pause: float) -> None:
    for _ in range(1_000):
        connection.sendall(piece)
        time.sleep(pause)


def problem_of(answer: bytes) -> str:
    kind: str = json.loads(answer.partition(b"\r\n\r\n")[2])["type"]
    return kind.removeprefix(PREFIX)


@pytest.fixture
def hasty(office: Office) -> Iterator[LiveServer]:
    with LiveServer(office, header_timeout_s=0.2) as server:
        yield server


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nhost"])
def test_a_slow_header_is_cut_off(hasty: LiveServer, begun: bytes) -> None:
    with hasty.connect() as connection:
        connection.sendall(begun)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert problem_of(answer) == "timeout"


def test_a_slow_second_header_is_cut_off_too(hasty: LiveServer) -> None:
    with hasty.connect() as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET /hea")
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_a_reader_who_does_not_read_is_cut_off(office: Office) -> None:
    """Answers nobody takes would hold a connection for ever."""
    # The longest answer that anybody gets.
    asking = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 1_000
    with LiveServer(office, body_timeout_s=0.2) as live, live.connect() as connection:
        connection.settimeout(20)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(asking * 1_000)


def test_the_deadline_is_for_headers_alone(office: Office) -> None:
    with LiveServer(office, header_timeout_s=1.5) as live, live.connect() as connection:
        for _ in range(2):
            assert ask(connection).startswith(b"HTTP/1.1 200 ")
            # Longer than the deadline: what waits now is a finished request's connection.
            time.sleep(2)


def test_beyond_the_bound_the_one_that_waited_longest_gives_way(office: Office) -> None:
    with (
        LiveServer(office, max_connections=2) as live,
        live.connect() as slow,
        live.connect() as idle,
    ):
        slow.sendall(b"GET /hea")
        # An answer shows that the server has counted this connection.
        assert ask(idle).startswith(b"HTTP/1.1 200 ")
        with live.connect() as third:
            assert ask(third).startswith(b"HTTP/1.1 200 ")
            answer = read_all(slow)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert problem_of(answer) == "busy"
            with live.connect() as fourth:
                assert ask(fourth).startswith(b"HTTP/1.1 200 ")
                # Nothing was asked since its answer: it is closed without a word.
                assert read_all(idle) == b""
                assert ask(third).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_is_worked_on_gives_no_way(office: Office) -> None:
    with LiveServer(office, max_connections=2, body_timeout_s=30) as live, ExitStack() as stack:
        working = [stack.enter_context(live.connect()) for _ in range(2)]
        for connection in working:
            connection.sendall(
                b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"
            )
        while live.app.state.arrivals.count < 2:
            time.sleep(0.01)
        with live.connect() as third:
            answer = read_all(third)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert problem_of(answer) == "busy"
        for connection in working:
            connection.sendall(b"defghi")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")


def test_a_body_that_goes_on_after_its_answer_is_cut_off(office: Office) -> None:
    """An early answer must not leave a connection that nobody watches."""
    head = b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n"
    with LiveServer(office, header_timeout_s=0.3) as live, live.connect() as connection:
        connection.sendall(head)
        assert one_answer(connection).startswith(b"HTTP/1.1 404 ")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_until_cut(connection, b"x", 0.01)


def test_a_body_that_goes_on_for_long_after_its_answer_is_cut_off(office: Office) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n"
    # No deadline is near: it is cut for its length.
    with LiveServer(office, header_timeout_s=60) as live, live.connect() as connection:
        connection.sendall(head)
        assert one_answer(connection).startswith(b"HTTP/1.1 404 ")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_until_cut(connection, bytes(65_536), 0)


def test_a_client_that_finishes_its_refused_body_goes_on(office: Office) -> None:
    with LiveServer(office, header_timeout_s=0.5) as live, live.connect() as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabc")
        assert one_answer(connection).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b"def")
        # Longer than any header may take: what waits now is a finished request's connection.
        time.sleep(1)
        assert ask(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"nonsense\r\n\r\n", id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 9_000, id="huge header"),
    ],
)
def test_what_is_no_request_gets_a_problem(hasty: LiveServer, bad: bytes) -> None:
    with hasty.connect() as connection:
        connection.sendall(bad)
        answer = read_all(connection)
    assert problem_of(answer) == "malformed"
