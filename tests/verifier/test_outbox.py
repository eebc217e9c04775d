"""The outbox in each kind of database, asked for by several workers at once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from support.planned import read_whole
from support.postgres import Cluster
from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.notices import Channel, Fate, Notice, NoticeRow, NoticeStore
from workseal_verifier.store.outbox import Outbox
from workseal_verifier.store.schema import notices

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


class Worker(NoticeStore, Outbox):
    """Write notices, and send them."""


@pytest.fixture
def stores(where: Path | str) -> Iterator[list[Worker]]:
    """Give the stores of several workers; SQLite's are threads of one."""
    databases = [Database(where) for _ in range(AT_ONCE)]
    databases[0].create()
    yield [Worker(one) for one in databases]
    for one in databases:
        one.close()


@pytest.fixture
def store(stores: list[Worker]) -> Worker:
    return stores[0]


def test_of_workers_that_claim_at_once_each_notice_goes_to_one(stores: list[Worker]) -> None:
    names = [bytes([number]) for number in range(12)]
    stores[0].add([made(name, channels=(Channel.MAIL,)) for name in names])
    barrier = Barrier(AT_ONCE)

    def work(store: Worker) -> list[NoticeRow]:
        barrier.wait(timeout=20)
        taken = []
        while (row := store.claim(NOW, lease_ms=LEASE)) is not None:
            taken.append(row)
        return taken

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [row.name for taken in pool.map(work, stores) for row in taken]
    assert sorted(found) == sorted(map(Digest.of, names))


def test_of_workers_that_claim_at_once_one_tells_somebodys_webhook(
    stores: list[Worker],
) -> None:
    stores[0].add([made(bytes([number]), channels=(Channel.WEBHOOK,)) for number in range(9)])
    barrier = Barrier(AT_ONCE)

    def work(store: Worker) -> list[NoticeRow]:
        barrier.wait(timeout=20)
        claimed = (store.claim(NOW, lease_ms=LEASE) for _ in range(2))
        return [row for row in claimed if row is not None]

    for turn in range(3):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            (held,) = [row for found in pool.map(work, stores) for row in found]
        # Done, put off or not tried: it lets the next one through.
        done: tuple[Callable[[NoticeRow], None], ...] = (
            lambda row: stores[1].settle(row, Fate.DONE, NOW),
            lambda row: stores[2].put_off(row, NOW + 1),
            lambda row: stores[3].give_back(row, NOW + 1),
        )
        done[turn](held)


def test_who_found_another_notice_than_one_that_is_held_by_now_does_not_take_it(
    stores: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = [Channel.WEBHOOK]
    earlier = made(b"earlier", made_ms=NOW - 1, channels=(Channel.WEBHOOK,))
    stores[0].add([made(channels=(Channel.WEBHOOK,))])
    take = stores[0]._taken
    held: list[NoticeRow | None] = []

    def late(*found: Any) -> list[NoticeRow]:
        stores[1].add([earlier])
        held.append(stores[1].claim(NOW, lease_ms=LEASE, channels=hooks))
        return take(*found)

    monkeypatch.setattr(stores[0], "_taken", late)
    assert stores[0].claim(NOW, lease_ms=LEASE, channels=hooks) is None
    assert [one and one.name for one in held] == [earlier.name]


def test_what_was_taken_and_given_back_meanwhile_waits_as_it_was_told(
    stores: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    stores[0].add([made(channels=(Channel.MAIL,))])
    take = stores[0]._taken

    def late(*found: Any) -> list[NoticeRow]:
        meanwhile = stores[1].claim(NOW, lease_ms=LEASE)
        assert meanwhile is not None
        stores[1].give_back(meanwhile, NOW + 1)
        return take(*found)

    monkeypatch.setattr(stores[0], "_taken", late)
    assert stores[0].claim(NOW, lease_ms=LEASE) is None


@pytest.mark.postgres
def test_who_claims_waits_for_one_who_is_claiming(cluster: Cluster) -> None:
    """Somebody's webhook was taken, and that is not committed yet."""
    store = Worker(Database(cluster.database()))
    store.database.create()
    store.add([made(bytes([number]), channels=(Channel.WEBHOOK,)) for number in range(2)])
    with ThreadPoolExecutor(1) as pool:
        with store.database.write() as connection:
            store.database.take_turn(connection, OWNER.raw)
            connection.execute(
                update(notices)
                .where(notices.c.name == Digest.of(bytes([1])).raw)
                .values(held_ms=NOW + LEASE)
            )
            claimed = pool.submit(store.claim, NOW, lease_ms=LEASE)
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while cluster.psql(waiting) == "0" and not claimed.done():
                time.sleep(0.01)
        assert claimed.result(timeout=20) is None
    store.database.close()


def test_who_died_holds_a_webhook_for_a_lease_and_a_wrong_clock_for_none(
    store: Worker,
) -> None:
    other = Digest.of(b"other")
    store.add([made(bytes([number]), channels=(Channel.WEBHOOK,)) for number in range(2)])
    store.add([made(b"theirs", recipient=other, channels=(Channel.WEBHOOK,))])
    store.add([made(b"mail", channels=(Channel.MAIL,))])
    hooks = [Channel.WEBHOOK]
    claimed = [store.claim(NOW, lease_ms=LEASE, channels=hooks) for _ in range(3)]
    # The others are told meanwhile, and their owner by mail.
    assert [one and one.recipient for one in claimed] in (
        [OWNER, other, None],
        [other, OWNER, None],
    )
    assert store.claim(NOW, lease_ms=LEASE, channels=[Channel.MAIL]) is not None
    assert store.claim(NOW + LEASE - 1, lease_ms=LEASE, channels=hooks) is None
    again = [store.claim(NOW + LEASE, lease_ms=LEASE, channels=hooks) for _ in range(3)]
    assert [one and one.recipient for one in again].count(OWNER) == 1
    # One whose clock is a little ahead holds as well; one that is a day ahead does not.
    assert store.claim(NOW + 1, lease_ms=LEASE, channels=hooks) is None
    assert store.claim(NOW - 86_400_000, lease_ms=LEASE, channels=hooks) is None
    ahead = made(b"ahead", recipient=Digest.of(b"ahead"), channels=(Channel.WEBHOOK,))
    store.add([ahead, replace(ahead, name=Digest.of(b"next"))])
    assert store.claim(NOW + 86_400_000, lease_ms=LEASE, channels=hooks) is not None
    left = [store.claim(NOW, lease_ms=LEASE, channels=hooks) for _ in range(9)]
    assert ahead.recipient in {one.recipient for one in left if one is not None}


def test_what_was_claimed_by_one_who_died_is_due_again_after_the_lease(store: Worker) -> None:
    store.add([made(channels=(Channel.WEBHOOK,))])
    first = store.claim(NOW, lease_ms=LEASE)
    assert first is not None
    assert store.claim(NOW + LEASE - 1, lease_ms=LEASE) is None
    again = store.claim(NOW + LEASE, lease_ms=LEASE)
    assert again is not None
    assert (again.name, again.tries) == (first.name, 1)


def test_one_who_comes_late_puts_nothing_off_that_another_one_has(store: Worker) -> None:
    store.add([made(channels=(Channel.MAIL,))])
    slow = store.claim(NOW, lease_ms=LEASE)
    quick = store.claim(NOW + LEASE, lease_ms=LEASE)
    assert slow is not None
    assert quick is not None
    store.put_off(slow, NOW)
    assert store.claim(NOW + LEASE, lease_ms=LEASE) is None
    store.put_off(quick, NOW + LEASE + 5)
    assert store.claim(NOW + LEASE + 5, lease_ms=LEASE) is not None


def test_who_lost_its_lease_gives_nothing_up_and_takes_nothing_back(store: Worker) -> None:
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


def test_what_was_sent_is_not_put_off_by_one_who_failed_meanwhile(store: Worker) -> None:
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
    store: Worker,
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


def test_what_a_clock_that_was_ahead_wrote_does_not_wait_for_that_day(store: Worker) -> None:
    year = 365 * 86_400_000
    store.add([made(channels=(Channel.MAIL,), made_ms=NOW + year)])
    assert store.claim(NOW, lease_ms=LEASE) is not None
    # And then as long as any other that was claimed.
    assert store.claim(NOW, lease_ms=LEASE) is None
    assert store.claim(NOW + LEASE, lease_ms=LEASE) is not None


@pytest.mark.parametrize("fate", [Fate.DONE, Fate.NOWHERE, Fate.PARKED, Fate.PASSED])
def test_what_has_ended_is_not_claimed_again(store: Worker, fate: Fate) -> None:
    store.add([made(channels=(Channel.MAIL,))])
    row = store.claim(NOW, lease_ms=LEASE)
    assert row is not None
    store.settle(row, fate, NOW + 1)
    assert store.claim(NOW + 10 * LEASE, lease_ms=LEASE) is None
    assert store.counts().waiting == 0
    assert store.counts().parked == (fate is Fate.PARKED)


def test_what_was_parked_is_listed_and_tried_again_at_a_word(store: Worker) -> None:
    store.add([made(channels=(Channel.MAIL,))])
    row = store.claim(NOW, lease_ms=LEASE)
    assert row is not None
    store.settle(row, Fate.PARKED, NOW + 1)
    assert [one.fate for one in store.unsent(most=10)] == [Fate.PARKED]
    assert store.try_parked(NOW + 2) == 1
    again = store.claim(NOW + 2, lease_ms=LEASE)
    assert again is not None
    # It may have been taken, and is not sent as if for the first time.
    assert again.tries == 1


def test_only_what_was_sent_counts_as_told(store: Worker) -> None:
    for number, fate in enumerate((Fate.DONE, Fate.NOWHERE, Fate.PASSED, Fate.PARKED)):
        one = made(bytes([number]), step=7 + number, channels=(Channel.MAIL,))
        store.add([one])
        row = store.claim(NOW, lease_ms=LEASE)
        assert row is not None
        store.settle(row, fate, NOW + number)
        last = store.last_sent(row)
        assert last is not None
        assert last.step == 7


def test_what_each_turn_looks_for_is_found_without_reading_all_there_is(store: Worker) -> None:
    store.add([made()])

    def turn() -> None:
        store.ended_since(NOW)
        store.counts()
        store.unsent(most=9)
        assert store.claim(NOW, lease_ms=LEASE) is not None

    assert read_whole(store.database, turn) == []
