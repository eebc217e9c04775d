"""The fault table: every write of a story lost, or kept and said to have failed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from support.office import FakeClock, FlakyDatabase, Office, check_home, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_verifier.config import Settings
from workseal_verifier.errors import (
    ConfigError,
    Reason,
    RefusedError,
    StoreCorruptError,
    StoreError,
)
from workseal_verifier.homelock import HomeLock
from workseal_verifier.services.publication import Published, Publisher
from workseal_verifier.store.engine import Database, Where
from workseal_verifier.store.log import LogStore

# What the story below writes; a test checks the number, so that no write escapes the table. Where
# others may write too, a start waits for what they committed.
WRITES, WRITES_SHARED = 18, 19


def tell(settings: Settings, faults: dict[int, str]) -> tuple[Office, FlakyDatabase]:
    """Open a log and log an engagement; whoever is told to come back comes back."""
    clock = FakeClock(START - 3_600_000)
    faulty: list[FlakyDatabase] = []
    done = 0

    def flaky(path: Where) -> FlakyDatabase:
        database = FlakyDatabase(path)
        database.writes = done
        database.fail_at = faults
        faulty.append(database)
        return database

    for _ in range(8):
        office = Office(settings, clock=clock, database=flaky)
        office.patience = 6
        try:
            office.open()
        except StoreError:
            # As after a start that failed: the operator starts it again.
            office.close()
            done = faulty[-1].writes
            continue
        break
    while office.verifier.housekeeping.keep() < 60:
        pass
    clock.ms = START
    agent = ScriptedAgent(office)
    agent.open_session()
    agent.work(25_000)
    agent.send()
    agent.close_session()
    return office, faulty[-1]


Story: TypeAlias = tuple[Settings, bytes, int]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Story, Callable[[], str]]:
    """Give the story's home, root and number of writes, and where the next log is kept."""

    def place() -> str:
        if request.param == "sqlite":
            return ""
        url: str = request.getfixturevalue("cluster").database()
        return url

    settings = new_home(tmp_path_factory.mktemp("reference"), database_url=place())
    office, database = tell(settings, {})
    root = office.checkpoint().checkpoint.root.raw
    office.close()
    return (settings, root, database.writes), place


@pytest.fixture
def story(reference: tuple[Story, Callable[[], str]], tmp_path: Path) -> Story:
    """Give a new home with the story's keys and beacon secrets, its root and number of writes."""
    (told, root, writes), place = reference
    settings = new_home(tmp_path, database_url=place())
    shutil.rmtree(settings.keys)
    shutil.copytree(told.keys, settings.keys)
    return settings, root, writes


def test_the_story_has_as_many_writes_as_the_table(story: Story) -> None:
    assert story[2] == (WRITES_SHARED if story[0].database_url else WRITES)


@pytest.mark.parametrize("mode", ["lost", "kept"])
@pytest.mark.parametrize("number", range(WRITES_SHARED))
def test_a_failed_write_changes_nothing_that_anybody_sees(
    story: Story, number: int, mode: str
) -> None:
    settings, root, writes = story
    office, database = tell(settings, {number: mode})
    assert database.writes > min(number, writes - 1)
    assert office.check() == []
    assert office.checkpoint().checkpoint.root.raw == root
    office.close()


@pytest.mark.parametrize("modes", [("lost", "kept"), ("kept", "lost"), ("kept", "kept")])
@pytest.mark.parametrize("number", range(3, WRITES, 3))
def test_a_second_fault_while_recovering_changes_nothing_either(
    story: Story, number: int, modes: tuple[str, str]
) -> None:
    settings, root, _ = story
    office, _ = tell(settings, {number: modes[0], number + 1: modes[1], number + 2: modes[1]})
    assert office.check() == []
    assert office.checkpoint().checkpoint.root.raw == root
    office.close()


def test_a_commit_without_a_signature_is_signed_at_the_next_start(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings, database=FlakyDatabase).open()
    office.now = START
    database = office.verifier.database
    assert isinstance(database, FlakyDatabase)
    database.fail_at = {database.writes + 1: "lost"}
    offer = stranger_offer(office, 1)
    before = office.checkpoint().checkpoint.size
    with pytest.raises(RefusedError, match="send again"):
        office.post([offer])
    assert office.checkpoint().checkpoint.size == before
    office.close()
    newest = LogStore(Database(settings.store)).committed(before + 1)
    assert newest is not None
    assert (newest.size, newest.signed) == (before + 1, None)
    again = Office(settings, clock=office.clock).open()
    assert again.checkpoint().checkpoint.size == before + 1
    assert again.post([offer]).indices == (before,)
    assert again.check() == []
    again.close()


def test_refuses_to_sign_when_the_clock_went_back(office: Office) -> None:
    office.post([stranger_offer(office, 1)])
    office.now -= 2_000
    office.post([stranger_offer(office, 2)])
    offer = stranger_offer(office, 3)
    office.now -= 1_000
    with pytest.raises(RefusedError, match="clock is 3 s behind") as refused:
        office.post([offer])
    assert refused.value.reason is Reason.CLOCK
    office.now += 1_000
    office.post([offer])
    assert office.check() == []


def test_reading_goes_on_while_the_clock_is_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between commit and signing, started with a clock too early to sign what waits."""
    before = office.checkpoint()

    def killed(*_: object) -> None:
        raise StoreError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(office.verifier.log, "save_signed", killed)
        with pytest.raises(RefusedError):
            office.post([stranger_offer(office, 1)])
    office.close()
    # The newest signature is an hour older than the office's clock.
    behind = FakeClock(START - 3_600_000 - 60_000)
    again = Office(office.verifier.settings, clock=behind).open()
    assert again.checkpoint() == before
    with pytest.raises(RefusedError, match="clock is 60 s behind"):
        again.post([stranger_offer(again, 2)])
    again.now = office.now
    again.post([stranger_offer(again, 3)])
    assert again.checkpoint().checkpoint.size == before.checkpoint.size + 2
    again.close()


def test_signature_times_never_go_back(office: Office) -> None:
    office.post([stranger_offer(office, 1)])
    first = office.verifier.log.last_signed_at()
    office.now -= 1_500
    office.post([stranger_offer(office, 2)])
    assert office.verifier.log.last_signed_at() == first


def test_a_second_server_on_one_home_is_refused(office: Office) -> None:
    with pytest.raises(ConfigError, match="another process holds this home"):
        Office(office.verifier.settings)


def test_a_second_writer_waits_for_its_turn_and_goes_on_from_there(
    office: Office, tmp_path: Path
) -> None:
    """Two processes with two locks (say, a copied lock folder): the database decides."""
    folder = tmp_path / "other lock"
    folder.mkdir()
    verifier = office.verifier
    lock = HomeLock(folder)
    second = Publisher(
        LogStore(Database(verifier.settings.store)), verifier.identity, office.clock, lock
    )
    second.load()
    office.post([stranger_offer(office, 1)])
    size = office.checkpoint().checkpoint.size
    with second.turn() as writing:
        assert writing.size == size
    assert second.publish().signed == office.checkpoint()
    assert office.check() == []
    lock.close()


def commit_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> int:
    """Log a statement and publish nothing of it; give the size."""

    def killed() -> Published:
        raise StoreError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(office.verifier.publisher, "publish", killed)
        with pytest.raises(RefusedError):
            office.post([stranger_offer(office, 1)])
    return office.verifier.publisher.size


def test_the_mark_moves_for_what_another_process_signed(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = office.verifier
    size = commit_only(office, monkeypatch)
    folder = tmp_path / "other lock"
    folder.mkdir()
    lock = HomeLock(folder)
    database = Database(verifier.settings.store)
    # It signs as it loads.
    Publisher(LogStore(database), verifier.identity, office.clock, lock).load()
    mark = verifier.lock.read()
    assert mark is not None
    assert mark.size < size
    published = verifier.publisher.publish()
    assert published.size == size
    assert verifier.lock.read() == published.mark == lock.read()
    database.close()
    lock.close()


def test_signs_no_head_whose_checkpoint_has_another_root(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = office.checkpoint()
    size = commit_only(office, monkeypatch)
    with office.verifier.database.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE checkpoints SET root = zeroblob(32) WHERE size = {size}"  # noqa: S608
        )
    with pytest.raises(StoreCorruptError, match="is not the head"):
        office.verifier.publisher.publish()
    row = office.verifier.log.committed(size)
    assert row is not None
    assert row.signed is None
    assert office.checkpoint() == before


def test_a_restored_backup_is_refused(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings).open()
    office.now = START
    office.post([stranger_offer(office, 1)])
    office.close()
    backup = settings.database.read_bytes()
    office = Office(settings, clock=office.clock).open()
    office.post([stranger_offer(office, 2)])
    office.close()
    for leftover in settings.home.glob("verifier.db*"):
        leftover.unlink()
    settings.database.write_bytes(backup)
    office = Office(settings, clock=office.clock)
    with pytest.raises(StoreCorruptError, match="a backup was restored"):
        office.open()
    office.close()


def test_another_tree_under_the_mark_is_refused(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings).open()
    office.close()
    (settings.lock / "server.lock").write_bytes(b"2 " + b"0" * 64 + b"\n")
    office = Office(settings)
    with pytest.raises(StoreCorruptError, match="not the one that this log signed"):
        office.open()
    assert check_home(settings, office) == []
    office.close()


def test_refuses_to_sign_over_tiles_that_do_not_lead_to_the_head(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    office = Office(settings).open()
    office.now = START
    office.post([stranger_offer(office, n) for n in range(256)])
    office.close()
    database = Database(settings.store)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE tiles SET hashes = zeroblob(32) WHERE level = 1")
    database.close()
    office = Office(settings, clock=office.clock)
    with pytest.raises(StoreCorruptError, match="do not lead to the root"):
        office.open()
    office.close()


def test_other_keys_need_another_home(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    Office(settings).open().close()
    (settings.keys / "clock.seed").unlink()
    new_home(tmp_path)
    office = Office(settings)
    with pytest.raises(ConfigError, match="new keys need a new home"):
        office.open()
    office.close()
