import threading
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path

import pytest

from support.office import FakeClock
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_verifier.errors import ConfigError, Reason, RefusedError
from workseal_verifier.mailroom import Mailroom, RemoteMailbox
from workseal_verifier.services.mailbox import Mailbox


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "room.sock"
    made = Mailroom(Mailbox(FakeClock(), count=4, total=1 << 24, ttl_ms=1000), path)
    yield path
    made.close()
    assert not path.exists()


def test_what_one_worker_puts_another_gets(room: Path) -> None:
    data = bytes(range(256)) * 40_000
    RemoteMailbox(room).put(Digest(bytes(32)), bytes(16), data)
    assert RemoteMailbox(room).get(Digest(bytes(32))) == data


def test_what_one_worker_drops_no_other_gets(room: Path) -> None:
    RemoteMailbox(room).put(Digest(bytes(32)), bytes(16), b"sealed")
    RemoteMailbox(room).drop(Digest(bytes(32)))
    with pytest.raises(RefusedError, match="no package waits"):
        RemoteMailbox(room).get(Digest(bytes(32)))


def test_what_is_of_a_case_is_told_from_what_is_not(room: Path) -> None:
    """Half of the four places are for requests of cases."""
    remote = RemoteMailbox(room)
    for number in range(2):
        remote.put(Digest(bytes([number]) * 32), bytes([number]) * 16, b"sealed")
    with pytest.raises(RefusedError, match="mailbox is full"):
        remote.put(Digest(b"\x02" * 32), b"\x02" * 16, b"sealed")
    remote.put(Digest(b"\x02" * 32), b"\x02" * 16, b"sealed", in_case=True)


def test_a_refusal_comes_back_as_one(room: Path) -> None:
    with pytest.raises(RefusedError, match="no package waits") as refused:
        RemoteMailbox(room).get(Digest(bytes(32)))
    assert refused.value.reason is Reason.NOT_FOUND
    with pytest.raises(RefusedError, match="mailbox is full") as full:
        RemoteMailbox(room).put(Digest(bytes(32)), bytes(16), bytes((1 << 24) + 1))
    assert full.value.retry_after == 60


def test_a_worker_that_is_killed_while_it_waits_leaves_no_trace(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    # More than the system holds for who does not read.
    RemoteMailbox(room).put(Digest(bytes(32)), bytes(16), bytes(10_000_000))
    asking = Client(str(room), family="AF_UNIX")
    asking.send_bytes(encode(["get", bytes(32)]))
    asking.close()
    # Whoever comes next is heard, when the one before is done with.
    assert RemoteMailbox(room).get(Digest(bytes(32))) == bytes(10_000_000)
    for thread in threading.enumerate():
        if "_serve" in thread.name:
            thread.join()
    assert told == []


def test_only_its_owner_may_open_it(room: Path) -> None:
    assert room.stat().st_mode & 0o077 == 0


def test_a_mailroom_that_is_gone_is_busy(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="does not answer") as refused:
        RemoteMailbox(tmp_path / "nowhere").get(Digest(bytes(32)))
    assert refused.value.reason is Reason.BUSY


def test_a_path_that_no_socket_can_have_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at most 107 bytes"):
        Mailroom(Mailbox(FakeClock(), count=4, total=9, ttl_ms=1000), tmp_path / ("a" * 107))
