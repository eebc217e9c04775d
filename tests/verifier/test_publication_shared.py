"""Publication where others publish too: nothing is shown that may be lost, nothing that differs."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.office import ANSWER_S, Office, check_home, new_home, stranger_offer
from support.postgres import Cluster
from workseal_protocol.receipt import SubmissionAnswer
from workseal_verifier.errors import Reason, RefusedError, StoreCorruptError
from workseal_verifier.housekeeping import HOUSEKEEPING_S
from workseal_verifier.services.publication import Published, Publisher
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Head

shared = pytest.mark.postgres


def submit(office: Office, word: object) -> SubmissionAnswer:
    candidates = office.verifier.services.intake.read(stranger_offer(office, word).encode())
    return office.verifier.sequencer.submit(candidates).result(ANSWER_S)


def while_cut(cluster: Cluster, work: Callable[[], object]) -> Future[object]:
    """Do something, and cut every wait for the missing standby short."""
    with ThreadPoolExecutor() as pool:
        done = pool.submit(work)
        while not done.done():
            cluster.cut_waits()
            time.sleep(0.02)
    return done


@shared
def test_no_receipt_leaves_while_the_standby_is_missing_however_often_a_wait_is_cut(
    both_waiting: tuple[Office, Office], waiting: Cluster
) -> None:
    a, b = both_waiting
    before = a.checkpoint()
    assert b.checkpoint() == before
    with waiting.missing_a_standby():
        # Committed here, signed here, there again, known here and there: never acknowledged.
        for office in (a, a, a, b, b, a):
            refused = while_cut(waiting, lambda office=office: submit(office, 1)).exception()  # type: ignore[misc]
            assert isinstance(refused, RefusedError)
            assert refused.reason is Reason.BUSY
            for reader in both_waiting:
                shown = while_cut(waiting, reader.checkpoint).result()
                assert shown == before
    answer = submit(b, 1)
    assert answer.signed.checkpoint.size == before.checkpoint.size + 1
    assert a.checkpoint() == b.checkpoint() == answer.signed
    assert check_home(a.verifier.settings, a) == []


@shared
def test_a_signature_that_no_standby_has_is_shown_by_nobody(
    both_waiting: tuple[Office, Office], waiting: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = both_waiting
    before = a.checkpoint()
    save = a.verifier.log.save_signed
    with ExitStack() as stack:

        def without(*row: Any) -> None:
            stack.enter_context(waiting.missing_a_standby())
            monkeypatch.undo()
            save(*row)

        monkeypatch.setattr(a.verifier.log, "save_signed", without)
        assert while_cut(waiting, lambda: submit(a, 1)).exception() is not None
        assert a.verifier.log.newest_signed_size() == before.checkpoint.size + 1
        for reader in both_waiting:
            assert while_cut(waiting, reader.checkpoint).result() == before
    assert a.checkpoint() == b.checkpoint() == submit(b, 1).signed


@shared
def test_a_signature_by_another_process_is_no_receipt_before_a_standby_has_it(
    both_waiting: tuple[Office, Office], waiting: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = both_waiting
    publisher, other = a.verifier.publisher, b.verifier
    publish = publisher.publish
    with ExitStack() as stack:

        def without() -> Published:
            monkeypatch.undo()
            head = other.log.head()
            assert head is not None
            signed = other.identity.sign(head.size, head.root, b.now // 1000)
            row = (head.size, signed.encode(), signed.digest, b.now // 1000)
            # It is read here before any wait of this process's own.
            monkeypatch.setattr(a.verifier.log, "newest_signed_size", lambda: 0)
            stack.enter_context(waiting.missing_a_standby())
            assert while_cut(waiting, lambda: other.log.save_signed(*row)).exception() is not None
            return publish()

        monkeypatch.setattr(publisher, "publish", without)
        refused = while_cut(waiting, lambda: submit(a, 1)).exception()
        assert isinstance(refused, RefusedError)
        monkeypatch.undo()
    assert submit(a, 1).signed == b.checkpoint()


@shared
def test_a_start_shows_nothing_that_no_standby_has(
    both_waiting: tuple[Office, Office], waiting: Cluster
) -> None:
    a, b = both_waiting
    with waiting.missing_a_standby():
        for _ in range(3):
            while_cut(waiting, lambda: submit(a, 1))
        a.close()
        again = Office(a.verifier.settings, clock=a.clock)
        refused = while_cut(waiting, again.open).exception()
        assert refused is not None
        assert again.verifier.publisher.current is None
        while_cut(waiting, again.close)
    assert submit(b, 1).indices


def keep(database: Database) -> None:
    """Remember the log as it is, as a standby does that lags."""
    with database.write() as connection:
        for table in ("tiles", "head"):
            connection.exec_driver_sql(f"CREATE TABLE kept_{table} AS TABLE {table}")


def lose_the_end(database: Database) -> None:
    """Take the log back to what was kept: a failover to a standby that lagged."""
    with database.write() as connection:
        for table in ("tiles", "head"):
            connection.exec_driver_sql(f"TRUNCATE {table}")
            connection.exec_driver_sql(f"INSERT INTO {table} TABLE kept_{table}")
        size = connection.exec_driver_sql("SELECT size FROM head").scalar_one()
        connection.exec_driver_sql(f"DELETE FROM statements WHERE position >= {size}")  # noqa: S608
        connection.exec_driver_sql(f"DELETE FROM checkpoints WHERE size > {size}")  # noqa: S608


@shared
def test_a_log_that_lost_its_end_is_not_signed_again_by_anybody_who_saw_it(
    both: tuple[Office, Office],
) -> None:
    a, b = both
    database = a.verifier.database
    keep(database)
    a.post([stranger_offer(a, 1)])
    seen = b.checkpoint()
    lose_the_end(database)
    kept = a.verifier.log.head()
    for office in both:
        for _ in range(3):
            with pytest.raises(RefusedError) as refused:
                submit(office, 2)
            assert refused.value.reason is Reason.BUSY
        assert office.checkpoint() == seen
    assert a.verifier.log.head() == kept
    for office in both:
        office.close()
        again = Office(office.verifier.settings, clock=office.clock)
        with pytest.raises(StoreCorruptError, match="a backup was restored"):
            again.open()
        again.close()


@shared
def test_a_log_that_lost_its_end_and_grew_again_is_not_followed(
    both: tuple[Office, Office], tmp_path: Path
) -> None:
    a, b = both
    keep(a.verifier.database)
    a.post([stranger_offer(a, 1)])
    seen = b.checkpoint()
    lose_the_end(a.verifier.database)
    # A third host, which saw nothing of it.
    settings = replace(a.verifier.settings, home=tmp_path / "three")
    settings.lock.mkdir(parents=True)
    settings.keys.symlink_to(a.verifier.settings.keys)
    forked = Office(settings, clock=a.clock)
    forked.open()
    for word in (2, 3):
        submit(forked, word)
    for office in both:
        assert office.checkpoint() == seen
        with pytest.raises(RefusedError):
            submit(office, 4)
        assert office.checkpoint() == seen
    forked.close()


@shared
def test_whoever_opens_an_empty_log_shows_what_the_first_to_write_published(
    tmp_path: Path, cluster: Cluster
) -> None:
    first = new_home(tmp_path, database_url=cluster.database())
    second = replace(first, home=tmp_path / "two")
    second.lock.mkdir(parents=True)
    second.keys.symlink_to(first.keys)
    leader = Office(first)
    assert leader.verifier.database.lead()
    follower = Office(second, clock=leader.clock).open()
    assert follower.verifier.publisher.current is None
    leader.open()
    assert follower.checkpoint() == leader.checkpoint()
    # And it leads on where the other one ends.
    leader.close()
    follower.now += 86_400_000
    # The database lets go of what an ended connection held only when it has noticed that.
    deadline = time.monotonic() + 10
    while follower.verifier.housekeeping.keep() != HOUSEKEEPING_S:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert follower.value(follower.now // follower.round_ms)
    follower.close()


@shared
def test_whoever_is_behind_takes_over_what_is_published_and_signs_no_older_size(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = both
    publish = a.verifier.publisher.publish

    def later() -> Published:
        submit(b, "meanwhile")
        return publish()

    monkeypatch.setattr(a.verifier.publisher, "publish", later)
    answer = submit(a, "first")
    assert a.verifier.log.checkpoint(answer.indices[0] + 1) is None
    assert answer.signed == b.checkpoint()
    assert check_home(a.verifier.settings, a) == []


def test_a_mark_that_moves_while_another_worker_starts_is_no_restored_backup(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = office.verifier
    database = Database(verifier.settings.store)
    log = LogStore(database)
    second = Publisher(log, verifier.identity, office.clock, verifier.lock)
    real = log.head

    def head() -> Head | None:
        found = real()
        office.post([stranger_offer(office, 1)])
        return found

    monkeypatch.setattr(log, "head", head)
    second.load()
    assert second.current is not None
    assert second.current.signed == office.checkpoint()
    database.close()


def test_the_mark_moves_before_a_signature_can_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = office.verifier
    marks = []
    real = verifier.log.save_signed

    def save(size: int, *rest: object) -> None:
        mark = verifier.lock.read()
        marks.append(mark is not None and mark.size == size)
        real(size, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(verifier.log, "save_signed", save)
    office.post([stranger_offer(office, 1)])
    assert marks == [True]
