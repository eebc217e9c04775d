"""A log that lost its end comes back from what others hold, to the very root that was signed."""

import random
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.hearings import Hearing
from support.office import FakeClock, Office, check_store, new_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint, add_cosignature, cosign
from workseal_protocol.checkpoint import sign_checkpoint as sign_as_log
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.logcopy import Copied, CopiedStatement, CopiedToken
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import Act
from workseal_protocol.statement import Statement
from workseal_verifier.config import Settings
from workseal_verifier.copies import recover
from workseal_verifier.errors import RebuildError, StoreCorruptError
from workseal_verifier.homelock import HomeLock
from workseal_verifier.owncopy import OWN_FILE
from workseal_verifier.services.rebuilding import Floor, Rebuilder, Rebuilt
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.records import RecordStore

RESTORES = 100


class CopyingOffice(Office):
    """Keep what its senders can keep: their statements with the places, and each checkpoint."""

    def __init__(self, settings: Settings, **more: object) -> None:
        super().__init__(settings, **more)  # type: ignore[arg-type]
        self.held: dict[int, bytes] = {}
        self.signed: dict[int, SignedCheckpoint] = {}
        self.backups: list[tuple[int, Path]] = []

    def post(self, statements: Sequence[Statement], old: int = 0) -> SubmissionAnswer:
        answer = super().post(statements, old)
        bodies = [statement.encode() for statement in statements]
        self.held |= dict(zip(answer.indices, bodies, strict=True))
        self.signed[answer.signed.checkpoint.size] = answer.signed
        home = self.verifier.settings.home
        path = home.with_name(f"backup-{len(self.backups)}.db")
        source = sqlite3.connect(self.verifier.settings.database)
        target = sqlite3.connect(path)
        source.backup(target)
        target.close()
        source.close()
        self.backups.append((answer.signed.checkpoint.size, path))
        return answer

    def copy(self) -> list[Copied]:
        statements = [CopiedStatement(index, self.held[index]) for index in sorted(self.held)]
        return [*statements, *(self.signed[size] for size in sorted(self.signed))]


@dataclass
class Told:
    """Hold a log with a history, closed, and what others hold of it."""

    office: CopyingOffice
    settings: Settings
    last: Checkpoint
    copy: list[Copied] = field(default_factory=list)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    settings = new_home(tmp_path_factory.mktemp("told"))
    office = CopyingOffice(settings, clock=FakeClock(START - 3_600_000))
    office.open()
    office.now = START
    agent = ScriptedAgent(office)
    office.others(3)
    agent.open_session()
    for _ in range(4):
        agent.work(25_000)
        agent.send()
        office.others(2)
    agent.close_session()
    hearing = Hearing(office, agent.engagement, agent.terms).file().answered()
    hearing.act(Role.CLIENT, Act.END).draw()
    # A day later the beacon commits again: only the operator has that statement.
    office.now += 86_400_000
    office.verifier.housekeeping.keep()
    office.others(3)
    hearing.act(Role.ARBITRATOR, Act.DECLARE)
    agent.open_session()
    agent.work(25_000)
    agent.send()
    agent.close_session()
    last = office.checkpoint().checkpoint
    copy = office.copy()
    office.close()
    return Told(office, settings, last, copy)


def restored(told: Told, folder: Path, age: int) -> Settings:
    """Give the home as it is after the database was restored: keys and lock stay."""
    settings = new_home(folder)
    for name in ("keys", "lock"):
        shutil.rmtree(settings.home / name)
        shutil.copytree(told.settings.home / name, settings.home / name)
    shutil.copy(told.office.backups[age][1], settings.database)
    return settings


def rebuilt(
    settings: Settings, told: Told, copy: Sequence[Copied], floors: Sequence[Floor] = ()
) -> Rebuilt:
    database = Database(settings.database)
    database.create()
    rebuilder = Rebuilder(
        LogStore(database), RecordStore(database), told.office.verifier.identity, ()
    )
    try:
        rebuilder.gather(settings.origin, copy)
        return recover(rebuilder, [settings.lock / OWN_FILE], floors)
    finally:
        database.close()


def mark(settings: Settings) -> Floor:
    lock = HomeLock(settings.lock)
    found = lock.read()
    lock.close()
    assert found is not None
    return Floor("the lock file", found.size, found.root)


@pytest.mark.parametrize("number", range(RESTORES))
def test_a_backup_of_any_age_signs_nothing_until_it_is_rebuilt_to_the_same_root(
    told: Told, tmp_path: Path, number: int
) -> None:
    ages = [n for n, (size, _) in enumerate(told.office.backups) if size < told.last.size]
    age = random.Random(number).choice(ages)
    settings = restored(told, tmp_path, age)
    clock = FakeClock(told.office.clock.ms)
    office = Office(settings, clock=clock)
    with pytest.raises(StoreCorruptError, match="a backup was restored"):
        office.open()
    office.close()
    assert newest_signed(settings).size == told.office.backups[age][0]
    done = rebuilt(settings, told, told.copy, [mark(settings)])
    assert done.size == told.last.size
    assert check_store(settings, told.office.acknowledged) == []
    again = Office(settings, clock=clock)
    again.open()
    assert again.checkpoint().checkpoint == told.last
    again.post([stranger_offer(again, f"after {number}")])
    assert again.check() == []
    again.close()


def newest_signed(settings: Settings) -> Checkpoint:
    database = Database(settings.database)
    found = LogStore(database).newest_signed()
    database.close()
    assert found is not None
    return SignedCheckpoint.parse(found).checkpoint


def test_a_whole_log_comes_back_into_an_empty_database(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 0)
    settings.database.unlink()
    done = rebuilt(settings, told, told.copy, [mark(settings)])
    assert (done.size, done.statements) == (told.last.size, told.last.size)
    assert check_store(settings, told.office.acknowledged) == []


def test_rebuilding_twice_adds_nothing(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 1)
    rebuilt(settings, told, told.copy)
    assert rebuilt(settings, told, told.copy).statements == 0


def test_a_second_copy_brings_the_checkpoints_that_anchors_name_and_the_first_lacked(
    told: Told, tmp_path: Path
) -> None:
    """A bundle holds few of them; what is rebuilt from it alone is the same tree."""
    settings = restored(told, tmp_path, 1)
    first = [
        one
        for one in told.copy
        if not isinstance(one, SignedCheckpoint) or one.checkpoint.size == told.last.size
    ]
    rebuilt(settings, told, first, [mark(settings)])
    named = check_store(settings, told.office.acknowledged)
    assert named
    assert all("it is not the one that statement" in line for line in named)
    done = rebuilt(settings, told, told.copy)
    assert done.statements == 0
    assert done.checkpoints >= len(named)
    assert check_store(settings, told.office.acknowledged) == []
    assert rebuilt(settings, told, told.copy).checkpoints == 0


def test_names_the_first_statement_that_nobody_has(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 0)
    size = told.office.backups[0][0]
    lacking = [one for one in told.copy if getattr(one, "index", None) != size + 2]
    with pytest.raises(RebuildError, match=rf"statement {size + 2} is in none of the copies"):
        rebuilt(settings, told, lacking, [mark(settings)])
    assert newest_signed(settings).size == size


def test_without_a_floor_it_ends_where_the_copies_end(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 0)
    half = [
        one
        for one in told.copy
        if not isinstance(one, CopiedStatement) or one.index < told.last.size // 2
    ]
    done = rebuilt(settings, told, half)
    assert told.office.backups[0][0] < done.size <= told.last.size // 2
    assert check_store(settings, {}) == []


def test_a_size_that_was_seen_signed_needs_no_checkpoint(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 0)
    statements = [one for one in told.copy if isinstance(one, CopiedStatement)]
    done = rebuilt(settings, told, statements, [mark(settings)])
    assert (done.size, done.checkpoints) == (told.last.size, 0)
    office = Office(settings, clock=FakeClock(told.office.clock.ms))
    office.open()
    assert office.checkpoint().checkpoint == told.last
    office.close()


def test_another_root_than_a_witness_saw_is_refused(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 0)
    witness = Floor("witness w1", told.last.size - 1, bytes(32))
    with pytest.raises(RebuildError, match="witness w1 saw another root"):
        rebuilt(settings, told, told.copy, [witness])
    assert newest_signed(settings).size == told.office.backups[0][0]


def test_a_changed_statement_leads_to_no_signed_root(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 0)
    at = told.office.backups[0][0]
    changed: list[Copied] = [
        CopiedStatement(one.index, b"another")
        if isinstance(one, CopiedStatement) and one.index == at
        else one
        for one in told.copy
    ]
    with pytest.raises(RebuildError, match="do not lead to the signed root"):
        rebuilt(settings, told, changed)
    assert newest_signed(settings).size == at


def test_copies_that_contradict_each_other_or_the_database_are_refused(
    told: Told, tmp_path: Path
) -> None:
    settings = restored(told, tmp_path, 0)
    at = told.office.backups[0][0]
    database = Database(settings.database)
    rebuilder = Rebuilder(
        LogStore(database), RecordStore(database), told.office.verifier.identity, ()
    )
    rebuilder.gather(settings.origin, [CopiedStatement(at, b"one")])
    with pytest.raises(RebuildError, match=rf"different statements {at}"):
        rebuilder.gather(settings.origin, [CopiedStatement(at, b"other")])
    with pytest.raises(RebuildError, match="another statement 0 than the database"):
        rebuilder.gather(settings.origin, [CopiedStatement(0, b"other")])
    with pytest.raises(RebuildError, match="of another log"):
        rebuilder.gather("other.example/1", [])
    database.close()


def test_two_roots_of_one_size_are_told(told: Told, tmp_path: Path) -> None:
    """The keys themselves signed a second history: nothing can be rebuilt over that."""
    settings = restored(told, tmp_path, 0)
    identity = told.office.verifier.identity
    checkpoint = Checkpoint(settings.origin, told.last.size, Digest(bytes(32)))
    line = cosign(checkpoint, f"{settings.origin}/clock", identity.clock, 1)
    forged = add_cosignature(sign_as_log(checkpoint, identity.log), line)
    with pytest.raises(RebuildError, match=f"two roots of size {told.last.size}"):
        rebuilt(settings, told, [*told.copy, forged])


def test_what_does_not_verify_is_left_out_and_counted(told: Told, tmp_path: Path) -> None:
    settings = restored(told, tmp_path, 0)
    signed = told.office.signed[told.last.size]
    bare = SignedCheckpoint(signed.checkpoint, signed.lines[:1])
    done = rebuilt(settings, told, [*told.copy, bare, CopiedToken(told.last.size, b"no token")])
    assert (done.size, done.left_out, done.tokens) == (told.last.size, 2, 0)
