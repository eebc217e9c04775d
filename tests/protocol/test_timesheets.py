from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import make_segment
from support.scripted import Story, begin, finish
from support.simulator import DAY_MS, START, Simulator
from workseal_protocol.billing import billed_of
from workseal_protocol.records import DeclarationForm, SegmentState, SheetAnswer, Timesheet
from workseal_protocol.terms import RoundingMode
from workseal_protocol.timesheets import (
    Agreement,
    date_of,
    day_number,
    day_written,
    sums_of,
    timesheets_of,
)
from workseal_protocol.verify import Report, examine_bundle

ZONE = ZoneInfo("Europe/Berlin")
FIRST = datetime.fromtimestamp(START / 1000, tz=UTC).date()
DAY = timedelta(days=1)


@given(st.dates())
def test_a_day_has_one_form(day: date) -> None:
    assert day_written(day.isoformat()) == day


@pytest.mark.parametrize(
    "text", ["20261101", "2026-W44-7", "2026-13-01", "0000-01-01", "2026-11-01T00:00", "2026-11-1"]
)
def test_what_else_may_be_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|month|year|day|isoformat"):
        day_written(text)


@cache
def told() -> Story:
    verifier = Simulator(b"sheets")
    terms = verifier.terms(rounding_ms=360_000, rounding_mode=RoundingMode.UP)
    agent = begin(verifier, terms=terms)
    agent.open_session()
    agent.work(34_000)
    early = agent.sum_up(FIRST, FIRST)
    agent.reply(early, SheetAnswer.QUESTION, "is that all?")
    agent.work(20_000, SegmentState.SEALED)
    agent.close_session()
    verifier.now += DAY_MS
    agent.open_session()
    agent.work(40_000)
    agent.close_session()
    verifier.now += DAY_MS
    end = verifier.now - 1_000
    agent.declare(DeclarationForm.LATE, end - 3_600_000, end, 1_800_000)
    agent.send()
    agent.sum_up(FIRST, FIRST, replaces=early.digest)
    both = agent.sum_up(FIRST, FIRST + 6 * DAY)
    agent.reply(both, SheetAnswer.OBJECTION, "too much")
    agent.reply(both, SheetAnswer.ACCEPTED)
    agent.sum_up(FIRST + 20 * DAY, FIRST + 26 * DAY)
    agent.sum_up(FIRST, FIRST, amount=1)
    agent.sum_up(FIRST, FIRST, days=())
    agent.sum_up(FIRST, FIRST, head=both.digest)
    contents, tsa = finish(verifier, agent, ())
    return Story(verifier, agent, contents, tsa)


@cache
def report(zone: str = "Europe/Berlin") -> Report:
    return examine_bundle(told().bundle().encode(), told().policy, zone=ZoneInfo(zone))


def test_what_is_folded_again_agrees() -> None:
    assert report().holds
    found = report().timesheets
    agreements = [one.agreement for one in found]
    assert agreements[:4] == [Agreement.AGREES] * 4
    # The first counted up to the middle of its day, and was right about that.
    assert [sum(row.working for row in one.record.days) for one in found[:3]] == [
        34_000,
        34_000,
        74_000,
    ]
    assert [row.late_declared for row in found[2].record.days] == [0, 0, 1_800_000]
    assert found[3].record.days == ()


@pytest.mark.parametrize(
    ("place", "agreement", "why"),
    [
        (4, Agreement.DIFFERS, "cost something else"),
        (5, Agreement.DIFFERS, "not those of the chain"),
        (6, Agreement.UNCHECKED, "not in the chain here"),
    ],
)
def test_another_figure_is_told_and_fails_nothing(
    place: int, agreement: Agreement, why: str
) -> None:
    found = report().timesheets[place]
    assert found.agreement is agreement
    assert why in found.why
    assert report().by_number()[13].why == (
        "timesheets that differ from the record: 2, timesheets that overlap: 4"
    )


def test_the_newest_answer_counts_and_a_replaced_one_says_so() -> None:
    first, second, third, *_ = report().timesheets
    assert first.replaced_by == second.digest
    assert first.answer is not None
    assert first.answer.answer is SheetAnswer.QUESTION
    assert second.answer is None
    assert [one.record.answer for one in third.answers] == [
        SheetAnswer.OBJECTION,
        SheetAnswer.ACCEPTED,
    ]
    assert third.answer is third.answers[-1].record


def test_hours_that_stand_in_two_timesheets_are_told() -> None:
    first, second, both, none, other_amount, no_days, other_head = report().timesheets
    assert first.overlaps is None  # it was replaced
    assert (second.overlaps, both.overlaps) == (both.digest, second.digest)
    assert (none.overlaps, no_days.overlaps) == (None, None)
    assert (other_amount.overlaps, other_head.overlaps) == (second.digest, second.digest)


def test_a_timesheet_of_other_days_replaces_nothing() -> None:
    entries = report().entries
    sheets = [one for one in entries if isinstance(one.record, Timesheet)]
    away = sheets[3]  # of another week
    assert isinstance(away.record, Timesheet)
    changed = tuple(
        replace(one, record=replace(away.record, replaces=sheets[2].digest)) if one is away else one
        for one in entries
    )
    found = timesheets_of(told().agent.terms, changed, ZONE)
    assert found[2].replaced_by is None


def test_with_another_zone_nothing_is_checked() -> None:
    assert report("UTC").holds
    assert {one.agreement for one in report("UTC").timesheets} == {Agreement.UNCHECKED}
    assert "does not know Europe/Berlin" in report("UTC").timesheets[0].why


def test_a_head_that_came_later_is_none() -> None:
    entries = report().entries
    sheet = next(one for one in entries if isinstance(one.record, Timesheet))
    later = next(one for one in entries if one.record.KIND == "session.close")
    assert isinstance(sheet.record, Timesheet)
    changed = tuple(
        replace(one, record=replace(sheet.record, head=later.digest)) if one is sheet else one
        for one in entries
    )
    found = timesheets_of(told().agent.terms, changed, ZONE)[0]
    assert (found.agreement, found.why) == (
        Agreement.DIFFERS,
        "it counts up to a statement that came after it",
    )


def test_answers_that_came_before_are_none() -> None:
    entries = report().entries
    backwards = tuple(replace(one, index=len(entries) - one.index) for one in entries)
    found = timesheets_of(told().agent.terms, backwards, ZONE)
    assert all(one.answers == () for one in found)


def test_a_reader_works_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workseal_protocol.timesheets.MAX_CHECKED", 2)
    found = timesheets_of(told().agent.terms, report().entries, ZONE)
    assert [one.agreement for one in found[:3]] == [
        Agreement.AGREES,
        Agreement.AGREES,
        Agreement.UNCHECKED,
    ]
    assert "the first 2" in found[2].why


def test_sums_are_those_of_the_totals() -> None:
    totals = report().totals
    assert totals is not None
    records = [entry.record for entry in report().entries]
    terms = told().agent.terms
    sums = sums_of(terms, records, ZONE, first=totals.days[0].day, last=totals.days[-1].day)
    assert sums.billed == totals.billed
    for day in totals.days:
        one = sums_of(terms, records, ZONE, first=day.day, last=day.day)
        assert one.billed == billed_of(terms, [day])
        (row,) = one.days
        shown = (row.working, row.off_screen, row.sealed, row.late_declared)
        assert shown == tuple(day.worked_ms.values())


def test_a_day_of_no_hours_has_no_row() -> None:
    idle = make_segment(begin=START, end=START, worked=0)
    sums = sums_of(told().agent.terms, [idle], ZONE, first=FIRST, last=FIRST)
    assert (sums.days, sums.billed.ms) == ((), 0)


@given(st.dates(date(1970, 1, 1), date(9999, 12, 31)))
def test_days_are_numbered_from_1970(day: date) -> None:
    assert date_of(day_number(day)) == day
    assert (date_of(0), day_number(date(9999, 12, 31))) == (date(1970, 1, 1), 2_932_896)
