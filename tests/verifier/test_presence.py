"""When a log was up and what its key signed, in each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.presence import OwnActStore, PresenceStore, Up

GAP = 300
CASE, HEAD = Digest.of(b"case"), Digest.of(b"head")


@pytest.fixture
def database(where: Path | str) -> Iterator[Database]:
    made = Database(where)
    made.create()
    yield made
    made.close()


def test_a_time_begins_after_more_than_the_gap_and_is_read_with_the_one_before(
    database: Database,
) -> None:
    store = PresenceStore(database)
    for at in (0, GAP, 2 * GAP + 1, 3 * GAP, 5 * GAP):
        store.beat(at, gap_ms=GAP)
    times = [Up(0, GAP), Up(2 * GAP + 1, 3 * GAP), Up(5 * GAP, 5 * GAP)]
    assert store.since(0) == times
    assert store.since(GAP) == times
    assert store.since(3 * GAP) == times[1:]
    assert store.since(9 * GAP) == times[2:]
    assert store.newest_begin(5 * GAP) == 5 * GAP
    assert store.newest_begin(5 * GAP - 1) == 2 * GAP + 1
    # What a clock that was ahead wrote is of no time that has been.
    store.beat(9 * GAP, gap_ms=GAP)
    store.beat(6 * GAP, gap_ms=GAP)
    assert store.since(4 * GAP)[1:] == [Up(5 * GAP, 6 * GAP), Up(9 * GAP, 9 * GAP)]


def test_what_was_signed_first_is_what_everybody_sends(database: Database) -> None:
    store = OwnActStore(database)
    assert store.kept(CASE, HEAD) is None
    assert store.keep(CASE, HEAD, b"first", 7) == b"first"
    assert store.keep(CASE, HEAD, b"second", 8) == b"first"
    assert store.kept(CASE, HEAD) == (b"first", 7)
    assert store.kept(CASE, CASE) is None
    assert not store.replace(CASE, HEAD, b"second", b"third", 9)
    assert store.replace(CASE, HEAD, b"first", b"third", 9)
    assert store.kept(CASE, HEAD) == (b"third", 9)
    # Forgotten is what was kept before, and not at, an instant.
    store.clear(9)
    assert store.kept(CASE, HEAD) == (b"third", 9)
    store.clear(10)
    assert store.kept(CASE, HEAD) is None
