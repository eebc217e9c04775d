"""Notices as their recipients and the clerk read them, in each kind of database."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.notices import Channel, Fate, Notice, NoticeStore
from workseal_verifier.store.outbox import Outbox

NOW, LEASE = 1_000_000, 600_000
OWNER = Digest.of(b"owner")
CASE = Digest.of(b"case")


def made(word: bytes = b"one", **changes: object) -> Notice:
    first = Notice(
        name=Digest.of(word),
        kind="turn",
        filing=CASE,
        step=7,
        recipient=OWNER,
        waiting=2,
        made_ms=NOW,
    )
    return replace(first, **changes)  # type: ignore[arg-type]


@pytest.fixture
def store(where: Path | str) -> Iterator[NoticeStore]:
    database = Database(where)
    database.create()
    yield NoticeStore(database)
    database.close()


def test_a_notice_has_a_row_for_each_channel_and_is_made_once(store: NoticeStore) -> None:
    store.add([made()])
    store.add([made(), made(b"two", channels=(Channel.MAIL,))])
    rows = store.of_step(CASE, 7)
    assert sorted((row.name, row.channel) for row in rows) == sorted(
        [*((Digest.of(b"one"), channel) for channel in Channel), (Digest.of(b"two"), Channel.MAIL)]
    )
    assert Outbox(store.database).counts().waiting == 3


def test_the_page_shows_a_persons_own_and_writes_down_the_first_reading(
    store: NoticeStore,
) -> None:
    other = Digest.of(b"other")
    store.add([made(), made(b"theirs", recipient=other), made(b"later", step=9)])
    rows = store.board([OWNER], below=100, before=100, most=10)
    assert [row.step for row in rows] == [9, 7]
    assert {row.channel for row in rows} == {Channel.PAGE}
    assert [row.step for row in store.board([OWNER], below=9, before=100, most=10)] == [7]
    store.open([row.name for row in rows], NOW + 1)
    store.open([row.name for row in rows], NOW + 2)
    opened = store.board([OWNER], below=100, before=100, most=10)
    assert [(row.ended_ms, row.fate) for row in opened] == [(NOW + 1, Fate.DONE)] * 2
    assert store.board([other], below=100, before=100, most=10)[0].ended_ms is None


def test_what_still_waits_is_not_forgotten_with_its_case(store: NoticeStore) -> None:
    store.add([made()])
    outbox = Outbox(store.database)
    row = outbox.claim(NOW, lease_ms=LEASE)
    assert row is not None
    outbox.settle(row, Fate.DONE, NOW)
    store.forget(CASE)
    (left,) = store.of_step(CASE, 7)
    assert left.fate is Fate.WAITING
    assert {left.channel, row.channel} == {Channel.MAIL, Channel.WEBHOOK}
