"""The outbox in each kind of database, asked for by several workers at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from support.planned import read_whole
from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.notices import Channel, Fate, Notice, NoticeRow, NoticeStore

AT_ONCE = 4
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
def stores(where: Path | str) -> Iterator[list[NoticeStore]]:
    """Give the stores of several workers; SQLite's are threads of one."""
    databases = [Database(where) for _ in range(AT_ONCE)]
    databases[0].create()
    yield [NoticeStore(one) for one in databases]
    for one in databases:
        one.close()


@pytest.fixture
def store(stores: list[NoticeStore]) -> NoticeStore:
    return stores[0]


def test_a_notice_has_a_row_for_each_channel_and_is_made_once(store: NoticeStore) -> None:
    store.add([made()])
    store.add([made(), made(b"two", channels=(Channel.MAIL,))])
    rows = store.of_step(CASE, 7)
    assert sorted((row.name, row.channel) for row in rows) == sorted(
        [*((Digest.of(b"one"), channel) for channel in Channel), (Digest.of(b"two"), Channel.MAIL)]
    )
    assert store.counts().waiting == 3


def test_of_workers_that_claim_at_once_each_notice_goes_to_one(stores: list[NoticeStore]) -> None:
    names = [bytes([number]) for number in range(12)]
    stores[0].add([made(name, channels=(Channel.MAIL,)) for name in names])
    barrier = Barrier(AT_ONCE)

    def work(store: NoticeStore) -> list[NoticeRow]:
        barrier.wait(timeout=20)
        taken = []
        while (row := store.claim(NOW, lease_ms=LEASE)) is not None:
            taken.append(row)
        return taken

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [row.name for taken in pool.map(work, stores) for row in taken]
    assert sorted(found) == sorted(map(Digest.of, names))


def test_what_was_claimed_by_one_who_died_is_due_again_after_the_lease(store: NoticeStore) -> None:
    store.add([made(channels=(Channel.WEBHOOK,))])
    first = store.claim(NOW, lease_ms=LEASE)
    assert first is not None
    assert store.claim(NOW + LEASE - 1, lease_ms=LEASE) is None
    again = store.claim(NOW + LEASE, lease_ms=LEASE)
    assert again is not None
    assert (again.name, again.tries) == (first.name, 1)


def test_one_who_comes_late_puts_nothing_off_that_another_one_has(store: NoticeStore) -> None:
    store.add([made(channels=(Channel.MAIL,))])
    slow = store.claim(NOW, lease_ms=LEASE)
    quick = store.claim(NOW + LEASE, lease_ms=LEASE)
    assert slow is not None
    assert quick is not None
    store.put_off(slow, NOW)
    assert store.claim(NOW + LEASE, lease_ms=LEASE) is None
    store.put_off(quick, NOW + LEASE + 5)
    assert store.claim(NOW + LEASE + 5, lease_ms=LEASE) is not None


def test_who_lost_its_lease_gives_nothing_up_and_takes_nothing_back(store: NoticeStore) -> None:
    store.add([made(channels=(Channel.MAIL,))])
    slow = store.claim(NOW, lease_ms=LEASE)
    quick = store.claim(NOW + LEASE, lease_ms=LEASE)
    assert slow is not None
    assert quick is not None
    store.settle(slow, Fate.PARKED, NOW + LEASE)
    store.give_back(slow, NOW)
    assert (store.counts().waiting, store.counts().parked) == (1, 0)
    assert store.claim(NOW + LEASE, lease_ms=LEASE) is None
    store.settle(quick, Fate.DONE, NOW + LEASE + 1)
    store.settle(slow, Fate.NOWHERE, NOW + LEASE + 2)
    assert [row.fate for row in store.of_step(CASE, 7)] == [Fate.DONE]


def test_what_was_sent_is_not_put_off_by_one_who_failed_meanwhile(store: NoticeStore) -> None:
    for word, fails in ((b"one", store.put_off), (b"two", store.give_back)):
        store.add([made(word, channels=(Channel.MAIL,))])
        slow = store.claim(NOW, lease_ms=LEASE)
        quick = store.claim(NOW + LEASE, lease_ms=LEASE)
        assert slow is not None
        assert quick is not None
        store.settle(slow, Fate.DONE, NOW + LEASE + 1)
        fails(quick, NOW + LEASE + 2)
        assert store.claim(NOW + 9 * LEASE, lease_ms=LEASE) is None


def test_what_somebody_else_was_told_outdates_nothing_and_what_failed_is_not_told(
    store: NoticeStore,
) -> None:
    other = Digest.of(b"other")
    store.add([made(channels=(Channel.MAIL,)), made(b"two", step=8, recipient=other)])
    mine = store.claim(NOW, lease_ms=LEASE, channels=(Channel.MAIL,))
    assert mine is not None
    assert (mine.recipient, store.is_outdated(mine)) == (OWNER, False)
    store.settle(mine, Fate.NOWHERE, NOW)
    assert store.ended_since(NOW) == set()
    store.add([made(b"three", step=9)])
    assert store.is_outdated(mine)
    later = store.claim(NOW, lease_ms=LEASE)
    assert later is not None
    store.settle(later, Fate.DONE, NOW)
    assert store.ended_since(NOW) == {CASE}
    assert store.ended_since(NOW + 1) == set()


def test_what_a_clock_that_was_ahead_wrote_does_not_wait_for_that_day(store: NoticeStore) -> None:
    year = 365 * 86_400_000
    store.add([made(channels=(Channel.MAIL,), made_ms=NOW + year)])
    assert store.claim(NOW, lease_ms=LEASE) is not None
    # And then as long as any other that was claimed.
    assert store.claim(NOW, lease_ms=LEASE) is None
    assert store.claim(NOW + LEASE, lease_ms=LEASE) is not None


@pytest.mark.parametrize("fate", [Fate.DONE, Fate.NOWHERE, Fate.PARKED, Fate.PASSED])
def test_what_has_ended_is_not_claimed_again(store: NoticeStore, fate: Fate) -> None:
    store.add([made(channels=(Channel.MAIL,))])
    row = store.claim(NOW, lease_ms=LEASE)
    assert row is not None
    store.settle(row, fate, NOW + 1)
    assert store.claim(NOW + 10 * LEASE, lease_ms=LEASE) is None
    assert store.counts().waiting == 0
    assert store.counts().parked == (fate is Fate.PARKED)


def test_what_was_parked_is_listed_and_tried_again_at_a_word(store: NoticeStore) -> None:
    store.add([made(channels=(Channel.MAIL,))])
    row = store.claim(NOW, lease_ms=LEASE)
    assert row is not None
    store.settle(row, Fate.PARKED, NOW + 1)
    assert [one.fate for one in store.unsent(most=10)] == [Fate.PARKED]
    assert store.try_parked(NOW + 2) == 1
    again = store.claim(NOW + 2, lease_ms=LEASE)
    assert again is not None
    assert again.tries == 0


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
    row = store.claim(NOW, lease_ms=LEASE)
    assert row is not None
    store.settle(row, Fate.DONE, NOW)
    store.forget(CASE)
    (left,) = store.of_step(CASE, 7)
    assert (left.fate, left.channel) != (Fate.DONE, row.channel)


def test_what_each_turn_looks_for_is_found_without_reading_all_there_is(store: NoticeStore) -> None:
    store.add([made()])

    def turn() -> None:
        store.ended_since(NOW)
        store.counts()
        store.unsent(most=9)
        assert store.claim(NOW, lease_ms=LEASE) is not None

    assert read_whole(store.database, turn) == []
