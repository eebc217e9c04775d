"""Names that are stuck, addresses that do not answer, connections that drip: one deadline."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from workseal_verifier.reaching import Deadline, Resolver, connect, cutting


class Names:
    """A resolver of the system's kind: some names are stuck until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked: list[str] = []
        self.told: dict[str, list[str]] = {}

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> Any:
        self.asked.append(host)
        if host.startswith("stuck"):
            self.go.wait(20)
        if host.startswith("none"):
            raise socket.gaierror(-2, "no such name")
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in self.told.get(host, [host if host[0].isdigit() else "127.0.0.1"])
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    made = Names()
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", made)
        yield made
        made.go.set()


def test_a_stuck_name_is_left_in_time_holds_one_thread_and_stops_nobody_else(names: Names) -> None:
    resolver = Resolver(most=2)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            resolver.addresses("stuck.example", 443, Deadline(0.05))
    assert names.asked == ["stuck.example"]
    assert resolver.addresses("well.example", 443, Deadline(20)) == ["127.0.0.1"]


def test_there_are_few_threads_and_they_come_free(names: Names) -> None:
    resolver = Resolver(most=2)
    for number in range(2):
        with pytest.raises(TimeoutError):
            resolver.addresses(f"stuck{number}.example", 443, Deadline(0.05))
    with pytest.raises(OSError, match="too many names"):
        resolver.addresses("well.example", 443, Deadline(20))
    waiting = list(resolver._running.values())
    names.go.set()
    for one in waiting:
        assert one.result(20) == ["127.0.0.1"]
    assert resolver.addresses("well.example", 443, Deadline(20)) == ["127.0.0.1"]


def test_a_machine_without_threads_fails_that_time_alone(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    resolver = Resolver(most=1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        with pytest.raises(OSError, match="no thread left"):
            resolver.addresses("well.example", 443, Deadline(20))
    assert resolver.addresses("well.example", 443, Deadline(20)) == ["127.0.0.1"]
    assert names.asked == ["well.example"]


def test_a_name_of_nothing_is_an_error_each_time(names: Names) -> None:
    resolver = Resolver(most=1)
    for _ in range(3):
        with pytest.raises(OSError, match="no such name"):
            resolver.addresses("none.example", 443, Deadline(20))
    assert len(names.asked) == 3


def test_the_next_address_is_tried_and_none_that_was_not_judged(names: Names) -> None:
    names.told = {"two.example": ["127.0.0.2", "127.0.0.1"]}
    judged: list[list[str]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # Nobody listens at the first one.
        with connect(
            "two.example", port, Deadline(20), judge=lambda them: judged.append(list(them))
        ) as made:
            assert made.getpeername() == ("127.0.0.1", port)
        assert judged == [["127.0.0.2", "127.0.0.1"]]

        def refuse(_: object) -> None:
            raise PermissionError("not there")

        with pytest.raises(PermissionError):
            connect("two.example", port, Deadline(20), judge=refuse)


def test_a_connection_is_cut_when_its_time_is_over_and_not_after() -> None:
    one, two = socket.socketpair()
    with one, two:
        with cutting(one, Deadline(20)):
            two.sendall(b"in time")
            assert one.recv(100) == b"in time"
        with cutting(one, Deadline(0.05)):
            # Without a deadline of its own, it would wait for ever.
            assert one.recv(100) == b""


def test_nothing_is_begun_after_the_deadline() -> None:
    late = Deadline(0)
    with pytest.raises(TimeoutError):
        late.left()
