import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.rig import NS, MemoryVault, PaintedScreen, Rig
from workseal_agent.chain import OwnChain, OwnChainError
from workseal_agent.errors import AgentError, CaptureError, CaptureFailure, VaultFullError
from workseal_agent.evidence import LateWork, declare_late, withdraw
from workseal_agent.export import export
from workseal_agent.ledger import Ledger, LedgerError, LedgerKey, Memo
from workseal_agent.mask import Masked
from workseal_agent.recorder import Recorder, RecorderState, SessionBook, Shot
from workseal_agent.recorder.session import Draft
from workseal_agent.recorder.stretch import Stretch
from workseal_agent.submission import newest_checkpoint
from workseal_protocol.chain import owed_instant
from workseal_protocol.commitment import ActivityRecord, Note, NoteCode, ValueKind, parse_notes
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    Anchor,
    Capture,
    Declaration,
    DeclarationForm,
    Segment,
    SegmentState,
    SessionClose,
    SessionOpen,
    WithdrawalReason,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Level
from workseal_protocol.verify import Report
from workseal_protocol.window import Grade

ROUND_MS = 10_000


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def opened(rig: Rig, kind: ValueKind) -> list[tuple[Segment, bytes]]:
    """Return each segment with the value that it committed to."""
    found = []
    for row in rig.ledger.chain(rig.engagement.id):
        record = read_record(Statement.parse(row.body))
        if isinstance(record, Segment):
            values = {value.kind: value.value for value in rig.ledger.private_values(row.digest)}
            if kind in values:
                found.append((record, values[kind]))
    return found


def notes(rig: Rig) -> list[Note]:
    return [note for _, value in opened(rig, ValueKind.NOTES) for note in parse_notes(value)]


def noted(rig: Rig, code: NoteCode) -> list[int]:
    return [note.value for note in notes(rig) if note.code is code]


def finish(rig: Rig) -> Report:
    """Stop, send everything, and let the protocol judge the whole chain."""
    rig.recorder.stop()
    rig.cut(up=True)
    assert rig.uplink.drain(1000), rig.uplink.trouble
    exported = export(rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=rig.clock.true_ms)
    return exported.report


# Time


def test_a_working_day_is_recorded_to_the_millisecond(tmp_path: Path) -> None:
    rig = Rig(tmp_path, round_ms=30_000, capture_rate=1_000)
    rig.recorder.start()
    rig.work(4 * 3600 + 12.345)
    rig.recorder.pause()
    rig.clock.run(1800)
    rig.recorder.resume()
    rig.work(3 * 3600 + 0.655)
    report = finish(rig)
    assert rig.worked_ms == 7 * 3_600_000 + 13_000
    assert report.holds
    assert report.totals is not None
    assert sum(report.totals.by_state.values()) == rig.worked_ms


def test_a_pause_takes_effect_at_its_moment(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(13.2)
    rig.recorder.pause()
    assert rig.recorder.state is RecorderState.PAUSED
    rig.work(500)
    assert rig.worked_ms == 13_200
    rig.recorder.resume()
    rig.work(0.8)
    rig.recorder.stop()
    assert rig.worked_ms == 14_000


def test_nothing_is_captured_or_counted_while_paused(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(25)
    rig.recorder.pause()
    looks = next(rig.screen.looks)
    rig.sensor.keys = 500
    rig.work(300)
    assert next(rig.screen.looks) == looks + 1
    rig.recorder.resume()
    rig.work(20)
    rig.recorder.stop()
    records = [ActivityRecord.parse(value) for _, value in opened(rig, ValueKind.ACTIVITY)]
    assert {record.keys for record in records} == {0}


def test_suspend_is_left_out_and_noted(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(25)
    rig.clock.suspend(8 * 3600)
    rig.simulator.now = rig.clock.true_ms
    rig.work(15)
    report = finish(rig)
    assert report.holds, report.first_problem
    assert rig.worked_ms == 40_000
    (length,) = noted(rig, NoteCode.SUSPEND)
    assert abs(length - 8 * 3_600_000) < 2_000
    assert all(segment.worked <= segment.end - segment.begin for segment in rig.segments())


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000, 94_608_000_000, 2_500])
def test_a_step_of_the_wall_clock_changes_nothing_but_a_note(tmp_path: Path, step_ms: int) -> None:
    rig = Rig(tmp_path)
    rig.recorder.start()
    rig.work(25)
    rig.clock.offset_ms = step_ms
    rig.work(25)
    report = finish(rig)
    assert report.holds, report.first_problem
    assert rig.worked_ms == 50_000
    assert noted(rig, NoteCode.CLOCK_STEP) == [step_ms]
    ends = [(segment.begin, segment.end) for segment in rig.segments()]
    assert all(end <= begin for (_, end), (begin, _) in pairwise(ends))
    assert ends[-1][1] - ends[0][0] == 50_000


def test_a_process_that_stood_still_claims_no_time(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(25)
    rig.clock.run(600)
    rig.simulator.now = rig.clock.true_ms
    rig.work(15)
    assert finish(rig).holds
    assert rig.worked_ms == 40_000
    (length,) = noted(rig, NoteCode.CRASH_GAP)
    assert abs(length - 600_000) < 2_000


def test_a_long_capture_is_time_worked(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    take = rig.screen.take

    def take_long() -> Masked:
        rig.clock.run(20)
        return take()

    rig.screen.take = take_long  # type: ignore[method-assign]
    rig.recorder = rig.build()
    rig.recorder.start()
    rig.work(60)
    rig.recorder.stop()
    assert noted(rig, NoteCode.CRASH_GAP) == []
    spans = [(segment.begin, segment.end) for segment in rig.segments()]
    assert rig.worked_ms == spans[-1][1] - spans[0][0] >= 60_000


def test_a_clock_set_back_before_the_start_records_no_moment_twice(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(35)
    rig.recorder.stop()
    last = rig.segments()[-1].end
    rig.clock.offset_ms = -7_200_000
    rig.recorder.start()
    rig.work(15)
    rig.recorder.stop()
    assert rig.segments()[-1].begin >= last
    assert len(noted(rig, NoteCode.CLOCK_STEP)) == 1
    assert rig.worked_ms == 50_000


def test_a_wrong_clock_is_corrected_by_the_verifiers(rig: Rig) -> None:
    rig.clock.offset_ms = 3_600_000
    rig.recorder.start(correction_ms=-3_600_000)
    rig.work(25)
    assert finish(rig).holds
    assert rig.segments()[0].begin == rig.clock.true_ms - 25_000


def test_a_segment_signed_late_names_no_checkpoint_younger_than_itself(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(25, send=False)
    known = newest_checkpoint(rig.ledger, rig.engagement.id)
    assert known is not None
    rig.clock.run(600)
    rig.simulator.now = rig.clock.true_ms
    rig.uplink.drain(10)
    newer = newest_checkpoint(rig.ledger, rig.engagement.id)
    assert newer is not None
    assert newer.size > known.size
    rig.work(15)
    assert [segment.anchor.size for segment in rig.segments()[:3]] == [known.size] * 3
    assert rig.segments()[3].anchor.size >= newer.size
    assert finish(rig).holds


def test_the_next_session_opens_by_itself_when_the_rounds_are_used_up(tmp_path: Path) -> None:
    rig = Rig(tmp_path, round_ms=600_000, capture_rate=0)
    rig.recorder.start()
    rig.work(86_400 + 3_600, send=False)
    report = finish(rig)
    assert report.holds, report.first_problem
    opens = [record for record in rig.records() if isinstance(record, SessionOpen)]
    assert len(opens) == 2
    assert rig.worked_ms == 90_000_000


# Captures


def test_captures_are_exactly_those_drawn(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(600)
    rig.recorder.stop()
    segments = rig.segments()
    for segment in segments:
        instant = owed_instant(rig.engagement.terms, rig.engagement.id, segment)
        owed = instant is not None and segment.begin <= instant < segment.end
        assert (segment.capture is Capture.CAPTURED) == owed
    assert 0 < sum(segment.capture is Capture.CAPTURED for segment in segments) < len(segments)
    headers = {frame.header.round: frame.header.offset_ms for frame in rig.vault.frames.values()}
    for segment in segments:
        if segment.frames:
            instant = owed_instant(rig.engagement.terms, rig.engagement.id, segment)
            assert instant == segment.round * ROUND_MS + headers[segment.round]


def test_the_schedule_knows_neither_screen_nor_input(tmp_path: Path) -> None:
    def schedule(name: str, change: Callable[[Rig], None]) -> list[tuple[int, Capture]]:
        folder = tmp_path / name
        folder.mkdir()
        rig = Rig(folder)
        rig.recorder.start()
        for _ in range(30):
            change(rig)
            rig.work(10)
        rig.recorder.stop()
        return [(segment.round, segment.capture) for segment in rig.segments()]

    def busy(rig: Rig) -> None:
        rig.sensor.keys = 10_000
        rig.screen.width = 32 if rig.screen.width == 64 else 64
        rig.screen.masked += 1

    assert schedule("calm", lambda _rig: None) == schedule("busy", busy)


@pytest.mark.parametrize(
    ("error", "value"),
    [(CaptureError(failure, "no"), int(failure)) for failure in CaptureFailure],
)
def test_a_capture_that_fails_is_owned_up_and_costs_no_time(
    tmp_path: Path, error: CaptureError, value: int
) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.screen.error = error
    rig.recorder.start()
    rig.work(30)
    assert finish(rig).holds
    assert rig.worked_ms == 30_000
    assert {segment.capture for segment in rig.segments()} == {Capture.MISSED}
    assert set(noted(rig, NoteCode.CAPTURE_FAILED)) == {value}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_full_vault_costs_the_picture_and_no_time(tmp_path: Path, when: str) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)

    def fail(now: str) -> None:
        if now == when:
            raise VaultFullError("there is no room in the vault")

    rig.vault.fault = fail
    rig.recorder.start()
    rig.work(30)
    assert rig.vault.frames == {}
    assert rig.ledger.orphans() == ()
    rig.vault.fault = MemoryVault().fault
    rig.work(30)
    assert finish(rig).holds
    assert rig.worked_ms == 60_000
    assert {frame for segment in rig.segments() for frame in segment.frames} == set(
        rig.vault.frames
    )
    assert rig.vault.frames


def test_a_frame_taken_in_the_millisecond_of_a_pause_belongs_to_the_stretch() -> None:
    stretch = Stretch(
        round=5,
        state=SegmentState.WORKING,
        anchor=Anchor(Digest(bytes(32)), 1),
        begin_ns=50_000_000_000,
        cursor_ns=50_000_000_000,
        value_deadline_ns=0,
        shot=Shot((Digest(bytes(32)),), ()),
    )
    at_ns = 53_000_000_000
    stretch.work_until(at_ns, 0)
    finished = stretch.finish(at_ns, 0, at_ns)
    assert finished is not None
    assert (finished.end_ms, finished.worked_ms) == (53_001, 3_000)
    assert finished.shot is stretch.shot
    without = replace(stretch, shot=None).finish(at_ns, 0, at_ns)
    assert without is not None
    assert (without.end_ms, without.shot) == (53_000, None)


def test_masked_windows_and_a_changed_display_are_noted(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.screen.masked = 2
    rig.recorder.start()
    rig.work(20)
    rig.screen.masked = 0
    rig.screen.width = 96
    rig.work(20)
    rig.recorder.stop()
    assert noted(rig, NoteCode.MASKED) == [2, 2]
    assert noted(rig, NoteCode.DISPLAY_CHANGE) == [1]


def test_activity_says_how_much_of_the_screen_changed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(20)
    rig.recorder.stop()
    values = [ActivityRecord.parse(value) for _, value in opened(rig, ValueKind.ACTIVITY)]
    assert [value.changed_percent for value in values] == [None, 100]
    assert [value.observed_ms for value in values] == [10_000, 10_000]


def test_no_frame_stays_that_a_crash_kept_out_of_the_chain(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(9.9)
    assert len(rig.vault.frames) == 1
    assert rig.segments() == []
    rig.kill()
    rig.recorder.start()
    assert rig.vault.frames == {}
    assert rig.ledger.orphans() == ()


# Levels and modes


@pytest.mark.parametrize("level", list(Level))
def test_each_level_records_what_the_terms_say_and_no_more(tmp_path: Path, level: Level) -> None:
    rate = 65_536 if level is Level.FRAMES else 0
    rig = Rig(tmp_path, level=level, capture_rate=rate)
    rig.recorder.start()
    rig.work(30)
    assert finish(rig).holds
    for segment in rig.segments():
        assert (segment.activity is not None) == (level >= Level.ACTIVITY)
        assert bool(segment.frames) == (level is Level.FRAMES)
    assert bool(rig.vault.frames) == (level is Level.FRAMES)


def test_sealed_work_has_time_and_nothing_else(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.recorder.set_mode(SegmentState.SEALED)
    rig.sensor.keys = 100
    rig.work(30)
    assert rig.recorder.state is RecorderState.SEALED
    report = finish(rig)
    assert report.holds
    assert rig.worked_ms == 30_000
    assert rig.vault.frames == {}
    assert all(segment.activity is None for segment in rig.segments())
    assert opened(rig, ValueKind.ACTIVITY) == []


def test_a_correction_that_goes_behind_what_was_told_is_not_followed(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.recorder.start()
    rig.work(40)
    rig.recorder.stop()
    told = rig.segments()[-1].end
    rig.clock.run(60)
    # The verifier's clock stands still for a while, and this machine's is right.
    rig.recorder.start(-3_600_000)
    rig.work(20)
    assert rig.segments()[-1].begin >= told + 60_000
    assert finish(rig).holds


def test_a_session_that_ran_a_little_ahead_speaks_against_no_correction(tmp_path: Path) -> None:
    """It ends a moment after the verifier's present, and then the machine's clock jumps ahead."""
    rig = Rig(tmp_path)
    rig.clock.offset_ms = 1_500
    rig.recorder.start()
    rig.work(40)
    rig.recorder.stop()
    before = rig.segments()
    rig.clock.offset_ms = 3_600_000
    rig.recorder.start(-3_600_000)
    rig.work(20)
    assert rig.segments()[len(before)].begin == before[-1].end
    report = finish(rig)
    assert report.holds
    assert report.totals is not None
    assert report.totals.by_grade[Grade.ONLINE] == 60_000


def test_one_act_seals_and_the_same_goes_on_with_the_screen(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.recorder.start()
    for before, after in ((SegmentState.WORKING, "sealed"), (SegmentState.OFF_SCREEN, "sealed")):
        rig.recorder.set_mode(before)
        rig.work(7)
        rig.recorder.toggle_sealed()
        assert rig.recorder.state == after
        rig.work(7)
        rig.recorder.toggle_sealed()
        assert rig.recorder.state is RecorderState.WORKING
        rig.work(7)
    assert finish(rig).holds
    worked = dict.fromkeys(SegmentState, 0)
    for segment in rig.segments():
        worked[segment.state] += segment.worked
    assert worked == {
        SegmentState.WORKING: 21_000,
        SegmentState.OFF_SCREEN: 7_000,
        SegmentState.SEALED: 14_000,
    }


def test_off_screen_work_is_declared_with_its_memo(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(12)
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "sketching on paper")
    rig.work(31)
    rig.recorder.set_mode(SegmentState.WORKING)
    rig.work(12)
    report = finish(rig)
    assert report.holds, report.first_problem
    (declared,) = [record for record in rig.records() if isinstance(record, Declaration)]
    assert declared.form is DeclarationForm.LIVE
    assert declared.worked == 31_000
    assert rig.worked_ms == 55_000
    assert not any(
        segment.frames for segment in rig.segments() if segment.state is SegmentState.OFF_SCREEN
    )
    (row,) = [row for row in rig.ledger.chain(rig.engagement.id) if row.kind == "declaration"]
    (value,) = rig.ledger.private_values(row.digest)
    assert value.value == b"sketching on paper"
    assert rig.ledger.memo(rig.engagement.id) is None


def test_a_memo_survives_a_crash(rig: Rig) -> None:
    rig.recorder.start()
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "a call with the client")
    rig.work(35)
    rig.kill()
    rig.clock.run(60)
    rig.recorder.start()
    rig.work(15)
    report = finish(rig)
    assert report.holds, report.first_problem
    (declared,) = [record for record in rig.records() if isinstance(record, Declaration)]
    assert declared.worked == 30_000


def test_two_memos_make_two_declarations(rig: Rig) -> None:
    rig.recorder.start()
    for memo in ("first", "second"):
        rig.recorder.set_mode(SegmentState.OFF_SCREEN, memo)
        rig.work(15)
    assert finish(rig).holds
    worked = [record.worked for record in rig.records() if isinstance(record, Declaration)]
    assert worked == [15_000, 15_000]


def test_a_memo_for_no_time_at_all_is_dropped(rig: Rig) -> None:
    rig.recorder.start()
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "changed my mind")
    rig.recorder.set_mode(SegmentState.WORKING)
    rig.work(15)
    assert finish(rig).holds
    assert not any(isinstance(record, Declaration) for record in rig.records())
    assert rig.ledger.memo(rig.engagement.id) is None


def test_nothing_is_done_when_nothing_is_recorded(rig: Rig) -> None:
    assert rig.recorder.state is RecorderState.STOPPED
    for act in (rig.recorder.pause, rig.recorder.resume):
        with pytest.raises(AgentError, match="nothing is being recorded"):
            act()
    rig.recorder.stop()
    assert rig.recorder.tick() > 0
    assert rig.records() == []


# Network


def test_recording_goes_on_offline_and_says_so(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(30)
    rig.cut(up=False)
    rig.work(60)
    rig.cut(up=True)
    rig.work(30)
    report = finish(rig)
    assert report.holds, report.first_problem
    assert rig.worked_ms == 120_000
    offline = [segment for segment in rig.segments() if segment.verifier_value is None]
    # The value of the round in which the network was cut was here already.
    assert sum(segment.worked for segment in offline) == 50_000
    assert len(noted(rig, NoteCode.OFFLINE)) == len(offline)


def test_a_value_that_comes_late_does_not_change_the_stretch(rig: Rig) -> None:
    rig.recorder.start()
    rig.beacon.up = False
    rig.work(5)
    rig.beacon.up = True
    rig.work(5)
    rig.recorder.stop()
    assert [segment.verifier_value is None for segment in rig.segments()] == [True]


# Crashes and failing writes


def test_a_killed_process_loses_at_most_the_round_that_ran(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(47)
    before = rig.worked_ms
    rig.kill()
    rig.clock.run(100)
    rig.simulator.now = rig.clock.true_ms
    rig.recorder.start()
    rig.work(20)
    report = finish(rig)
    assert report.holds, report.first_problem
    assert before == 40_000
    assert rig.worked_ms == 60_000
    kinds = [type(record) for record in rig.records()]
    assert kinds.count(SessionOpen) == kinds.count(SessionClose) == 2
    (gap,) = noted(rig, NoteCode.CRASH_GAP)
    assert abs(gap - 107_000) < 1_000


def test_a_reboot_is_a_crash_whose_clocks_begin_anew(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(47)
    rig.clock.reboot(300)
    rig.kill()
    rig.recorder.start()
    rig.simulator.now = rig.clock.true_ms
    rig.work(20)
    assert finish(rig).holds
    assert rig.worked_ms == 60_000


class FlakyLedger(Ledger):
    """Fail the commit with this number, with the row lost or kept."""

    fail_at = -1
    kept = False
    commits = 0

    def _commit(self) -> None:
        FlakyLedger.commits += 1
        if FlakyLedger.commits != FlakyLedger.fail_at:
            super()._commit()
            return
        if FlakyLedger.kept:
            super()._commit()
        raise LedgerError("the disk said no")


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
def test_no_write_that_fails_once_costs_a_second(tmp_path: Path, *, kept: bool) -> None:
    FlakyLedger.kept = kept
    for number in count(1):
        folder = tmp_path / str(number)
        folder.mkdir()
        if not _fails_at(Rig(folder, capture_rate=65_536), number):
            break
    assert number > 15


def _fails_at(rig: Rig, number: int) -> bool:
    """Live through a failing write; False when there are not so many writes."""
    rig.ledger = FlakyLedger(rig.path, LedgerKey(rig.signer))
    rig.recorder, rig.uplink = rig.build(), rig.build_uplink()
    FlakyLedger.commits, FlakyLedger.fail_at = 0, number
    _insist(rig.recorder.start)
    began_ms = rig.clock.true_ms
    _insist(partial(rig.work, 25))
    _insist(partial(rig.recorder.set_mode, SegmentState.OFF_SCREEN, "memo"))
    _insist(partial(rig.work, 15))
    _insist(rig.recorder.stop)
    passed_ms = rig.clock.true_ms - began_ms
    failed = FlakyLedger.commits >= number
    FlakyLedger.fail_at = -1
    report = finish(rig)
    assert report.holds, (number, report.first_problem)
    assert passed_ms >= 40_000
    assert abs(rig.worked_ms - passed_ms) <= 5, number
    # A row that was kept after all is not told as lost: only a start that failed leaves a gap.
    _, *later = [parse_notes(value) for _, value in opened(rig, ValueKind.NOTES)]
    assert not any(note.code is NoteCode.CRASH_GAP for told in later for note in told)
    seqs = [row.seq for row in rig.ledger.chain(rig.engagement.id)]
    assert seqs == list(range(len(seqs)))
    return failed


def _insist(act: Callable[[], Any]) -> None:
    """Do it, and once more when it fails: what a person and the loop do."""
    try:
        act()
    except AgentError:
        act()


def test_finished_time_waits_in_memory_while_the_disk_is_full(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(15)
    real = rig.ledger._commit

    def full() -> None:
        raise LedgerError("the ledger cannot be written: database or disk is full")

    rig.ledger._commit = full  # type: ignore[method-assign]
    rig.work(60, send=False)
    assert _trouble(rig)
    assert rig.worked_ms == 10_000
    with pytest.raises(LedgerError):
        rig.recorder.stop()
    rig.ledger._commit = real  # type: ignore[method-assign]
    report = finish(rig)
    assert report.holds, report.first_problem
    assert not _trouble(rig)
    assert rig.worked_ms == 75_000


def _trouble(rig: Rig) -> str:
    return rig.recorder.trouble or ""


def _pause(rig: Rig, number: int) -> None:
    rig.recorder.pause()
    rig.work(number)
    rig.recorder.resume()


def _step(rig: Rig, number: int) -> None:
    rig.clock.offset_ms = (number - 45) * 100_000


def _kill(rig: Rig, number: int) -> None:
    rig.kill()
    rig.clock.run(number)
    rig.recorder.start(correction_ms=-rig.clock.offset_ms)


COURSE: dict[str, Callable[[Rig, int], None]] = {
    "work": Rig.work,
    "pause": _pause,
    "suspend": lambda rig, number: rig.clock.suspend(number * 60),
    "step": _step,
    "stall": lambda rig, number: rig.clock.run(20 + number),
    "kill": _kill,
    "outage": lambda rig, _number: rig.cut(up=not rig.online),
    "mode": lambda rig, number: rig.recorder.set_mode(list(SegmentState)[number % 3]),
    "withdraw": lambda rig, _number: _withdraw_one(rig),
}
ACTS = st.lists(
    st.tuples(st.sampled_from(sorted(COURSE)), st.integers(1, 90)), min_size=1, max_size=9
)


@settings(max_examples=25)
@given(acts=ACTS)
def test_any_course_of_events_gives_the_true_time_and_a_chain_that_holds(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    rig = Rig(tmp_path_factory.mktemp("course"))
    rig.recorder.start()
    awake = kills = 0
    for act, number in acts:
        COURSE[act](rig, number)
        awake += number * (act == "work")
        kills += act == "kill"
        rig.simulator.now = rig.clock.true_ms
        rig.recorder.tick()
    report = finish(rig)
    assert report.holds, report.first_problem
    assert awake * 1000 - kills * ROUND_MS <= rig.worked_ms <= awake * 1000 + 1000
    assert report.totals is not None
    assert sum(report.totals.by_state.values()) == rig.worked_ms


def _withdraw_one(rig: Rig) -> None:
    kept = [row for row in rig.ledger.captures(rig.engagement.id) if not row.withdrawn]
    if kept:
        rig.recorder.between(
            lambda: withdraw(
                rig.chain,
                rig.ledger,
                rig.vault,
                kept[0],
                WithdrawalReason.PRIVATE,
                now_ms=rig.clock.wall_ms(),
            )
        )


# What others can see


def test_withdrawing_no_frame_or_every_frame_gives_one_total(tmp_path: Path) -> None:
    totals = []
    for share in (0, 1):
        folder = tmp_path / str(share)
        folder.mkdir()
        rig = Rig(folder, capture_rate=65_536)
        rig.recorder.start()
        rig.work(100)
        for _ in range(len(rig.ledger.captures(rig.engagement.id)) * share):
            _withdraw_one(rig)
        report = finish(rig)
        assert report.totals is not None
        assert report.totals.withdrawn == share * report.totals.frames
        assert report.totals.frames == 10
        totals.append((report.totals.by_state, report.totals.by_grade, report.totals.billed))
        assert rig.worked_ms == 100_000
    assert totals[0] == totals[1]


def test_two_different_screens_give_messages_of_equal_length(tmp_path: Path) -> None:
    lengths = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        rig = Rig(folder)
        rig.screen = PaintedScreen(640, 480) if number else rig.screen
        rig.screen.masked = number * 5
        rig.recorder = rig.build()
        rig.recorder.start()
        for _ in range(20):
            rig.sensor.keys = number * 2_000
            rig.work(10)
        rig.recorder.stop()
        rig.uplink.drain(100)
        lengths.append([(path, len(body)) for _, path, body in rig.wire.requests])
    assert lengths[0] == lengths[1]


def test_an_own_chain_read_anew_is_the_same(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(100)
    rig.recorder.stop()
    again = OwnChain(rig.ledger, rig.engagement, rig.signer)
    assert again.state == rig.chain.state


def test_what_runs_now_is_told_before_it_is_signed(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(14)
    (running,) = rig.recorder.running()
    assert running.worked_ms == 4_000
    assert rig.recorder.recorded_from_ms() == running.begin_ms
    rig.clock.run(1.5)
    assert rig.recorder.running()[0].worked_ms == 5_500
    assert rig.clock.mono % NS >= 0


def declarations(rig: Rig) -> list[Declaration]:
    """Return the chain's declarations."""
    return [record for record in rig.records() if isinstance(record, Declaration)]


def test_a_memo_covers_off_screen_work_on_both_sides_of_a_holiday(tmp_path: Path) -> None:
    """No declaration may span more than a week."""
    rig = Rig(tmp_path, round_ms=10_000)
    rig.recorder.start()
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "sketching")
    rig.work(25)
    rig.recorder.pause()
    rig.cut(up=False)
    rig.clock.suspend(8 * 86_400)
    rig.recorder.tick()
    rig.recorder.resume()
    rig.work(25)
    rig.recorder.set_mode(SegmentState.WORKING)
    assert [declared.worked for declared in declarations(rig)] == [25_000, 25_000]
    assert rig.recorder.trouble is None
    assert rig.ledger.memo(rig.engagement.id) is None
    before = len(rig.segments())
    rig.work(60)
    assert len(rig.segments()) >= before + 5
    rig.recorder.stop()
    rig.recorder.start()
    rig.recorder.stop()


def test_a_memo_leaves_out_a_pause_that_was_declared_late(rig: Rig) -> None:
    rig.recorder.start()
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "sketching")
    rig.work(25)
    rig.recorder.pause()
    begin_ms = rig.clock.wall_ms()
    rig.work(60)
    end_ms = rig.clock.wall_ms()
    rig.work(1)
    work = LateWork(begin_ms + 1_000, end_ms - 1_000, end_ms - begin_ms - 2_000, "a call", None)
    rig.recorder.between(
        lambda: declare_late(
            rig.chain,
            work,
            now_ms=rig.clock.wall_ms(),
            recorded_from_ms=rig.recorder.recorded_from_ms(),
        )
    )
    rig.recorder.resume()
    rig.work(25)
    rig.recorder.set_mode(SegmentState.WORKING)
    forms = [declared.form for declared in declarations(rig)]
    assert forms == [DeclarationForm.LATE, DeclarationForm.LIVE, DeclarationForm.LIVE]
    assert rig.recorder.trouble is None
    assert finish(rig).holds


def test_a_memo_that_cannot_be_recorded_holds_up_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_book: SessionBook, _memo: Memo) -> None:
        raise OwnChainError("no")

    monkeypatch.setattr(SessionBook, "declare", refused)
    rig.recorder.start()
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "sketching")
    rig.work(25)
    rig.recorder.set_mode(SegmentState.WORKING)
    rig.work(25)
    assert "the memo of off-screen work" in str(rig.recorder.trouble)
    rig.recorder.stop()
    rig.recorder.start()
    rig.recorder.stop()
    assert rig.worked_ms == 50_000


def named(rig: Rig) -> set[Digest]:
    """Return the frames that segments commit to."""
    return {frame for segment in rig.segments() for frame in segment.frames}


def work_with_troubles(rig: Rig, seconds: float) -> None:
    """Run the loop as the process does: what fails is tried again a second later."""
    end = rig.clock.mono + round(seconds * NS)
    while rig.clock.mono < end:
        wait = 1.0
        with suppress(LedgerError):
            wait = rig.recorder.tick()
        rig.clock.run(max(wait, 0.0) + 0.002)
        rig.simulator.now = rig.clock.true_ms


def full() -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_full_disk_destroys_no_frame_of_a_stretch_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(20)
    while len(rig.vault.frames) == len(named(rig)):
        rig.work(0.5)
    with monkeypatch.context() as patched:
        patched.setattr(rig.ledger, "_commit", full)
        stored = len(rig.segments())
        rig.work(30)
        assert len(rig.segments()) == stored
    rig.work(30)
    rig.recorder.stop()
    assert rig.recorder.trouble is None
    assert named(rig) == set(rig.vault.frames)
    assert rig.ledger.orphans() == ()
    spans = [(segment.begin, segment.end) for segment in rig.segments()]
    assert rig.worked_ms == spans[-1][1] - spans[0][0] >= 80_000


def test_a_frame_that_fails_takes_its_own_capture_along_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(20)
    while len(rig.vault.frames) == len(named(rig)):
        rig.work(0.5)
    refused: list[str] = []

    def no_room(when: str) -> None:
        refused.append(when)
        raise VaultFullError("there is no room in the vault")

    attach = SessionBook.segment

    def store_later(book: SessionBook, draft: Draft) -> None:
        if not refused:
            raise LedgerError("the disk is full")
        attach(book, draft)

    rig.vault.fault = no_room
    monkeypatch.setattr(SessionBook, "segment", store_later)
    rig.work(30)
    rig.vault.fault = lambda _when: None
    rig.work(20)
    rig.recorder.stop()
    assert refused
    assert named(rig) == set(rig.vault.frames)
    assert rig.ledger.orphans() == ()


def test_an_unforeseen_error_of_a_capture_is_a_missed_capture(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)

    def broken() -> Masked:
        raise RuntimeError

    rig.screen.take = broken  # type: ignore[method-assign]
    rig.recorder = rig.build()
    rig.recorder.start()
    rig.work(30)
    rig.recorder.stop()
    assert {segment.capture for segment in rig.segments()[:3]} == {Capture.MISSED}
    assert set(noted(rig, NoteCode.CAPTURE_FAILED)) == {int(CaptureFailure.OTHER)}
    assert rig.worked_ms == 30_000


def test_time_in_which_no_stretch_could_begin_is_owned_up_to(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.recorder.start()
    rig.work(25)
    with monkeypatch.context() as patched:
        patched.setattr(OwnChain, "newest_anchor", unreadable)
        work_with_troubles(rig, 100)
    rig.work(30)
    rig.recorder.stop()
    (gap,) = noted(rig, NoteCode.CRASH_GAP)
    spans = [(segment.begin, segment.end) for segment in rig.segments()]
    assert gap >= 90_000
    assert rig.worked_ms + gap == spans[-1][1] - spans[0][0]


def test_a_pause_holds_although_no_stretch_could_begin(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.recorder.start()
    rig.work(25)
    with monkeypatch.context() as patched:
        patched.setattr(OwnChain, "newest_anchor", unreadable)
        work_with_troubles(rig, 20)
        rig.recorder.pause()
    rig.work(60)
    assert rig.recorder.state is RecorderState.PAUSED
    rig.recorder.resume()
    rig.work(20)
    rig.recorder.stop()
    (gap,) = noted(rig, NoteCode.CRASH_GAP)
    assert 10_000 <= gap <= 20_100
    assert rig.worked_ms == 30_000 + 20_000


def test_nothing_is_counted_after_a_stop_that_could_not_be_stored(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.recorder.start()
    rig.work(25)
    with monkeypatch.context() as patched:
        patched.setattr(OwnChain, "newest_anchor", unreadable)
        work_with_troubles(rig, 20)
        with pytest.raises(LedgerError):
            rig.recorder.stop()
    rig.work(60)
    rig.recorder.stop()
    assert isinstance(rig.records()[-1], SessionClose)
    assert rig.worked_ms == 30_000


def test_refuses_to_continue_a_chain_that_lies_in_the_future(rig: Rig) -> None:
    rig.clock.offset_ms = 400 * 86_400_000
    rig.recorder.start()
    rig.work(25)
    rig.recorder.stop()
    before = len(rig.records())
    rig.clock.offset_ms = 0
    with pytest.raises(AgentError, match="9600 hours ahead of the clock"):
        rig.recorder.start()
    assert rig.recorder.state is RecorderState.STOPPED
    assert len(rig.records()) == before


def unreadable(_chain: OwnChain) -> Anchor:
    raise LedgerError("the ledger cannot be read")


# --- what its owner wants not to be seen ---

PRESSES: dict[str, Callable[[Recorder], object]] = {
    "pause": Recorder.pause,
    "seal": Recorder.toggle_sealed,
    "off-screen": lambda recorder: recorder.set_mode(SegmentState.OFF_SCREEN),
    "lock": lambda recorder: recorder.lock(counts=False),
    "stop": Recorder.stop,
}


@pytest.mark.parametrize("press", PRESSES)
def test_a_capture_that_was_due_before_the_press_is_not_taken_after_it(
    tmp_path: Path, press: str
) -> None:
    """Whoever seals does so because something private is about to appear."""
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    course = rig.recorder._course
    for _ in range(400):
        wait = rig.recorder.tick()
        stretch = course.stretch
        assert stretch is not None
        due = course._schedule.due_ns(stretch)
        if due is not None and stretch.shot is None and due > course.now_ns:
            break
        rig.clock.run(min(wait, 0.5))
    else:
        raise AssertionError("nothing is due")
    # The loop is late on a busy machine: it would have woken in time.
    rig.clock.run((due - course.now_ns) / 1e9 + 0.3)
    before = len(rig.vault.frames)
    PRESSES[press](rig.recorder)
    assert len(rig.vault.frames) == before
    rig.recorder.stop()
    assert Capture.MISSED in {segment.capture for segment in rig.segments()}
    assert int(CaptureFailure.FORBIDDEN) in noted(rig, NoteCode.CAPTURE_FAILED)


@pytest.mark.parametrize("press", PRESSES)
def test_a_picture_that_is_being_taken_at_the_press_is_not_kept(tmp_path: Path, press: str) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    take, pressing = rig.screen.take, threading.Event()

    def act() -> None:
        pressing.set()
        PRESSES[press](rig.recorder)

    thread = threading.Thread(target=act)

    def slow() -> Masked:
        rig.clock.run(0.4)
        thread.start()
        pressing.wait(5)
        # It waits for the recorder, which waits for this picture.
        shutter = rig.recorder._shutter
        while not shutter._held:
            time.sleep(0.001)
        return take()

    rig.screen.take = slow  # type: ignore[method-assign]
    rig.recorder = rig.build()
    rig.recorder.start()
    for _ in range(400):
        rig.clock.run(min(rig.recorder.tick(), 0.5) or 0.001)
        if thread.ident is not None:
            break
    thread.join(5)
    assert not thread.is_alive()
    rig.recorder.stop()
    assert rig.vault.frames == {}
    assert rig.ledger.orphans() == ()
    assert Capture.MISSED in {segment.capture for segment in rig.segments()}


def test_after_a_press_pictures_are_taken_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(10)
    rig.recorder.pause()
    rig.recorder.resume()
    rig.work(60)
    rig.recorder.stop()
    assert rig.vault.frames
