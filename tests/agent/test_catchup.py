import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support import builders
from support.builders import make_possession
from support.homes import WORDS, RigHome, by_words
from support.vaults import PRIVATE, PUBLIC, make
from support.wire import Fault, problem
from workseal_agent import listing
from workseal_agent.backup import write_backup
from workseal_agent.catchup import CatchUpError, CaughtUp, catch_up
from workseal_agent.chain import OwnChainError
from workseal_agent.connection import UnreachableError
from workseal_agent.export import export
from workseal_agent.ledger import Ledger, LedgerError, LedgerKey, NewCapture
from workseal_agent.restore import restore_home
from workseal_agent.retention import kept_frames
from workseal_agent.vault import VaultReader, VaultWriter
from workseal_agent.vaultcheck import Depth, check_vault
from workseal_client import client
from workseal_protocol.checkpoint import SignedCheckpoint, sign_checkpoint
from workseal_protocol.commitment import ValueKind
from workseal_protocol.records import ChainedRecord, read_record, sign
from workseal_protocol.statement import Statement


class TwoMachines:
    """Hold a machine that recorded on after its backup, and the one where that was restored."""

    def __init__(self, folder: Path, *, witnesses: int = 1) -> None:
        self.old = RigHome(folder / "old", witnesses=witnesses)
        self.rig = self.old.rig
        # A capture whose segment is not signed yet.
        header, commitment, pixels, seed = make(9)
        with self.old.ledger.write() as writing:
            new = NewCapture(commitment, bytes(16), 1, 2, 0, header.width, header.height)
            writing.announce_capture(self.rig.engagement.id, new)
        self.old.writer.put_frame(header, commitment, pixels, seed)
        write_backup(self.old.settings, self.old.ledger, PUBLIC, folder / "b", by_words)
        restore_home(folder / "b", folder / "new", WORDS)
        self.folder = folder / "new"
        self.ledger = Ledger(self.folder / "ledger.sqlite", LedgerKey(self.rig.signer))
        self.vault = VaultWriter(self.folder / "vault", PUBLIC)

    def catch_up(self, wait: Callable[[float], None] = lambda _: None) -> CaughtUp:
        key = self.rig.signer.public_key
        return catch_up(
            self.ledger, self.rig.client, self.rig.engagement, key, self.vault, wait=wait
        )

    def pass_time(self, seconds: float = 200) -> None:
        self.rig.clock.reboot(seconds)
        self.rig.simulator.now = self.rig.clock.true_ms

    def move(self) -> None:
        """Go on with the restored home, as a new process there does."""
        self.rig.path = self.folder / "ledger.sqlite"
        self.ledger.close()
        self.rig.kill()
        self.ledger = self.rig.ledger

    def fetched(self) -> tuple[list[int], set[int]]:
        """Catch up with some minutes of work; tells the sizes asked for, and those anchored on."""
        self.old.work(120)
        self.rig.uplink.drain(100)
        self.pass_time()
        known = {self.size(body) for body in self.ledger.checkpoints(self.rig.engagement.id)}
        asked = len(self.rig.wire.requests)
        before = len(self.bodies(self.ledger))
        self.catch_up()
        paths = [path for _, path, _ in self.rig.wire.requests[asked:] if "checkpoints/" in path]
        records = [read_record(Statement.parse(body)) for body in self.bodies(self.ledger)[before:]]
        sizes = {record.anchor.size for record in records if isinstance(record, ChainedRecord)}
        return [int(path.rpartition("/")[2]) for path in paths], sizes - known

    @staticmethod
    def size(body: bytes) -> int:
        return SignedCheckpoint.parse(body).checkpoint.size

    def bodies(self, ledger: Ledger) -> list[bytes]:
        return [one.body for one in ledger.chain(self.rig.engagement.id)]

    def logged(self) -> dict[int, set[bytes]]:
        """Return the bodies that the log has for each number of the chain."""
        found: dict[int, set[bytes]] = {}
        for _, statement in self.rig.simulator.statements_for(self.rig.engagement.id):
            record = read_record(statement)
            if isinstance(record, ChainedRecord):
                found.setdefault(record.seq, set()).add(statement.encode())
        return found


@pytest.fixture
def two(tmp_path: Path) -> TwoMachines:
    return TwoMachines(tmp_path)


def test_a_restored_home_goes_on_where_the_log_is(two: TwoMachines) -> None:
    two.old.work(60)
    two.rig.uplink.drain(100)
    old = two.bodies(two.old.ledger)
    before = len(two.bodies(two.ledger))
    two.pass_time()
    learned = two.catch_up()
    assert learned.statements == len(old) - before > 3
    assert two.bodies(two.ledger) == old
    two.move()
    two.rig.recorder.start()
    two.rig.work(40)
    two.rig.recorder.stop()
    assert two.rig.uplink.drain(100)
    counts = two.ledger.counts(two.rig.engagement.id)
    assert (counts.parked, counts.unsent) == (0, 0)
    assert {len(bodies) for bodies in two.logged().values()} == {1}
    made = export(
        two.ledger, two.rig.client, two.rig.engagement, two.rig.signer,
        now_ms=two.rig.clock.wall_ms(), openings=[ValueKind.NOTES],
    )  # fmt: skip
    assert made.report.holds, made.report.first_problem
    assert made.report.totals is not None
    assert made.report.totals.worked_ms == two.rig.worked_ms > 100_000


def test_what_was_said_beside_the_chain_is_learned_too(two: TwoMachines) -> None:
    rig = two.rig
    round_ = rig.clock.wall_ms() // rig.simulator.round_ms
    record = make_possession(
        engagement=rig.engagement.id,
        round=round_,
        value=rig.simulator.value(round_),
        head=rig.chain.refresh().head,
    )
    said = sign(record, rig.signer)
    with two.old.ledger.write() as writing:
        writing.add_statement(rig.engagement.id, said)
    assert rig.uplink.drain(100)
    two.pass_time()
    two.catch_up()
    found = two.ledger.of_kind(rig.engagement.id, "possession")
    assert [one.digest for one in found] == [said.digest]
    two.pass_time()
    two.move()
    assert rig.uplink.drain(100)
    assert two.ledger.counts(rig.engagement.id).unsent == 0


def test_it_signs_nothing_and_tidies_nothing_before(two: TwoMachines) -> None:
    announced = two.ledger.orphans()
    assert make(9)[1] in announced
    before = two.bodies(two.ledger)
    two.move()
    with pytest.raises(OwnChainError, match="restored from a backup"):
        two.rig.recorder.start()
    assert two.bodies(two.ledger) == before
    assert two.ledger.orphans() == announced


def test_what_was_withdrawn_after_the_backup_is_destroyed_here_too(two: TwoMachines) -> None:
    row = two.old.ledger.captures(two.rig.engagement.id)[1]
    two.old.withdraw(row.number)
    two.rig.recorder.stop()
    two.rig.uplink.drain(100)
    reader = VaultReader(two.folder / "vault", PRIVATE)
    assert row.commitment in reader.commitments()
    two.pass_time()
    two.catch_up()
    assert row.commitment not in reader.commitments()
    assert two.ledger.undestroyed() == ()


def test_frames_taken_after_the_backup_are_named_as_missing(two: TwoMachines) -> None:
    known = {row.commitment for row in two.ledger.captures(two.rig.engagement.id)}
    two.old.work(40)
    two.rig.recorder.stop()
    two.rig.uplink.drain(100)
    taken = {row.commitment for row in two.old.ledger.captures(two.rig.engagement.id)}
    two.pass_time()
    learned = two.catch_up()
    rows = two.ledger.captures(two.rig.engagement.id)
    assert {row.commitment for row in rows} == taken
    assert learned.lost_frames == len(taken - known) > 0
    state = check_vault(two.folder / "vault", two.ledger, PUBLIC, depth=Depth.NAMES)
    assert [one.text for one in state.problems] == ["the frame is missing"] * learned.lost_frames


DAY_MS = 86_400_000


@pytest.mark.parametrize("offset_ms", [0, -200_000, -600_000])
def test_a_chain_that_moves_is_left_alone_whatever_its_clock_says(
    two: TwoMachines, offset_ms: int
) -> None:
    two.rig.recorder.stop()
    two.rig.uplink.drain(100)
    two.pass_time(900)
    two.rig.kill()
    two.rig.clock.offset_ms = offset_ms
    two.rig.recorder.start()
    two.old.work(60)
    before = two.bodies(two.ledger)
    with pytest.raises(CatchUpError, match="another copy of this home records"):
        two.catch_up(two.old.work)
    assert two.ledger.is_restored(two.rig.engagement.id)
    assert two.bodies(two.ledger) == before
    two.rig.recorder.stop()
    two.rig.uplink.drain(100)
    two.catch_up(two.pass_time)
    assert two.bodies(two.ledger) == two.bodies(two.old.ledger)


def test_it_listens_for_a_round_and_the_way_to_the_log(two: TwoMachines) -> None:
    waited: list[float] = []
    two.catch_up(waited.append)
    assert waited == [(two.rig.engagement.terms.round_ms + 30_000) / 1000]


def test_a_session_with_a_clock_far_ahead_locks_nobody_out(two: TwoMachines) -> None:
    """The log takes the session's opening, and nothing of a round that has not begun."""
    two.rig.recorder.stop()
    two.rig.uplink.drain(100)
    two.rig.clock.offset_ms = 400 * DAY_MS
    two.rig.recorder.start()
    two.old.work(40)
    two.rig.recorder.stop()
    two.rig.uplink.drain(100)
    newest = max(read_claims(two))
    two.pass_time()
    two.rig.clock.offset_ms = 0
    assert newest > two.rig.clock.wall_ms() + 399 * DAY_MS
    assert two.catch_up(two.pass_time).statements > 0
    two.move()
    two.rig.recorder.start()
    two.rig.work(30)
    two.rig.recorder.stop()
    assert two.rig.uplink.drain(100)
    counts = two.ledger.counts(two.rig.engagement.id)
    assert (counts.parked, counts.unsent) == (0, 0)
    assert {len(bodies) for bodies in two.logged().values()} == {1}


def read_claims(two: TwoMachines) -> list[int]:
    """Return what the logged statements of the chain claim as their time."""
    return [
        read_record(Statement.parse(body)).claimed_at
        for bodies in two.logged().values()
        for body in bodies
    ]


def test_it_is_done_again_without_harm(two: TwoMachines) -> None:
    two.old.work(30)
    two.pass_time()
    first = two.catch_up()
    with two.ledger.write() as writing:
        writing.mark_restored(two.rig.engagement.id)
    assert (first.statements > 0, two.catch_up().statements) == (True, 0)


def test_two_bodies_for_one_number_are_never_papered_over(two: TwoMachines) -> None:
    """The restored copy signed without asking, as a program without this rule would."""
    with two.ledger.write() as writing:
        writing.mark_caught_up(two.rig.engagement.id)
    two.old.work(30)
    two.pass_time()
    two.move()
    two.rig.cut(up=False)
    two.rig.recorder.start()
    two.rig.recorder.stop()
    mine = two.bodies(two.ledger)
    with two.ledger.write() as writing:
        writing.mark_restored(two.rig.engagement.id)
    two.pass_time()
    with pytest.raises(CatchUpError, match="another statement number"):
        two.catch_up()
    assert two.ledger.is_restored(two.rig.engagement.id)
    assert two.bodies(two.ledger) == mine


def test_what_the_old_machine_never_sent_is_refused_when_it_comes_back(two: TwoMachines) -> None:
    """Nobody can know of it; the log then has one body for each number, and the other is parked."""
    two.rig.cut(up=False)
    two.old.work(30)
    two.pass_time()
    old_ledger = two.folder.with_name("old-later")
    two.old.ledger.snapshot(old_ledger)
    two.rig.cut(up=True)
    two.catch_up()
    two.move()
    two.rig.recorder.start()
    two.rig.work(30)
    two.rig.recorder.stop()
    assert two.rig.uplink.drain(100)
    two.rig.path = old_ledger
    two.rig.kill()
    assert not two.rig.uplink.drain(100) or two.rig.ledger.counts(two.rig.engagement.id).parked
    assert {len(bodies) for bodies in two.logged().values()} == {1}


def test_a_verifier_that_does_not_answer_changes_nothing(two: TwoMachines) -> None:
    two.rig.wire.fault = lambda _: Fault(answer=problem(503, "unavailable"))
    before = two.bodies(two.ledger)
    with pytest.raises(UnreachableError):
        two.catch_up()
    assert two.ledger.is_restored(two.rig.engagement.id)
    assert two.bodies(two.ledger) == before


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        pytest.param(lambda rows: [*rows[:-2], rows[-1]], UnreachableError, id="one left out"),
        pytest.param(lambda _: [], UnreachableError, id="nothing listed"),
        pytest.param(lambda rows: rows[:4], UnreachableError, id="less than was receipted"),
        pytest.param(
            lambda rows: [*rows[:-1], (rows[-1][0], rows[-1][1][:-1] + b"x")],
            UnreachableError,
            id="a signature of somebody else",
        ),
        pytest.param(lambda rows: [*rows, (99, b"x")], UnreachableError, id="no statement"),
    ],
)
def test_a_verifier_that_lies_changes_nothing(
    two: TwoMachines,
    monkeypatch: pytest.MonkeyPatch,
    lie: Callable[[list[tuple[int, bytes]]], list[tuple[int, bytes]]],
    error: type[Exception],
) -> None:
    two.old.work(40)
    two.pass_time()
    size = two.rig.simulator.checkpoint().checkpoint.size
    rows = list(two.rig.client.statements(two.rig.engagement.id, size=size))
    monkeypatch.setattr(two.rig.client, "statements", lambda _, **_page: lie(rows))
    before = two.bodies(two.ledger)
    with pytest.raises(error):
        two.catch_up()
    assert two.ledger.is_restored(two.rig.engagement.id)
    assert two.bodies(two.ledger) == before


def test_a_list_that_got_shorter_while_it_listened_changes_nothing(
    two: TwoMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.old.work(40)
    two.pass_time()
    size = two.rig.simulator.checkpoint().checkpoint.size
    rows = list(two.rig.client.statements(two.rig.engagement.id, size=size))

    def shorten(_seconds: float) -> None:
        monkeypatch.setattr(two.rig.client, "statements", lambda _, **_page: rows[:-2])

    before = two.bodies(two.ledger)
    with pytest.raises(UnreachableError, match="lists less of this chain"):
        two.catch_up(shorten)
    assert two.bodies(two.ledger) == before


def test_a_chain_of_many_pages_is_taken_over_whole(
    two: TwoMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.old.work(60)
    two.rig.uplink.drain(100)
    two.pass_time()
    for module in (client, listing):
        monkeypatch.setattr(module, "PAGE", 3)
    asked = len(two.rig.wire.requests)
    two.catch_up()
    assert two.bodies(two.ledger) == two.bodies(two.old.ledger)
    assert len(two.rig.wire.requests) - asked > 8


def test_each_checkpoint_that_witnesses_saw_is_fetched_once(two: TwoMachines) -> None:
    fetched, wanted = two.fetched()
    assert sorted(fetched) == sorted(wanted)


def test_without_witnesses_only_what_a_bundle_keeps_is_fetched(tmp_path: Path) -> None:
    two = TwoMachines(tmp_path, witnesses=0)
    fetched, wanted = two.fetched()
    assert len(fetched) == len(set(fetched)) < len(wanted) - 3
    assert set(fetched) < wanted
    bundles = []
    for ledger in (two.old.ledger, two.ledger):
        two.rig.uplink.drain(100)
        made = export(
            ledger, two.rig.client, two.rig.engagement, two.rig.signer,
            now_ms=two.rig.clock.wall_ms(), openings=[ValueKind.NOTES],
        )  # fmt: skip
        assert made.report.holds, made.report.first_problem
        bundles.append((made.checkpoints, made.report.totals))
    assert bundles[0] == bundles[1]


def test_a_checkpoint_that_the_verifier_has_no_more_is_left_out(
    two: TwoMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.old.work(40)
    two.pass_time()
    known = len(two.ledger.checkpoints(two.rig.engagement.id))

    def gone(request: httpx.Request) -> Fault | None:
        return Fault(answer=problem(404, "unknown")) if "checkpoints/" in str(request.url) else None

    real = two.rig.simulator.checkpoint().checkpoint
    forged = sign_checkpoint(real, builders.FREELANCER).encode()
    for lie in (b"of nobody's log", forged):
        with monkeypatch.context() as patch:
            patch.setattr(two.rig.client, "checkpoint_at", lambda _, lie=lie: lie)
            with pytest.raises(UnreachableError, match="not from the agreed log"):
                two.catch_up()
    two.rig.wire.fault = gone
    assert two.catch_up().statements > 0
    assert len(two.ledger.checkpoints(two.rig.engagement.id)) == known


def test_a_commit_that_fails_takes_over_nothing(
    two: TwoMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    two.old.work(40)
    two.pass_time()
    before = two.bodies(two.ledger)
    with monkeypatch.context() as patch:
        patch.setattr(two.ledger, "_commit", fail)
        with pytest.raises(LedgerError):
            two.catch_up()
    assert two.bodies(two.ledger) == before
    assert two.catch_up().statements > 0


def test_filings_that_are_logged_hold_frames_of_the_restored_copy(two: TwoMachines) -> None:
    rig = two.rig
    rig.recorder.stop()
    rig.uplink.drain(100)
    kept = two.ledger.captures(rig.engagement.id)
    begin, end = kept[0].captured_ms, kept[-1].captured_ms + 1
    filing = builders.make_filing(engagement=rig.engagement.id, begin=begin, end=end)
    rig.simulator.admit([sign(filing, rig.simulator.people.client)])
    assert kept_frames(two.ledger, rig.engagement, None).disputed == ()
    two.pass_time()
    two.catch_up()
    assert set(kept_frames(two.ledger, rig.engagement, None).disputed) >= set(kept)
