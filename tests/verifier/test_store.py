"""The log's tables; schema.py and engine.py have modules of their own."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select, text

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_verifier.errors import StoreError, StoreRaceError
from workseal_verifier.store import records
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import (
    BeaconRow,
    Change,
    Entry,
    Head,
    PartyRow,
    SignedRow,
    Tie,
)
from workseal_verifier.store.records import RecordStore
from workseal_verifier.store.schema import BESIDE_SEGMENTS, statements
from workseal_verifier.store.sqlite import _on_connect

ENGAGEMENT = bytes(16)
EMPTY = Head(0, EMPTY_ROOT)
ONE = Head(1, b"1" * 32)


def entry(position: int, **changes: object) -> Entry:
    fields: dict[str, object] = {
        "position": position,
        "digest": Digest.of(bytes([position])),
        "body": bytes([position]),
        "kind": "offer",
        "engagement": ENGAGEMENT,
    }
    return Entry(**(fields | changes))  # type: ignore[arg-type]


def change(old: Head, new: Head, *entries: Entry, **more: object) -> Change:
    tiles = {(0, 0): b"t" * 32 * new.size}
    return Change(old=old, new=new, entries=entries, tiles=tiles, **more)  # type: ignore[arg-type]


@pytest.fixture
def log(where: Path | str) -> Iterator[LogStore]:
    database = Database(where)
    database.create()
    made = LogStore(database)
    made.found(EMPTY_ROOT)
    yield made
    database.close()


def test_what_is_deleted_is_overwritten_whatever_the_library_was_built_for() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA secure_delete=OFF")
    _on_connect(connection, None)
    assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    connection.close()


def test_is_founded_once(log: LogStore) -> None:
    log.append(change(EMPTY, ONE, entry(0)))
    log.found(EMPTY_ROOT)
    assert log.head() == ONE


@pytest.mark.parametrize("old", [Head(1, EMPTY_ROOT), Head(0, bytes(32))])
def test_a_writer_that_starts_from_another_head_changes_nothing(log: LogStore, old: Head) -> None:
    with pytest.raises(StoreRaceError):
        log.append(change(old, ONE, entry(0)))
    assert log.head() == EMPTY
    assert log.tile_numbers() == []
    assert log.committed(1) is None


def test_a_failing_row_takes_everything_with_it(log: LogStore) -> None:
    same = entry(1, digest=entry(0).digest)
    with pytest.raises(StoreError):
        log.append(change(EMPTY, Head(2, b"2" * 32), entry(0), same))
    assert log.head() == EMPTY
    assert list(RecordStore(log.database).all()) == []


def test_no_two_statements_have_one_number_of_a_chain(log: LogStore) -> None:
    other = bytes([1]) * 16
    log.append(
        change(
            EMPTY, Head(3, b"3" * 32), entry(0, seq=0), entry(1), entry(2, engagement=other, seq=0)
        )
    )
    head, rows = log.head(), list(RecordStore(log.database).all())
    assert head is not None
    assert [row.seq for row in rows] == [0, None, 0]
    with pytest.raises(StoreError):
        log.append(change(head, Head(5, b"5" * 32), entry(3, seq=1), entry(4, seq=0)))
    # Neither did the head move.
    assert log.head() == head
    assert list(RecordStore(log.database).all()) == rows


def plan_of(log: LogStore, asked: Select[Any]) -> str:
    """Ask the database how it would look; a table of few rows it would simply read."""
    with log.database.write() as connection:
        is_postgres = connection.dialect.name == "postgresql"
        if is_postgres:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        words = asked.compile(connection, compile_kwargs={"literal_binds": True})
        asks = "EXPLAIN" if is_postgres else "EXPLAIN QUERY PLAN"
        return str(connection.exec_driver_sql(f"{asks} {words}").all())


def test_what_is_asked_by_kind_or_answer_is_found_without_reading_segments(log: LogStore) -> None:
    of_kind = select(statements.c.position).where(
        statements.c.kind.in_(["offer"]), text(BESIDE_SEGMENTS), statements.c.position > 5
    )
    assert "statements_kind" in plan_of(log, of_kind)
    itself = statements.alias("itself")
    answers = select(itself.c.position).where(
        itself.c.about
        == select(statements.c.about).where(statements.c.position == 1).scalar_subquery()
    )
    assert "statements_about" in plan_of(log, answers)


def test_a_change_without_statements_is_a_checkpoint_alone(log: LogStore) -> None:
    log.append(Change(old=EMPTY, new=EMPTY, entries=(), tiles={}))
    assert log.head() == EMPTY
    assert log.committed(0) is not None
    assert list(RecordStore(log.database).all()) == []
    assert log.tile_numbers() == []


def test_a_checkpoint_is_signed_once(log: LogStore) -> None:
    log.append(change(EMPTY, ONE, entry(0)))
    assert log.committed(1) == SignedRow(size=1, root=ONE.root, signed=None, signed_at=None)
    assert log.anchor(1) is None
    log.save_signed(1, b"signed", Digest.of(b"signed"), 9)
    with pytest.raises(StoreRaceError):
        log.save_signed(1, b"again", Digest.of(b"again"), 10)
    assert log.checkpoint(1) == b"signed"
    assert log.anchor(1) == (Digest.of(b"signed").raw, 9)
    assert (log.last_signed_at(), log.signed_after(0), log.signed_after(1)) == (9, 9, None)


def test_a_token_is_kept_once_and_found_by_range(log: LogStore) -> None:
    for size in (3, 1, 2):
        log.save_token(size, bytes([size]), size * 10)
    log.save_token(1, b"other", 99)
    assert log.tokens(1, 2, limit=9) == [(1, b"\x01"), (2, b"\x02")]
    assert log.tokens(0, 9, limit=1) == [(1, b"\x01")]
    assert [upper for _, _, upper in log.stamps()] == [10, 20, 30]
    assert log.last_stamped() == 3


def test_statements_are_found_by_what_they_are(log: LogStore) -> None:
    other = bytes([1]) * 16
    rows = [
        entry(0),
        entry(1, engagement=other, kind="segment", worker=b"w" * 32, begin_ms=10, end_ms=20),
        entry(2, kind="dispute.finding", about=b"a" * 32),
        entry(3, engagement=None, kind="key.announce"),
    ]
    beacon = BeaconRow(
        period_ms=1000,
        first_round=5,
        count=7,
        head=Digest.of(b"h"),
        statement=Digest.of(b"s"),
        position=3,
    )
    party = PartyRow(
        thumbprint=Digest.of(b"p"),
        engagement=ENGAGEMENT,
        role=Role.CLIENT,
        key=b"k" * 32,
        tie=Tie.OFFERED,
        place=0,
    )
    log.append(change(EMPTY, Head(4, b"4" * 32), *rows, beacons=[beacon], parties=[party]))
    records = RecordStore(log.database)
    assert list(records.all()) == rows
    assert records.by_digest(rows[2].digest) == rows[2]
    assert records.positions([rows[3].digest, Digest.of(b"none")]) == {rows[3].digest: 3}
    assert list(records.of_engagement(ENGAGEMENT, below=9)) == [rows[0], rows[2]]
    assert list(records.of_engagement(ENGAGEMENT, below=2)) == [rows[0]]
    assert list(records.of_kinds(["key.announce", "offer"], below=9)) == [rows[0], rows[3]]
    with pytest.raises(ValueError, match="few"):
        next(records.of_kinds(["segment"], below=9))
    assert records.about(b"a" * 32, "dispute.finding", ENGAGEMENT) == [rows[2]]
    assert records.about(b"a" * 32, "dispute.finding", other) == []
    assert list(records.at([0, 3])) == [rows[0], rows[3]]
    assert records.last_of(ENGAGEMENT, below=9) == 2
    assert records.last_of(b"z" * 16, below=9) == -1
    assert records.beacons() == [beacon]
    assert records.parties.named_in(party.engagement, [party.thumbprint]) == [party]
    assert records.last_work([b"w" * 32]) == {other: 20}
    for begin, end, engagement, found in [
        (19, 30, ENGAGEMENT, [(10, 20)]),
        (20, 30, ENGAGEMENT, []),
        (0, 10, ENGAGEMENT, []),
        (0, 11, ENGAGEMENT, [(10, 20)]),
        (0, 99, other, []),
    ]:
        assert records.works_elsewhere([b"w" * 32], engagement, begin, end) == found
    assert records.works_elsewhere([b"x" * 32], ENGAGEMENT, 0, 99) == []


def test_long_listings_are_read_in_pages(log: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workseal_verifier.store.records._PAGE", 2)
    rows = [entry(n) for n in range(7)]
    log.append(change(EMPTY, Head(7, b"7" * 32), *rows))
    assert list(RecordStore(log.database).all()) == rows
    assert list(RecordStore(log.database).of_engagement(ENGAGEMENT, below=5)) == rows[:5]


def test_each_page_of_a_long_listing_takes_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite began each page at the first row of all: twice the rows took four times the steps."""
    monkeypatch.setattr(records, "_PAGE", 20)
    database = Database(tmp_path / "verifier.db")
    database.create()
    log = LogStore(database)
    log.found(EMPTY_ROOT)
    rows = [
        replace(entry(0), position=number, digest=Digest.of(number.to_bytes(2)))
        for number in range(1_600)
    ]
    log.append(Change(old=EMPTY, new=Head(len(rows), bytes(32)), entries=rows, tiles={}))
    store = RecordStore(database)

    def steps(read: Callable[[int], Iterator[Entry]], below: int) -> int:
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        with database.snapshot(), database.read() as connection:
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(count, 10)
            assert len(list(read(below))) == below
            driver.set_progress_handler(None, 0)
        return counted

    for read in (
        lambda below: store.of_engagement(ENGAGEMENT, below=below),
        lambda below: store.of_kinds(["offer"], below=below),
        lambda below: store.of_engagement_and_kinds(ENGAGEMENT, ["offer"], since=0, below=below),
    ):
        half, whole = (steps(read, below) for below in (800, 1_600))
        assert whole < 3 * half
    assert steps(lambda _: store.all(), 1_600) < 3 * half
    database.close()
