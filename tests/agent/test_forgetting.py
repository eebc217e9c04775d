import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.bridge import Bridge, bridged
from support.builders import make_filing
from support.rig import Rig
from support.worker import PATIENCE_S, Worker, ended
from workseal_agent.connection import UnreachableError
from workseal_agent.daemon import forgetting
from workseal_agent.daemon.forgetting import Forgetting
from workseal_agent.daemon.unread import UnreadCases
from workseal_agent.errors import VaultError
from workseal_agent.evidence import withdraw
from workseal_agent.export import export
from workseal_agent.ledger import CaptureRow, CaseRow, LedgerError
from workseal_agent.retention import DAY_MS
from workseal_protocol.digest import Digest
from workseal_protocol.records import Tombstone, WithdrawalReason, sign
from workseal_protocol.statement import Statement


class Old:
    """Hold a recording of five frames, and what withdraws them when their day comes."""

    def __init__(self, folder: Path, days: float) -> None:
        self.rig = Rig(folder, capture_rate=65_536, retention_days=30)
        self.rig.recorder.start()
        self.rig.work(50)
        self.rig.recorder.pause()
        self.worked = self.rig.worked_ms
        self.rig.clock.suspend(days * 86_400)
        self.rig.simulator.now = self.rig.clock.true_ms
        self.proven: int | None = self.rig.clock.true_ms
        self.running = frozenset[Digest]()
        self.unreachable = False
        self.asked = 0
        self.forgetting = Forgetting(
            self.rig.engagement,
            self.rig.chain,
            self.rig.ledger,
            self.rig.vault,
            self.rig.clock,
            self.rig.recorder,
            unread=UnreadCases(self.rig.engagement, self.rig.ledger, self.rig.clock, self._answer),
            proven_ms=lambda: self.proven,
            on_statement=lambda: None,
        )

    def _answer(self) -> frozenset[Digest]:
        self.asked += 1
        if self.unreachable:
            raise UnreachableError("nobody answers")
        return self.running

    def looks(self, count: int = 1) -> list[float]:
        """Look so many times, as the loop does; returns what it waits for each time."""
        waits: list[float] = []

        class Stop(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                waits.append(timeout or 0)
                return len(waits) > count

        self.forgetting.run(Stop())
        return waits[1:]

    def tombstones(self) -> list[Tombstone]:
        return [one for one in self.rig.records() if isinstance(one, Tombstone)]


@pytest.fixture
def old(tmp_path: Path) -> Old:
    return Old(tmp_path, 31)


def test_frames_whose_days_are_over_are_withdrawn_one_at_a_time(old: Old) -> None:
    for left in (4, 3, 2, 1, 0):
        wait = old.forgetting.step()
        assert len(old.rig.vault.frames) == left
        assert wait == (1 if left else 3_600)
    assert {one.reason for one in old.tombstones()} == {WithdrawalReason.RETENTION}
    assert old.forgetting.step() == 3_600
    assert len(old.tombstones()) == 5
    assert old.rig.worked_ms == old.worked
    # Chained and sent like every other statement.
    old.rig.recorder.stop()
    assert old.rig.uplink.drain(100)


@pytest.mark.parametrize(
    ("proven_days", "wall_days"),
    [
        pytest.param(None, 31, id="offline: nobody says what time it is"),
        pytest.param(-2, 31, id="a clock that was set ahead"),
        pytest.param(31, -2, id="a clock that was set back"),
    ],
)
def test_a_clock_alone_destroys_nothing(old: Old, proven_days: int | None, wall_days: int) -> None:
    now = old.rig.clock.true_ms
    if proven_days is None:
        old.proven = None
    elif proven_days < 0:
        old.proven = now + proven_days * DAY_MS
    if wall_days < 0:
        old.rig.clock.offset_ms = wall_days * DAY_MS
    assert old.forgetting.step() == 3_600
    assert len(old.rig.vault.frames) == 5


def test_nothing_is_withdrawn_before_its_day(tmp_path: Path) -> None:
    early = Old(tmp_path, 29)
    assert early.forgetting.step() == 3_600
    assert len(early.rig.vault.frames) == 5


def test_frames_of_the_hours_of_a_case_stay_until_it_is_seen_to_have_ended(tmp_path: Path) -> None:
    """Filed on day 29 of 30 over what was worked; the frames' days are over on day 31."""
    old = Old(tmp_path, 29)
    rig, rows = old.rig, old.rig.ledger.captures(old.rig.engagement.id)
    # What the client filed is noted when it is read, what this agent filed is in its ledger.
    begin = rows[1].round * rig.engagement.terms.round_ms
    case = CaseRow(Digest.of(b"case"), begin, begin + 1, ended=False)
    with rig.ledger.write() as writing:
        writing.note_case(rig.engagement.id, case)
        writing.add_statement(rig.engagement.id, filing_of(rig, rows[3], rows[4]))
    rig.clock.suspend(2 * 86_400)
    old.proven = rig.simulator.now = rig.clock.true_ms
    while old.forgetting.step() < 3_600:
        pass
    held = {rows[place].commitment for place in (1, 3, 4)}
    assert set(rig.vault.frames) == held
    # Its owner may withdraw one all the same.
    withdraw(
        rig.chain, rig.ledger, rig.vault, rows[3], WithdrawalReason.OTHER,
        now_ms=rig.clock.wall_ms(),
    )  # fmt: skip
    assert set(rig.vault.frames) == held - {rows[3].commitment}
    with rig.ledger.write() as writing:
        writing.note_case(rig.engagement.id, replace(case, ended=True))
    assert old.forgetting.step() == 3_600
    assert set(rig.vault.frames) == {rows[4].commitment}


def test_while_a_case_runs_that_was_not_read_nothing_is_destroyed(old: Old) -> None:
    rig, rows = old.rig, old.rig.ledger.captures(old.rig.engagement.id)
    old.running = frozenset({Digest.of(b"case")})
    told = (
        "old frames are not withdrawn: a case runs that you have not read: `workseal-agent case"
        " list`"
    )
    assert old.looks(3) == [300] * 3
    assert (old.forgetting.trouble, old.forgetting.unread) == (told, True)
    assert old.tombstones() == []
    # Read since: its hours hold their frames, and the others go.
    begin = rows[1].round * rig.engagement.terms.round_ms
    with rig.ledger.write() as writing:
        writing.note_case(
            rig.engagement.id, CaseRow(Digest.of(b"case"), begin, begin + 1, ended=False)
        )
    assert old.looks(4) == [1, 1, 1, 3_600]
    assert (old.forgetting.trouble, old.forgetting.unread) == (None, False)
    assert set(rig.vault.frames) == {rows[1].commitment}
    assert old.asked == 1


def test_while_nobody_says_whether_a_case_runs_nothing_is_destroyed(old: Old) -> None:
    old.unreachable = True
    assert old.looks(2) == [1_800] * 2
    assert (old.forgetting.trouble, old.forgetting.unread) == (None, False)
    # An hour is told, and a year changes nothing: a person can.
    old.rig.clock.run(3_600)
    for _ in range(2):
        assert old.looks() == [1_800]
        assert old.forgetting.trouble == (
            "old frames are not withdrawn: whether a case runs is not known: nobody answers"
        )
        old.rig.clock.run(365 * 86_400)
        old.proven = old.rig.clock.true_ms
    assert old.tombstones() == []
    old.unreachable = False
    assert old.looks() == [1]
    assert (old.forgetting.trouble, len(old.tombstones())) == (None, 1)


def test_the_verifier_is_asked_only_before_frames_would_be_destroyed(tmp_path: Path) -> None:
    early = Old(tmp_path, 29)
    early.looks(3)
    assert early.asked == 0
    early.rig.clock.suspend(2 * 86_400)
    early.looks(3)
    # Offline, nobody says that the days are over.
    early.proven = early.rig.clock.true_ms
    early.looks(5)
    assert (early.asked, len(early.tombstones())) == (1, 5)


def filing_of(rig: Rig, first: CaptureRow, last: CaptureRow) -> Statement:
    begin, end = (one * rig.engagement.terms.round_ms for one in (first.round, last.round + 1))
    record = make_filing(
        engagement=rig.engagement.id, claimed_at=rig.clock.wall_ms(), begin=begin, end=end
    )  # fmt: skip
    return sign(record, rig.signer)


def test_it_waits_for_a_quiet_moment(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old.rig.recorder, "quiet_seconds", lambda: 0.9)
    assert old.forgetting.step() == 1
    assert old.tombstones() == []
    monkeypatch.setattr(old.rig.recorder, "quiet_seconds", lambda: 1.0)
    assert old.forgetting.step() == 1
    assert len(old.tombstones()) == 1


def test_a_frame_that_could_not_be_destroyed_is_destroyed_later(
    old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Digest) -> bool:
        raise VaultError("the object cannot be destroyed: Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(old.rig.vault, "destroy", fail)
        with pytest.raises(VaultError):
            old.forgetting.step()
        with pytest.raises(VaultError):
            old.forgetting.step()
    assert len(old.tombstones()) == 1
    old.forgetting.step()
    assert len(old.tombstones()) == 2
    assert len(old.rig.vault.frames) == 3


def test_what_fails_is_told_and_tried_again(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "_FIRST_SECONDS", 0)
    monkeypatch.setattr(forgetting, "_TROUBLED_SECONDS", 0)
    stop, failed = threading.Event(), []

    def fail() -> float:
        failed.append(old.forgetting.trouble)
        if len(failed) < 3:
            raise LedgerError("the ledger cannot be written: disk full")
        stop.set()
        return 0

    monkeypatch.setattr(old.forgetting, "step", fail)
    old.forgetting.run(stop)
    told = "old frames are not withdrawn: the ledger cannot be written: disk full"
    assert failed == [None, told, told]
    assert old.forgetting.trouble is None


def test_the_recorder_tells_for_how_long_nothing_is_due(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    waits = []
    for _ in range(40):
        waits.append(rig.recorder.quiet_seconds())
        rig.work(0.5)
    assert min(waits) < 1 < max(waits) <= 10
    rig.recorder.pause()
    assert rig.recorder.quiet_seconds() == 1


# A real process, in which days last no time.

PATCH = """
from workseal_agent import retention
from workseal_agent.daemon import forgetting, unread
retention.DAY_MS = unread._HOUR_NS = 0
forgetting._TROUBLED_SECONDS = forgetting._UNTOLD_SECONDS = 0.2
forgetting._FIRST_SECONDS = forgetting._LOOK_SECONDS = forgetting._NEXT_SECONDS = 0.2
"""


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with bridged() as bridge:
        yield bridge
    ended()


def withdrawn_of(worker: Worker) -> int:
    with worker.ledger() as ledger:
        return sum(row.withdrawn for row in ledger.captures(worker.engagement.id))


def test_a_recording_process_withdraws_by_itself_while_it_records(
    tmp_path: Path, bridge: Bridge
) -> None:
    worker = Worker(tmp_path / "home", bridge, capture_rate=65_536)
    bridge.wire.listed(worker.engagement.id, Digest.of(b"the client's filing"))
    process = worker.start(PATCH)
    worker.wait(process)
    deadline = time.monotonic() + 20
    told: list[str] = []
    while not told and time.monotonic() < deadline:
        time.sleep(0.2)
        told = worker.ask("status")["troubles"]
    assert any("a case runs that you have not read" in one for one in told)
    assert withdrawn_of(worker) == 0
    bridge.wire.cases.clear()
    deadline = time.monotonic() + 20
    withdrawn = 0
    while withdrawn < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
        withdrawn = withdrawn_of(worker)
    assert worker.ask("stop")["troubles"] == []
    assert process.wait(PATIENCE_S) == 0
    with worker.ledger() as ledger:
        rows = ledger.captures(worker.engagement.id)
        assert ledger.undestroyed() == ()
        made = export(
            ledger, worker.client, worker.engagement, worker.signer,
            now_ms=time.time_ns() // 1_000_000, openings=[],
        )  # fmt: skip
    assert withdrawn >= 2
    assert made.report.holds, made.report.first_problem
    assert made.unsent == 0
    assert made.report.totals is not None
    assert made.report.totals.worked_ms > 0
    assert len(list((worker.home / "vault").iterdir())) == sum(not row.withdrawn for row in rows)
