"""HTTP/1.1 over one socket: an answer to its end, and what an end before it is."""

import socket
from collections.abc import Iterator

import h11
import pytest

from workseal_client.connection import Clock, Connection
from workseal_client.transport import Address, Request

REQUEST = Request(
    "POST", Address.of("http://localhost"), "/x", (("host", "x"), ("content-length", "4")), b"body"
)
LONG = 30.0


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    yield connection, theirs
    connection.close()
    theirs.close()


def test_a_request_is_sent_and_its_answer_read_to_the_end(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, server = ends
    clock = Clock(LONG, LONG)
    connection.send(REQUEST, clock)
    assert server.recv(65_536) == b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
    server.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    server.sendall(b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-one: b\r\ncontent-length: 5\r\n\r\nwhole")
    assert connection.head(clock) == (200, {"x-one": "a, b", "content-length": "5"})
    assert b"".join(connection.body(clock)) == b"whole"
    assert connection.quiet()
    assert connection.ready_again()


def read(connection: Connection, clock: Clock) -> bytes:
    connection.head(clock)
    return b"".join(connection.body(clock))


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwho",
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_an_answer_that_ends_early_is_none(
    ends: tuple[Connection, socket.socket], told: bytes
) -> None:
    connection, server = ends
    clock = Clock(LONG, LONG)
    connection.send(REQUEST, clock)
    server.sendall(told)
    server.shutdown(socket.SHUT_WR)
    with pytest.raises((ConnectionResetError, h11.RemoteProtocolError)):
        read(connection, clock)
    assert not connection.ready_again()


def test_a_connection_that_was_ended_meanwhile_is_not_quiet(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, server = ends
    assert connection.quiet()
    server.close()
    assert not connection.quiet()


def test_time_that_is_over_is_over() -> None:
    with pytest.raises(TimeoutError):
        Clock(0, LONG).left()
    assert 0 < Clock(LONG, 2.0).left() <= 2.0
    assert 2.0 < Clock(LONG, 2.0).left(9.0) <= 9.0
