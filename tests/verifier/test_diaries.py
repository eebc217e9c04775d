"""The diary's figures are those of everybody's own tools, and its work is bounded."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.acting import ScriptedAgent
from support.drawn import month
from support.scripted import Story, begin
from support.shaped import ShapedAgent
from support.shelved import Shelved
from support.simulator import DAY_MS, ROUND_MS, START, Simulator
from workseal_protocol.billing import billed_of
from workseal_protocol.cli.hours.sheet import sheet_of
from workseal_protocol.diary import DiaryState
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    Declaration,
    DeclarationForm,
    Record,
    Segment,
    SegmentState,
    SessionClose,
)
from workseal_protocol.totals import LimitExceeded, totals_of
from workseal_protocol.verify import examine_bundle
from workseal_protocol.window import Entry, Grade, Window
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import diaries
from workseal_verifier.services.weekfold import Week, bounds, overall_limits
from workseal_verifier.web.timeline import hours_of, parts_of, stretches_of

ADDED = (
    "captured", "missed", "sealed", "due_outside", "stepped_over", "frames", "withdrawn", "expired",
    "thinned", "late_declared_ms", "worked_ms",
)  # fmt: skip
MONDAY = date(2026, 3, 2)
HOUR_MS = 3_600_000


@contextmanager
def shelf(folder: Path, agent: ScriptedAgent) -> Iterator[Shelved]:
    made = Shelved(folder / "verifier.db").fill(agent.verifier, agent)
    try:
        yield made
    finally:
        made.close()


def worked_spans(spans: Any) -> list[tuple[int, int, str]]:
    """Give every worked stretch, joined: weeks cut what one fold over all joins."""
    found: list[tuple[int, int, str]] = []
    for one in spans:
        if one.state in {DiaryState.PAUSED, DiaryState.NO_SESSION}:
            continue
        if found and found[-1][1] == one.begin and found[-1][2] == f"{one.state} {one.grade}":
            found[-1] = (found[-1][0], one.end, found[-1][2])
        else:
            found.append((one.begin, one.end, f"{one.state} {one.grade}"))
    return found


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"])
def test_a_months_figures_are_those_of_its_bundle(tmp_path: Path, zone: str) -> None:
    """Around the change of clocks, over midnights, with withdrawals and late declarations."""
    story: Story = month(zone)
    data = story.bundle().encode()
    report = examine_bundle(data, story.policy, zone=ZoneInfo(zone))
    assert report.holds
    assert report.totals is not None
    with shelf(tmp_path, story.agent) as shelved:
        agreed, reach = shelved.agreed(story.agent)
        course = shelved.diaries.course(agreed, reach)
        week = shelved.diaries.week(agreed, course.weeks[0].monday, reach)
    assert course.uncounted == ()
    weeks = tuple(reversed(course.weeks))
    for one in weeks:
        # What `workseal hours --from MONDAY --to SUNDAY` writes.
        sunday = one.monday + timedelta(days=6)
        sheet = sheet_of(data, report, ZoneInfo(zone), one.monday, sunday)
        assert sheet.days == one.days
        assert sheet.billed == billed_of(agreed.terms, one.days)
    days = [day for one in weeks for day in one.days]
    assert tuple(days) == report.totals.days
    assert billed_of(agreed.terms, days) == report.totals.billed
    for name in ADDED:
        told = sum(getattr(one.totals, name) for one in weeks)
        assert (name, told) == (name, getattr(report.totals, name))
    for name in ("by_grade", "by_state"):
        whole = getattr(report.totals, name)
        told = {each: sum(getattr(one.totals, name)[each] for one in weeks) for each in whole}
        assert told == whole
    found = list(overall_limits(agreed.terms, weeks))
    found += (one for week in weeks for one in week.exceeded)
    assert sorted(found, key=str) == sorted(report.totals.exceeded, key=str)
    spans = {one: None for each in weeks for one in worked_spans(each.spans)}
    whole_spans = worked_spans(report.diary)
    assert sum(end - begin for begin, end, _ in whole_spans) == sum(
        end - begin for begin, end, _ in spans
    )
    assert week is course.weeks[0]


def test_few_frames_of_a_week_are_no_limit_of_that_week(tmp_path: Path) -> None:
    """The terms allow a share of all captures: one week may have most of what is withdrawn."""
    agent = working(max_withdrawn_percent=25)
    agent.withdraw(agent.frames[-1])
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        course = shelved.diaries.course(agreed, reach)
        assert course.weeks[0].totals.withdrawn * 2 == course.weeks[0].totals.captured
        assert [week.exceeded for week in course.weeks] == [(), ()]
        assert overall_limits(agreed.terms, course.weeks) == ()
        agent.withdraw(agent.frames[0])
        shelved.fill(agent.verifier, agent)
        course = shelved.diaries.course(agreed, shelved.diaries.reach())
        assert [week.exceeded for week in course.weeks] == [(), ()]
        assert overall_limits(agreed.terms, course.weeks) == (
            LimitExceeded("withdrawn percent", 25, 50),
        )


def working(**terms: Any) -> ScriptedAgent:
    """Work two rounds on a Monday and on the Monday after."""
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone="UTC", capture_rate=65_536, **terms))
    verifier.start_beacon((START + 7 * DAY_MS) // ROUND_MS - 10, 400)
    for at in (START + ROUND_MS, START + 7 * DAY_MS):
        verifier.now = at
        agent.open_session()
        agent.work(2 * ROUND_MS)
        agent.send()
        agent.close_session()
    return agent


def worked(week: Week) -> int:
    return sum(sum(day.worked_ms.values()) for day in week.days)


def test_a_week_is_kept_until_something_comes_that_is_about_it(tmp_path: Path) -> None:
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        first, second = (
            shelved.diaries.week(agreed, day, reach) for day in (MONDAY, date(2026, 3, 9))
        )
        agent.open_session()
        agent.work(ROUND_MS)
        agent.send()
        shelved.fill(agent.verifier, agent)
        reach = shelved.diaries.reach()
        assert shelved.diaries.week(agreed, MONDAY, reach) is first
        assert worked(shelved.diaries.week(agreed, date(2026, 3, 9), reach)) == worked(second) + (
            ROUND_MS
        )
        assert shelved.diaries.week(agreed, MONDAY, reach).totals.withdrawn == 0
        agent.withdraw(agent.frames[0])
        shelved.fill(agent.verifier, agent)
        reach = shelved.diaries.reach()
        assert shelved.diaries.week(agreed, MONDAY, reach).totals.withdrawn == 1


def before_midnight() -> tuple[ShapedAgent, int]:
    """Open a session on a Sunday whose last capture is due less than 5 s before it ends."""
    midnight = START - START % DAY_MS + 7 * DAY_MS
    for seed in (b"one", b"two", b"three", b"four", b"five", b"six"):
        verifier = Simulator(seed, now=midnight - DAY_MS)
        verifier.publish_rules()
        verifier.start_beacon(midnight // ROUND_MS - 400, 800)
        terms = verifier.terms(zone="UTC", capture_rate=65_536)
        agent = ShapedAgent(verifier, terms=terms)
        verifier.now = midnight - 6 * ROUND_MS
        agent.open_session()
        due = agent.due_in(midnight // ROUND_MS - 1)
        if due is not None and due > ROUND_MS - 5_000:
            return agent, due
    pytest.fail("no seed draws one so late")


def test_who_steps_over_a_capture_at_a_weeks_end_is_counted(tmp_path: Path) -> None:
    """What tells of it came after the week, which was asked for and kept before."""
    agent, due = before_midnight()
    number = agent.verifier.now // ROUND_MS
    agent.part(number, 0, due)
    agent.send()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        found = shelved.diaries.week(agreed, MONDAY, reach).totals
        assert (found.due_outside, found.stepped_over) == (1, 0)
        agent.part(number + 1, 0, ROUND_MS)
        agent.send()
        shelved.fill(agent.verifier, agent)
        reach = shelved.diaries.reach()
        weeks = [shelved.diaries.week(agreed, MONDAY + timedelta(days), reach) for days in (0, 7)]
    entries = [
        Entry(place, statement.digest, record, Window(), Grade.ONLINE)
        for place, (statement, record) in enumerate(agent.made)
    ]
    whole = totals_of(agreed.terms, entries, agreed.zone)
    assert (whole.due_outside, whole.stepped_over, whole.missed) == (1, 1, 1)
    for name in ADDED:
        assert sum(getattr(one.totals, name) for one in weeks) == getattr(whole, name), name
    assert weeks[0].totals.stepped_over == 1


def test_a_withdrawal_and_a_description_leave_other_weeks_as_they_are(tmp_path: Path) -> None:
    """Frames go each day once they were kept long enough: not all is folded anew for that."""
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        second = date(2026, 3, 9)
        first_week = shelved.diaries.week(agreed, MONDAY, reach)
        agent.verifier.now += ROUND_MS
        agent.open_session()
        begin = agent.verifier.now
        agent.work(ROUND_MS, SegmentState.OFF_SCREEN)
        agent.send()
        agent.withdraw(agent.frames[-1])
        shelved.fill(agent.verifier, agent)
        before = shelved.diaries.week(agreed, second, shelved.diaries.reach())
        assert (before.totals.withdrawn, first_week.totals.withdrawn) == (1, 0)
        agent.declare(DeclarationForm.LIVE, begin, agent.verifier.now, ROUND_MS)
        shelved.fill(agent.verifier, agent)
        reach = shelved.diaries.reach()
        described = shelved.diaries.week(agreed, second, reach)
        assert not any("with a description" in one.reason for one in before.spans)
        assert any("with a description" in one.reason for one in described.spans)
        assert shelved.diaries.week(agreed, MONDAY, reach) is first_week
        agent.withdraw(agent.frames[0])
        shelved.fill(agent.verifier, agent)
        reach = shelved.diaries.reach()
        assert shelved.diaries.week(agreed, MONDAY, reach).totals.withdrawn == 1
        assert shelved.diaries.week(agreed, second, reach) is described


def test_a_late_declaration_reaches_the_week_that_it_is_about(tmp_path: Path) -> None:
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        before = worked(shelved.diaries.week(agreed, MONDAY, reach))
        agent.declare(DeclarationForm.LATE, START + DAY_MS, START + DAY_MS + 60_000, 50_000)
        shelved.fill(agent.verifier, agent)
        after = shelved.diaries.week(agreed, MONDAY, shelved.diaries.reach())
        assert worked(after) == before + 50_000


def test_nothing_is_told_that_no_checkpoint_covers(tmp_path: Path) -> None:
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        assert worked(shelved.diaries.week(agreed, date(2026, 3, 9), reach)) == 2 * ROUND_MS
        shelved.published.size = agent.verifier.places[agent.made[-2][0].digest]
        reach = shelved.diaries.reach()
        assert reach.size == shelved.published.size
        assert worked(shelved.diaries.week(agreed, date(2026, 3, 9), reach)) == ROUND_MS


def test_an_unknown_engagement_is_not_found(tmp_path: Path) -> None:
    with shelf(tmp_path, working()) as shelved, pytest.raises(RefusedError) as refused:
        shelved.diaries.agreed(bytes(16))
    assert refused.value.reason is Reason.NOT_FOUND


def test_a_zone_that_this_machine_does_not_know_is_told(tmp_path: Path) -> None:
    agent = working()
    other = Simulator(b"elsewhere")
    far = begin(other, terms=other.terms(zone="Mars/Olympus"))
    with shelf(tmp_path, agent) as shelved:
        assert shelved.agreed(agent)[0].known
    with shelf(tmp_path / "other", far) as shelved:
        agreed, reach = shelved.agreed(far)
        assert not agreed.known
        assert shelved.diaries.course(agreed, reach).weeks == ()


def test_what_is_too_much_for_one_question_waits_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = working()
    monkeypatch.setattr(diaries, "MOST_ANEW", 1)
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        course = shelved.diaries.course(agreed, reach)
        assert [one.monday for one in course.weeks] == [date(2026, 3, 9)]
        assert course.uncounted == (MONDAY,)
        course = shelved.diaries.course(agreed, reach)
        assert [one.monday for one in course.weeks] == [date(2026, 3, 9), MONDAY]
        assert course.uncounted == ()


def test_a_week_with_more_than_a_page_counts_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = working()
    monkeypatch.setattr(diaries, "MOST_IN_WEEK", 1)
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        assert len(shelved.diaries.course(agreed, reach).uncounted) == 2
        with pytest.raises(RefusedError, match="workseal hours") as refused:
            shelved.diaries.week(agreed, MONDAY, reach)
    assert refused.value.reason is Reason.TOO_LARGE


def test_who_would_wait_behind_several_others_is_told_to_come_back(tmp_path: Path) -> None:
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        diary = shelved.diaries
        with ThreadPoolExecutor(5) as threads:
            with diary._lock:
                waiting = [threads.submit(diary.week, agreed, MONDAY, reach) for _ in range(4)]
                end = time.monotonic() + 20
                while diary._waiting._value and time.monotonic() < end:
                    time.sleep(0.01)
                refused = threads.submit(diary.week, agreed, MONDAY, reach).exception(20)
            assert {worked(one.result()) for one in waiting} == {2 * ROUND_MS}
        assert isinstance(refused, RefusedError)
        assert refused.reason is Reason.BUSY
        assert worked(diary.week(agreed, MONDAY, reach)) == 2 * ROUND_MS


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = working()
    monkeypatch.setattr(diaries, "_KEPT", 1)
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        first = shelved.diaries.week(agreed, MONDAY, reach)
        assert shelved.diaries.week(agreed, MONDAY, reach) is not first
        assert shelved.diaries._books == {}


def test_a_minute_has_its_statements_and_their_withdrawals(tmp_path: Path) -> None:
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        minute = shelved.diaries.minute(agreed, START, reach)
        assert [entry.record.KIND.value for entry in minute].count("segment") == 2
        assert shelved.diaries.minute(agreed, START - 60_000, reach) == ()
        agent.withdraw(agent.frames[0])
        shelved.fill(agent.verifier, agent)
        later = shelved.diaries.minute(agreed, START, shelved.diaries.reach())
        assert [entry.record.KIND.value for entry in later][-1] == "tombstone"
        begin_ms, _ = bounds(MONDAY + timedelta(days=1), agreed.zone)
        assert shelved.diaries.minute(agreed, begin_ms, reach) == ()


def test_a_declaration_over_a_monday_reaches_both_weeks(tmp_path: Path) -> None:
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        days = (MONDAY, date(2026, 3, 9))
        before = [worked(shelved.diaries.week(agreed, day, reach)) for day in days]
        midnight = START - START % DAY_MS + 7 * DAY_MS
        agent.declare(DeclarationForm.LATE, midnight - 60_000, midnight + 60_000, 100_000)
        shelved.fill(agent.verifier, agent)
        reach = shelved.diaries.reach()
        after = [worked(shelved.diaries.week(agreed, day, reach)) for day in days]
    assert after == [one + 50_000 for one in before]


def asleep(agent: ScriptedAgent) -> int:
    """Work past a midnight with a machine that sleeps from then on; return that midnight."""
    verifier = agent.verifier
    midnight = START - START % DAY_MS + DAY_MS

    counted: list[int] = []

    def sleeping(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, Segment):
            if record.begin >= midnight:
                record = replace(record, worked=record.worked // 7)
            counted.append(record.worked)
        elif isinstance(record, SessionClose):
            record = replace(record, worked=sum(counted))
        return record, signer

    agent.twist = sleeping
    verifier.now = midnight - 12 * ROUND_MS
    agent.open_session()
    for _ in range(24):
        agent.work(ROUND_MS)
        agent.send()
    agent.close_session()
    verifier.now = midnight + 9 * HOUR_MS
    agent.declare(DeclarationForm.LATE, midnight + 6 * HOUR_MS, midnight + 7 * HOUR_MS, HOUR_MS)
    agent.declare(DeclarationForm.LATE, midnight + 7 * HOUR_MS, midnight + 9 * HOUR_MS, 0)
    return midnight


def test_what_a_day_shows_adds_up_to_its_total(tmp_path: Path) -> None:
    """Its stretches, its hours and its minutes, where joined records were worked unevenly."""
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone="UTC", capture_rate=0))
    midnight = asleep(agent)
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        week = shelved.diaries.week(agreed, MONDAY, reach)
        assert any(span.course for span in week.spans)
        for one in week.days:
            low, high = bounds(one.day, agreed.zone)
            stretches = stretches_of(week.spans, low, high)
            total = sum(one.worked_ms.values())
            assert sum(each.worked_ms for each in stretches) == total
            assert sum(each.worked_ms for each in hours_of(stretches, low)) == total
        for at in (midnight - 60_000, midnight, midnight + 6 * HOUR_MS, midnight + 7 * HOUR_MS):
            parts = parts_of(week.spans, at, at + 60_000, "")
            entries = shelved.diaries.minute(agreed, at, reach)
            claimed = sum(
                max(0, min(record.end, at + 60_000) - max(record.begin, at))
                * record.worked
                // (record.end - record.begin)
                for record in (entry.record for entry in entries)
                if isinstance(record, Segment | Declaration)
            )
            assert sum(each.worked_ms for each in parts) == claimed


def test_what_came_is_not_held_against_every_week_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long engagement, and a day of work in small pieces: weeks times statements is too much."""
    verifier = Simulator()
    verifier.now = START - 2 * 365 * DAY_MS
    agent = ScriptedAgent(verifier, terms=verifier.terms(zone="UTC"))
    agent.open_session(1)
    agent.close_session()
    verifier.now = START
    for day in (700, 1):
        begin = START - day * DAY_MS
        agent.declare(DeclarationForm.LATE, begin, begin + 60_000, 60_000)
    counted: list[date] = []

    def counting(day: date, zone: tzinfo, *, days: int = 1) -> tuple[int, int]:
        counted.append(day)
        return bounds(day, zone, days=days)

    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        shelved.diaries.course(agreed, reach)
        (book,) = shelved.diaries._books.values()
        assert len(book.weeks) >= 100
        for place in range(2, 12):
            begin = START - DAY_MS + place * 60_000
            agent.declare(DeclarationForm.LATE, begin, begin + 1_000, 1_000)
        shelved.fill(agent.verifier, agent)
        monkeypatch.setattr(diaries, "bounds", counting)
        course = shelved.diaries.course(agreed, shelved.diaries.reach())
    assert worked(course.weeks[0]) == 70_000
    assert len(counted) < 20


def test_minutes_are_told_one_at_a_time_as_weeks_are(tmp_path: Path) -> None:
    agent = working()
    with shelf(tmp_path, agent) as shelved:
        agreed, reach = shelved.agreed(agent)
        diary = shelved.diaries
        taken = [diary._waiting.acquire(blocking=False) for _ in range(4)]
        assert all(taken)
        with pytest.raises(RefusedError) as refused:
            diary.minute(agreed, START, reach)
        assert refused.value.reason is Reason.BUSY
        diary._waiting.release(4)
        assert diary.minute(agreed, START, reach) != ()
