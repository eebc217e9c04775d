"""The recorder when the machine is about to sleep, its screen locked, or its ledger read-only."""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.errors import AgentError
from workseal_agent.ledger import LedgerError
from workseal_agent.recorder import RecorderState
from workseal_protocol.commitment import Note, NoteCode, ValueKind, parse_notes
from workseal_protocol.records import Capture, Segment, SegmentState, read_record
from workseal_protocol.statement import Statement


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, capture_rate=0)
    made.recorder.start()
    return made


def segments(rig: Rig) -> list[Segment]:
    rows = (read_record(Statement.parse(one.body)) for one in rig.ledger.chain(rig.engagement.id))
    return [record for record in rows if isinstance(record, Segment)]


def state(rig: Rig) -> RecorderState:
    return rig.recorder.state


def worked(rig: Rig) -> int:
    return sum(one.worked for one in segments(rig))


def notes(rig: Rig) -> list[Note]:
    values = [
        value.value
        for row in rig.ledger.chain(rig.engagement.id)
        for value in rig.ledger.private_values(row.digest)
        if value.kind == ValueKind.NOTES
    ]
    return [note for value in values for note in parse_notes(value)]


def of(rig: Rig, code: NoteCode) -> list[int]:
    return [note.value for note in notes(rig) if note.code is code]


def test_what_was_worked_before_a_sleep_is_stored_before_it(rig: Rig) -> None:
    rig.work(14)
    rig.recorder.settle()
    assert abs(worked(rig) - 14_000) < 20
    assert state(rig) is RecorderState.WORKING


@pytest.mark.parametrize("announced", [True, False])
def test_an_announced_sleep_is_left_out_as_any_other(rig: Rig, *, announced: bool) -> None:
    rig.work(14)
    if announced:
        rig.recorder.settle()
        rig.clock.run(0.4)  # until the machine does sleep
    rig.clock.suspend(3_600)
    rig.work(10)
    rig.recorder.stop()
    assert 23_000 <= worked(rig) <= 24_500
    assert [round(ms / 60_000) for ms in of(rig, NoteCode.SUSPEND)] == [60]


def test_a_sleep_that_is_announced_and_does_not_come_costs_nothing(rig: Rig) -> None:
    rig.work(14)
    rig.recorder.settle()
    rig.work(10)
    rig.recorder.stop()
    assert abs(worked(rig) - 24_000) < 20
    assert of(rig, NoteCode.SUSPEND) == []


def test_a_process_that_is_killed_after_it_was_told_loses_nothing(rig: Rig) -> None:
    rig.work(14)
    rig.recorder.settle()
    rig.kill()
    assert abs(worked(rig) - 14_000) < 20


def test_sleep_that_is_announced_over_and_over_writes_no_flood_of_statements(rig: Rig) -> None:
    for _ in range(200):
        rig.work(0.05)
        rig.recorder.settle()
    assert len(segments(rig)) <= 5
    assert worked(rig) > 7_900
    rig.recorder.stop()
    assert abs(worked(rig) - 10_000) < 20


def test_a_lock_pauses_and_its_end_counts_on_with_a_note(rig: Rig) -> None:
    rig.work(14)
    rig.recorder.lock(counts=False)
    assert state(rig) is RecorderState.LOCKED
    rig.work(600)
    assert abs(worked(rig) - 14_000) < 20
    rig.recorder.unlock()
    assert state(rig) is RecorderState.WORKING
    rig.work(6)
    rig.recorder.stop()
    assert abs(worked(rig) - 20_000) < 20
    (locked,) = of(rig, NoteCode.LOCKED)
    assert abs(locked - 600_000) < 20


def test_time_that_goes_on_while_locked_is_noted_too(rig: Rig) -> None:
    rig.work(4)
    rig.recorder.lock(counts=True)
    rig.work(60)
    rig.recorder.unlock()
    rig.work(6)
    rig.recorder.stop()
    assert abs(worked(rig) - 70_000) < 20
    (locked,) = of(rig, NoteCode.LOCKED)
    assert abs(locked - 60_000) < 20


def test_work_off_the_screen_goes_on_under_a_lock(rig: Rig) -> None:
    """Nobody touches the machine: it locks itself after some minutes."""
    rig.recorder.set_mode(SegmentState.OFF_SCREEN, "a talk with the client")
    rig.work(60)
    rig.recorder.lock(counts=False)
    assert rig.recorder.state is RecorderState.OFF_SCREEN
    rig.work(600)
    rig.recorder.unlock()
    rig.work(60)
    rig.recorder.stop()
    assert abs(rig.worked_ms - 720_000) < 100
    (locked,) = of(rig, NoteCode.LOCKED)
    assert abs(locked - 600_000) < 20


def test_a_pause_of_ones_own_is_not_ended_by_a_lock(rig: Rig) -> None:
    rig.work(4)
    rig.recorder.pause()
    rig.recorder.lock(counts=False)
    assert state(rig) is RecorderState.PAUSED
    rig.recorder.unlock()
    assert state(rig) is RecorderState.PAUSED
    rig.recorder.resume()
    rig.recorder.lock(counts=False)
    rig.recorder.pause()
    rig.recorder.unlock()
    assert state(rig) is RecorderState.PAUSED


def test_who_counts_on_while_locked_is_believed(rig: Rig) -> None:
    rig.work(4)
    rig.recorder.lock(counts=False)
    rig.recorder.resume()
    assert state(rig) is RecorderState.WORKING
    rig.work(6)
    rig.recorder.unlock()
    rig.work(4)
    rig.recorder.stop()
    assert abs(worked(rig) - 14_000) < 20


def test_a_lock_keeps_the_kind_of_work(rig: Rig) -> None:
    rig.recorder.set_mode(SegmentState.SEALED)
    rig.recorder.lock(counts=False)
    rig.work(60)
    rig.recorder.unlock()
    assert state(rig) is RecorderState.SEALED


def test_a_stop_while_locked_ends_the_lock_too(rig: Rig) -> None:
    rig.work(4)
    rig.recorder.lock(counts=False)
    rig.recorder.stop()
    assert state(rig) is RecorderState.STOPPED
    rig.recorder.start()
    assert state(rig) is RecorderState.WORKING
    rig.recorder.unlock()
    rig.work(4)
    rig.recorder.stop()
    assert of(rig, NoteCode.LOCKED) == []


def test_nothing_is_done_when_nothing_is_recorded(rig: Rig) -> None:
    rig.recorder.stop()
    for act in (rig.recorder.settle, rig.recorder.unlock, lambda: rig.recorder.lock(counts=True)):
        with pytest.raises(AgentError, match="nothing is being recorded"):
            act()


def test_a_ledger_that_turns_read_only_costs_no_time(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(30)
    real = rig.ledger._sql
    only_read = sqlite3.connect(f"file:{rig.path}?mode=ro", uri=True, isolation_level=None)
    rig.ledger._sql = only_read
    rig.work(40, send=False)
    assert "its folder is read-only" in (rig.recorder.trouble or "")
    rig.recorder.pause()
    rig.clock.run(7)
    rig.recorder.resume()
    rig.work(20, send=False)
    with pytest.raises(LedgerError, match="read-only"):
        rig.recorder.stop()
    rig.ledger._sql = real
    only_read.close()
    rig.recorder.stop()
    assert rig.worked_ms == 90_000
    # What could not be announced was not taken, and is owned up to; what was taken is there.
    captures = Counter(one.capture for one in segments(rig))
    assert captures[Capture.MISSED] > 0
    assert len(rig.vault.frames) == captures[Capture.CAPTURED]
    assert rig.ledger.orphans() == ()
