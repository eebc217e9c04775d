"""Through real sockets: addresses that drop what comes, refuse it, or answer."""

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from workseal_client import UnreachableError, VerifierClient
from workseal_client.deadline import DeadlineTransport
from workseal_client.dialing import dial
from workseal_client.trust import Trust

# A name that plain HTTP may go to.
NAME = "localhost"
ANSWERS, REFUSES, DROPS, DROPS_TOO = "127.0.0.1", "127.0.0.3", "127.0.0.9", "127.0.0.10"


@contextmanager
def dropping(host: str, port: int) -> Iterator[None]:
    """Let nobody in: whose queue is full drops what comes, as a broken network does."""
    with ExitStack() as held:
        full = held.enter_context(socket.socket())
        full.bind((host, port))
        full.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex((host, port))
        yield


@pytest.fixture
def port() -> Iterator[int]:
    with ExitStack() as held:
        server = held.enter_context(socket.create_server((ANSWERS, 0)))
        number: int = server.getsockname()[1]
        for host in (DROPS, DROPS_TOO):
            held.enter_context(dropping(host, number))
        yield number


def named(monkeypatch: pytest.MonkeyPatch, *places: tuple[int, Any]) -> None:
    found = [(family, socket.SOCK_STREAM, 6, "", at) for family, at in places]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: found)


def plain(port: int, *hosts: str) -> list[tuple[int, Any]]:
    return [(socket.AF_INET, (host, port)) for host in hosts]


def test_addresses_that_lead_nowhere_cost_a_moment(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, *plain(port, DROPS, DROPS_TOO, ANSWERS))
    begun = time.monotonic()
    with dial(NAME, port, 10.0) as made:
        assert made.getpeername() == (ANSWERS, port)
    assert 0.4 < time.monotonic() - begun < 2.0


def test_what_is_refused_or_has_no_way_costs_nothing(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No connection leads to everybody, and a family that no socket has is nowhere.
    unknown = (99, ("", port))
    named(monkeypatch, *plain(port, "255.255.255.255", REFUSES), unknown, *plain(port, ANSWERS))
    begun = time.monotonic()
    with dial(NAME, port, 10.0) as made:
        assert made.getpeername() == (ANSWERS, port)
    assert time.monotonic() - begun < 0.2


def test_families_come_by_turns(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = [(socket.AF_INET6, (f"::ffff:{host}", port, 0, 0)) for host in (DROPS, DROPS_TOO)]
    named(monkeypatch, *mapped, *plain(port, ANSWERS))
    begun = time.monotonic()
    with dial(NAME, port, 10.0) as made:
        assert made.getpeername() == (ANSWERS, port)
    # One drops before the other family's turn, not both.
    assert time.monotonic() - begun < 0.45


def test_all_addresses_together_have_the_time_of_one(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, *plain(port, DROPS, DROPS_TOO))
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        dial(NAME, port, 0.6)
    assert time.monotonic() - begun < 1.0


def test_where_nobody_answers_the_last_reason_is_told(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, *plain(port, REFUSES))
    with pytest.raises(ConnectionRefusedError) as told:
        dial(NAME, port, 1.0)
    assert told.value.errno == errno.ECONNREFUSED
    named(monkeypatch)
    with pytest.raises(OSError, match="no address"):
        dial(NAME, port, 1.0)


def test_the_client_dials_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, *plain(port, DROPS, DROPS_TOO))
    network = DeadlineTransport(Trust(), seconds=20)
    client = VerifierClient(f"http://{NAME}:{port}", network, seconds=0.6)
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="it took too long"):
        client.checkpoint()
    client.close()
    assert time.monotonic() - begun < 1.0
