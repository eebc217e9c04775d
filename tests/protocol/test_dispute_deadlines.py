"""Deadlines: how they are counted, and what is seen of them without a calendar."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.cases import DAY, HOUR, PlainDays
from workseal_protocol.dispute import CaseError, Rule, Span, Wanted, count_due
from workseal_protocol.dispute.deadlines import (
    LENIENCE_MS,
    SEASON_DAYS,
    Announced,
    check_due,
    day_in,
    end_of_day,
)
from workseal_protocol.keys import Role
from workseal_protocol.records import CaseCalendar, Due

BERLIN, NEW_YORK, SANTIAGO = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "America/Santiago")
)
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Niue"]
MONDAY = date(2026, 11, 23)


def ms(*parts: int, zone: tzinfo = UTC) -> int:
    return int(datetime(*parts, tzinfo=zone).timestamp() * 1000)  # type: ignore[misc, arg-type]


def days_in(zone: str, *off: date, weekend: int = 0b1100000) -> PlainDays:
    return PlainDays(zone_name=zone, zone=ZoneInfo(zone), off=frozenset(off), weekend=weekend)


def refused(due: Due, span: Span, *announced: Announced) -> str:
    with pytest.raises(CaseError) as caught:
        check_due(due, span, announced)
    assert caught.value.rule is Rule.DEADLINE
    return str(caught.value)


# --- counting ---


@pytest.mark.parametrize(
    ("base", "days", "least", "end"),
    [
        pytest.param((2026, 11, 23, 12), 1, 0, date(2026, 11, 24), id="the day does not count"),
        pytest.param((2026, 11, 23, 0), 1, 0, date(2026, 11, 24), id="from the first second on"),
        pytest.param((2026, 11, 27, 12), 1, 0, date(2026, 11, 30), id="over a weekend"),
        pytest.param((2026, 11, 28, 12), 1, 0, date(2026, 11, 30), id="from a Saturday"),
        pytest.param((2026, 11, 23, 12), 10, 0, date(2026, 12, 7), id="two weeks"),
        pytest.param((2026, 11, 23, 12), 5, 14, date(2026, 12, 7), id="at least fourteen days"),
        pytest.param((2026, 11, 21, 12), 5, 14, date(2026, 12, 7), id="never ending on a weekend"),
    ],
)
def test_counts(base: tuple[int, ...], days: int, least: int, end: date) -> None:
    due = count_due(Span(ms(*base, zone=BERLIN), days, least), days_in("Europe/Berlin"))
    assert day_in(due.until, BERLIN) == end
    assert due.until == ms(end.year, end.month, end.day, 23, 59, 59, zone=BERLIN) + 999


def test_holidays_and_own_days_off_do_not_count() -> None:
    holidays = days_in("Europe/Berlin", date(2026, 11, 24), date(2026, 11, 26))
    due = count_due(Span(ms(2026, 11, 23, 12), 2), holidays)
    assert day_in(due.until, BERLIN) == date(2026, 11, 27)


def test_the_day_is_that_of_the_zone() -> None:
    at = ms(2026, 11, 23, 23, 30)
    berlin, new_york = (count_due(Span(at, 1), days_in(zone)) for zone in ZONES[:2])
    assert day_in(berlin.until, BERLIN) == date(2026, 11, 25)
    assert day_in(new_york.until, NEW_YORK) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("day", "zone", "offset"),
    [
        pytest.param(date(2026, 3, 28), BERLIN, 60, id="the day before summer time"),
        pytest.param(date(2026, 3, 29), BERLIN, 120, id="a day of 23 hours"),
        pytest.param(date(2026, 10, 25), BERLIN, 60, id="a day of 25 hours"),
        pytest.param(date(2026, 4, 4), SANTIAGO, -240, id="clocks go back at midnight"),
        pytest.param(date(2026, 9, 5), SANTIAGO, -240, id="midnight that does not come"),
    ],
)
def test_a_day_ends_with_its_last_millisecond(day: date, zone: tzinfo, offset: int) -> None:
    until, found = end_of_day(day, zone)
    assert found == offset
    assert (until + 1 + offset * 60_000) % DAY == 0
    assert day_in(until, zone) == day
    assert day_in(until + 1, zone) > day


def test_of_two_who_are_bound_the_later_end_counts() -> None:
    holiday = days_in("Europe/Berlin", date(2026, 11, 24))
    wanted = Wanted(Span(ms(2026, 11, 23, 12), 1), frozenset(Role))
    due = wanted.count([days_in("Europe/Berlin"), holiday, days_in("America/New_York")])
    assert day_in(due.until, BERLIN) == date(2026, 11, 25)


def test_a_deadline_after_a_stay_is_not_before_what_was_left() -> None:
    at = ms(2026, 11, 23, 12)
    due = count_due(Span(at, 1, 0, at + 9 * DAY), days_in("Europe/Berlin"))
    assert day_in(due.until, BERLIN) == date(2026, 12, 2)


# --- checking ---


@dataclass(frozen=True)
class Asked:
    span: Span
    calendar: PlainDays


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    base = draw(st.integers(ms(2026, 1, 1), ms(2030, 1, 1)))
    start = day_in(base, UTC)
    off = draw(st.frozensets(st.integers(0, 60), max_size=12))
    weekend = draw(st.sampled_from([0b1100000, 0b0110000, 0b0011000, 0b1110000]))
    days = draw(st.integers(1, 20))
    span = Span(
        base, days, draw(st.sampled_from([0, 14])), draw(st.sampled_from([0, base + 9 * DAY]))
    )
    zone = draw(st.sampled_from(ZONES))
    holidays = [start + timedelta(days=each) for each in off]
    return Asked(span, days_in(zone, *holidays, weekend=weekend))


@given(asked(), st.integers(0, 600_000))
def test_what_was_counted_is_accepted_also_when_it_is_logged_a_moment_later(
    one: Asked, later: int
) -> None:
    due = count_due(one.span, one.calendar)
    # Three days of weekend and a dozen holidays are more than any calendar has in a row.
    if day_in(due.until, UTC) - day_in(one.span.base_ms, UTC) <= timedelta(
        days=2 * one.span.days + SEASON_DAYS
    ):
        check_due(due, one.span, ())
        logged = replace(one.span, base_ms=one.span.base_ms + later)
        check_due(due, logged, ())


@given(st.integers(ms(2026, 1, 1), ms(2030, 1, 1)), st.integers(1, 20), st.sampled_from(ZONES))
def test_a_day_less_than_the_weekdays_is_refused(base: int, days: int, zone: str) -> None:
    calendar = days_in(zone)
    # Not within the leniency around midnight, where a day more is given.
    if day_in(base - LENIENCE_MS, calendar.zone) != day_in(base, calendar.zone):
        base += 2 * HOUR
    if day_in(base - LENIENCE_MS - HOUR, calendar.zone) != day_in(base, calendar.zone):
        return
    due = count_due(Span(base, days), calendar)
    fewer = count_due(Span(base, days - 1), calendar) if days > 1 else None
    if fewer is not None:
        refused(replace(fewer, days=days), Span(base, days))
    check_due(due, Span(base, days), ())


GOOD = count_due(Span(ms(2026, 11, 23, 12), 5), days_in("Europe/Berlin"))
SPAN = Span(ms(2026, 11, 23, 12), 5)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"days": 4}, "expected 5 working days, found 4", id="other days"),
        pytest.param({"until": GOOD.until - 1}, "last millisecond of a day", id="not the end"),
        pytest.param({"offset": 0}, "last millisecond of a day", id="another offset"),
        pytest.param({"until": GOOD.until - DAY}, "5 weekdays that", id="a day less"),
        pytest.param({"until": GOOD.until + 30 * DAY}, "at most 27 days", id="without end"),
        pytest.param({"weekend": 0b0000111}, "5 weekdays that", id="days of another weekend"),
    ],
)
def test_refuses_deadlines(changes: dict[str, Any], told: str) -> None:
    check_due(GOOD, SPAN, ())
    assert told in refused(replace(GOOD, **changes), SPAN)


def test_an_answer_has_fourteen_days_whatever_the_weekdays_say() -> None:
    assert "at least 14 days" in refused(GOOD, replace(SPAN, least_days=14))


def test_a_stay_gives_back_what_was_left() -> None:
    assert refused(GOOD, replace(SPAN, not_before_ms=GOOD.until + 1))


def test_days_off_count_when_they_were_announced_in_time() -> None:
    zero = date(1970, 1, 1)
    off = tuple((day - zero).days for day in (date(2026, 11, 25), date(2026, 11, 26)))
    calendar = CaseCalendar(name="US", zone="Europe/Berlin", weekend=0b1100000, days_off=off)
    assert "found 3" in refused(GOOD, SPAN, Announced(calendar, off[0] - 5))
    assert "found 4" in refused(GOOD, SPAN, Announced(calendar, off[0] - 4))
    check_due(GOOD, SPAN, (Announced(calendar, off[0]),))
    counted = count_due(SPAN, days_in("Europe/Berlin", date(2026, 11, 25), date(2026, 11, 26)))
    check_due(counted, SPAN, (Announced(calendar, off[0] - 5),))


@given(
    st.integers(ms(2026, 1, 1), ms(2030, 1, 1)),
    st.integers(1, 10),
    st.lists(st.sampled_from(ZONES), min_size=2, max_size=2),
    st.lists(st.integers(1, 40), max_size=10, unique=True),
    st.sampled_from([0b1100000, 0b0110000]),
)
def test_the_later_of_two_is_accepted_whatever_their_zones(
    base: int, days: int, zones: list[str], off: list[int], weekend: int
) -> None:
    one, other = (
        CaseCalendar(
            name="US",
            zone=zone,
            weekend=each,
            days_off=tuple(sorted(base // DAY + d for d in some)),
        )
        for zone, each, some in ((zones[0], 0b1100000, off), (zones[1], weekend, off[:3]))
    )
    dues = [
        count_due(Span(base, days), replace(PlainDays.of(each), zone=ZoneInfo(each.zone)))
        for each in (one, other)
    ]
    announced = tuple(Announced(each, base // DAY - 30) for each in (one, other))
    check_due(max(dues, key=lambda due: due.until), Span(base, days), announced)


def test_days_off_of_either_count_and_where_zones_differ_as_far_as_they_can_be_known() -> None:
    zero = date(1970, 1, 1)
    off = tuple(range((MONDAY - zero).days + 1, (MONDAY - zero).days + 8))
    away = CaseCalendar(name="DE", zone="Europe/Berlin", weekend=0b1100000, days_off=off)
    here = CaseCalendar(name="US", zone="Europe/Berlin", weekend=0b1100000)
    both = (Announced(here, off[0] - 30), Announced(away, off[0] - 30))
    assert "found 0" in refused(GOOD, SPAN, *both)
    assert "found 0" in refused(GOOD, SPAN, *reversed(both))
    # A day may begin and end 16 hours apart: two more are seen, and no more than two.
    abroad = replace(away, zone="Asia/Kolkata")
    assert "found 2" in refused(GOOD, SPAN, Announced(here, 0), Announced(abroad, off[0] - 30))
    check_due(GOOD, SPAN, (Announced(here, 0), Announced(replace(abroad, days_off=off[:1]), 0)))


def test_a_day_off_elsewhere_makes_no_deadline_longer() -> None:
    """Whoever announces ten days of another year gains none now."""
    zero = date(1970, 1, 1)
    far = tuple(range((MONDAY - zero).days + 1000, (MONDAY - zero).days + 1010))
    near = tuple(range((MONDAY - zero).days + 1, (MONDAY - zero).days + 11))
    longest = replace(GOOD, until=GOOD.until + 20 * DAY)
    late = replace(longest, until=longest.until + DAY)
    here = CaseCalendar(name="US", zone="Europe/Berlin", weekend=0b1100000)
    check_due(longest, SPAN, (Announced(here, 0),))
    for off in ((), far):
        assert "at most" in refused(late, SPAN, Announced(replace(here, days_off=off), 0))
    check_due(late, SPAN, (Announced(replace(here, days_off=near), 0),))


def test_an_endless_number_is_refused_without_counting_to_it() -> None:
    far = replace(GOOD, until=GOOD.until + 2_000_000 * DAY)
    assert "at most" in refused(far, SPAN)
