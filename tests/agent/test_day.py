from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.rig import Rig
from support.simulator import START
from workseal_agent.day import (
    Day,
    Way,
    bounds,
    day_at,
    notes_of,
    read_day,
    running_ms,
    signed_ms,
    worked_today,
)
from workseal_agent.evidence import LateWork, declare_late, withdraw
from workseal_agent.pages.dayline import hours_of, row_of
from workseal_agent.recorder import RecorderState
from workseal_protocol.commitment import NoteCode
from workseal_protocol.diary import DiaryState
from workseal_protocol.records import SegmentState, WithdrawalReason
from workseal_protocol.window import Grade

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.ledger.close()


def running(rig: Rig) -> dict[str, object] | None:
    """Say what the recording process would."""
    if rig.recorder.state is RecorderState.STOPPED:
        return None
    told = [[one.begin_ms, one.worked_ms] for one in rig.recorder.running()]
    return {"running": told, "state": str(rig.recorder.state)}


def read(rig: Rig, day: date | None = None) -> Day:
    now = rig.clock.wall_ms()
    day = day or day_at(now, BERLIN)
    told = read_day(rig.ledger, rig.engagement, running(rig), day, now, BERLIN)
    # What is added up without proving anything, for a page that asks every few seconds.
    quickly = signed_ms(rig.ledger, rig.engagement, day, BERLIN)
    assert quickly + running_ms(running(rig), day, BERLIN, now) == told.worked_ms
    return told


def told(day: Day) -> list[tuple[DiaryState, Way, int]]:
    return [(one.state, one.way, one.end_ms - one.begin_ms) for one in day.stretches]


def covers(day: Day) -> bool:
    """Tell whether the stretches cover the day without a gap or an overlap."""
    ends = [day.begin_ms, *(one.end_ms for one in day.stretches)]
    begins = [*(one.begin_ms for one in day.stretches), day.until_ms]
    return ends == begins


def test_a_day_without_work_says_so_for_every_moment(rig: Rig) -> None:
    day = read(rig)
    assert told(day) == [(DiaryState.NO_SESSION, Way.NOTHING, day.until_ms - day.begin_ms)]
    assert day.worked_ms == 0
    assert covers(day)


def test_every_moment_has_its_state(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(600)
    rig.recorder.pause()
    rig.work(120)
    rig.recorder.resume()
    rig.work(60)
    rig.recorder.set_mode(SegmentState.SEALED)
    rig.work(90)
    rig.recorder.set_mode(SegmentState.OFF_SCREEN)
    rig.work(33)
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    rig.clock.run(100)
    day = read(rig)
    assert [one[:2] for one in told(day)] == [
        (DiaryState.NO_SESSION, Way.NOTHING),
        (DiaryState.WORKING, Way.LOGGED),
        (DiaryState.PAUSED, Way.NOTHING),
        (DiaryState.WORKING, Way.LOGGED),
        (DiaryState.SEALED, Way.LOGGED),
        (DiaryState.OFF_SCREEN, Way.LOGGED),
        (DiaryState.NO_SESSION, Way.NOTHING),
    ]
    assert covers(day)
    assert day.worked_ms == rig.worked_ms == sum(one.worked_ms for one in day.stretches)
    assert day.total(day.seen) == day.total(day.signed)


def test_what_is_not_signed_yet_counts_and_says_so(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(607)
    day = read(rig)
    assert told(day)[-1] == (DiaryState.WORKING, Way.RUNNING, 7_000)
    assert day.worked_ms == 607_000
    assert covers(day)


def test_what_is_not_sent_yet_waits_and_is_not_seen(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(300)
    rig.online = False
    rig.work(300)
    rig.recorder.stop()
    day = read(rig)
    ways = {one.way for one in day.stretches}
    assert ways == {Way.NOTHING, Way.LOGGED, Way.WAITING}
    waiting = [one for one in day.stretches if one.way is Way.WAITING]
    assert all(one.grade is None for one in waiting)
    assert day.worked_ms == 600_000
    seen = day.total(day.seen)
    assert seen is not None
    assert 600_000 - sum(seen.worked_ms.values()) == sum(one.worked_ms for one in waiting)
    assert covers(day)


def test_time_without_the_verifier_is_told_as_offline(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(120)
    rig.cut(up=False)
    rig.work(300)
    rig.cut(up=True)
    rig.work(120)
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    grades = {one.grade for one in read(rig).stretches}
    assert {Grade.ONLINE, Grade.OFFLINE} <= grades


def test_late_declared_time_stands_beside_what_was_recorded(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(600)
    rig.recorder.stop()
    now = rig.clock.wall_ms()
    rig.clock.run(600)
    work = LateWork(now, now + 600_000, 540_000, "a call")
    declare_late(rig.chain, work, now_ms=rig.clock.wall_ms(), recorded_from_ms=None)
    day = read(rig)
    assert covers(day)
    # The total is what was recorded, as on the client's page; what was declared stands beside it.
    assert DiaryState.LATE_DECLARED in {one.state for one in day.stretches}
    assert (day.worked_ms, day.late_ms) == (600_000, 540_000)


def test_what_a_day_shows_adds_up_where_a_machine_slept(rig: Rig) -> None:
    """Two declarations touch at midnight, worked unevenly: each day shows what its totals say."""
    hours = (bounds(date(2026, 3, 2), BERLIN)[1] - rig.clock.wall_ms()) // 1000
    rig.clock.run(hours + 36_000)
    rig.simulator.now = rig.clock.true_ms
    _, midnight = bounds(date(2026, 3, 2), BERLIN)
    hour = 3_600_000
    for begin, worked in ((midnight - 2 * hour, hour // 2), (midnight, 2 * hour)):
        work = LateWork(begin, begin + 2 * hour, worked, "a call")
        declare_late(rig.chain, work, now_ms=rig.clock.wall_ms(), recorded_from_ms=None)
    for number, late in ((2, hour // 2), (3, 2 * hour)):
        day = read(rig, date(2026, 3, number))
        assert day.late_ms == late == sum(one.worked_ms for one in day.stretches)
        assert late == sum(one.worked_ms for one in hours_of(day))
        for one in day.stretches:
            if one.state is DiaryState.LATE_DECLARED:
                minute = row_of(one, one.begin_ms, one.begin_ms + 60_000)
                assert minute["worked_ms"] == late // 120


def test_a_day_is_cut_at_midnight(rig: Rig) -> None:
    hours = (bounds(date(2026, 3, 2), BERLIN)[1] - rig.clock.wall_ms()) // 1000
    rig.clock.run(hours - 95)
    rig.simulator.now = rig.clock.true_ms
    rig.recorder.start()
    rig.work(200)
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    first, second = read(rig, date(2026, 3, 2)), read(rig, date(2026, 3, 3))
    assert covers(first)
    assert covers(second)
    assert first.worked_ms + second.worked_ms == rig.worked_ms
    assert first.worked_ms == 95_000


def test_a_day_may_have_another_length() -> None:
    begin, end = bounds(date(2026, 3, 29), BERLIN)
    assert end - begin == 23 * 3_600_000
    begin, end = bounds(date(2026, 10, 25), BERLIN)
    assert end - begin == 25 * 3_600_000


def test_a_withdrawn_frame_changes_no_minute(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(600)
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    before = read(rig)
    frame = before.captures[0]
    withdraw(
        rig.chain, rig.ledger, rig.vault, frame, WithdrawalReason.PRIVATE, now_ms=START + 700_000
    )
    after = read(rig)
    assert after.stretches == before.stretches
    assert after.worked_ms == before.worked_ms
    assert after.signed.withdrawn == 1


def test_today_is_added_up_with_what_is_not_signed(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(607)
    now = rig.clock.wall_ms()
    assert worked_today(rig.ledger, rig.engagement, running(rig), now, BERLIN) == 607_000
    assert worked_today(rig.ledger, rig.engagement, None, now, BERLIN) == 600_000


def test_the_agents_remarks_are_found_where_they_were_made(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(60)
    rig.clock.suspend(600)
    rig.work(60)
    rig.recorder.stop()

    def codes(begin_s: int, end_s: int) -> set[NoteCode]:
        span = (START + begin_s * 1_000, START + end_s * 1_000)
        return {note.code for note in notes_of(rig.ledger, rig.engagement, *span)}

    assert NoteCode.SUSPEND not in codes(0, 30)
    # In the gap: the first segment after it tells.
    assert NoteCode.SUSPEND in codes(300, 360)
    assert codes(100_000, 100_060) == set()
