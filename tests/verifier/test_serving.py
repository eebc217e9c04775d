import json
import socket
import time
from collections.abc import Iterator

import pytest

from support.office import LiveServer, Office
from workseal_verifier.api.problems import PREFIX
from workseal_verifier.errors import ConfigError
from workseal_verifier.serving import bind


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
    asking = b"GET /v1/log/checkpoint HTTP/1.1\r\nhost: x\r\n\r\n" * 1_000
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


def test_more_connections_than_allowed_are_told_so(office: Office) -> None:
    with LiveServer(office, max_connections=2) as live:
        held = [live.connect() for _ in range(2)]
        for connection in held:
            # An answer shows that the server has counted this connection.
            assert ask(connection).startswith(b"HTTP/1.1 200 ")
        with live.connect() as third:
            answer = read_all(third)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert problem_of(answer) == "busy"
        for connection in held:
            connection.close()
        # A place is free again as soon as the server has seen one of them go.
        for _ in range(100):
            with live.connect() as fourth:
                fourth.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                if read_all(fourth).startswith(b"HTTP/1.1 200 "):
                    break
        else:
            pytest.fail("no place became free")


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


def test_a_port_in_use_is_one_sentence() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: address already in use$"):
            bind("127.0.0.1", port)
