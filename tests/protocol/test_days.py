"""Work cut into days: all of it, in order, whatever a zone does at midnight."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import ROUND, ROUND_MS, make_declaration, make_terms
from support.worked import TIMER, millis, plain, total
from workseal_protocol.chain import LAST_INSTANT
from workseal_protocol.days import HOUR_MS, cut_days
from workseal_protocol.terms import WorkClass

BERLIN = ZoneInfo("Europe/Berlin")
DAY_MS = 24 * HOUR_MS


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2026, 3, 28), 24, id="the day before"),
        pytest.param(date(2026, 3, 29), 23, id="clocks go forward"),
        pytest.param(date(2026, 10, 25), 25, id="clocks go back"),
    ],
)
def test_a_day_in_berlin_has_its_hours(day: date, hours: int) -> None:
    begin = millis(day.year, day.month, day.day, zone=BERLIN)
    after = day + timedelta(days=1)
    end = millis(after.year, after.month, after.day, zone=BERLIN)
    assert end - begin == hours * HOUR_MS
    assert list(cut_days(begin, end, BERLIN)) == [(day, begin, end)]
    # Declared over three days: each gets the share of its length.
    worked = end - begin + 2 * HOUR_MS
    late = make_declaration(begin=begin - HOUR_MS, end=end + HOUR_MS, worked=worked)
    days = total(make_terms(), [late], BERLIN).days
    shares = [one.worked_ms[WorkClass.LATE_DECLARED] for one in days]
    assert shares == [HOUR_MS, hours * HOUR_MS, HOUR_MS]


def test_of_a_midnight_that_comes_twice_the_next_one_counts() -> None:
    # In Havana the first hour of 2026-11-01 is told twice.
    havana = ZoneInfo("America/Havana")
    begin, end = millis(2026, 11, 1, 2), millis(2026, 11, 2, 8)
    first, second = millis(2026, 11, 1, 4), millis(2026, 11, 1, 5)
    midnight = millis(2026, 11, 2, 5)
    assert list(cut_days(begin, end, havana)) == [
        (date(2026, 10, 31), begin, first),
        (date(2026, 11, 1), first, midnight),
        (date(2026, 11, 2), midnight, end),
    ]
    assert next(cut_days(second - 1, end, havana)) == (date(2026, 11, 1), second - 1, midnight)


@pytest.mark.parametrize(
    "zone",
    [
        pytest.param(ZoneInfo("Asia/Kolkata"), id="half an hour"),
        pytest.param(ZoneInfo("Asia/Kathmandu"), id="three quarters"),
        pytest.param(ZoneInfo("Africa/Cairo"), id="midnight is skipped"),
        pytest.param(ZoneInfo("America/Sao_Paulo"), id="midnight came twice"),
        pytest.param(ZoneInfo("Pacific/Apia"), id="a day was skipped"),
        pytest.param(timezone(timedelta(hours=14)), id="fixed"),
        pytest.param(UTC, id="utc"),
    ],
)
@given(data=st.data())
def test_days_cover_the_time_in_order_and_without_a_gap(zone: tzinfo, data: st.DataObject) -> None:
    begin = data.draw(st.integers(millis(2005, 1, 1), millis(2027, 1, 1)))
    end = begin + data.draw(st.integers(1, 9 * DAY_MS))
    parts = list(cut_days(begin, end, zone))
    assert [low for _, low, _ in parts] == [begin, *(high for _, _, high in parts[:-1])]
    assert parts[-1][2] == end
    for day, low, high in parts:
        assert low < high
        for instant in (low, high - 1):
            local = datetime.fromtimestamp(instant // 1000, tz=UTC).astimezone(zone)
            assert local.date() == day


@pytest.mark.parametrize("zone", [ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")])
def test_days_can_be_told_as_far_as_the_chain_allows(zone: tzinfo) -> None:
    for begin in (0, LAST_INSTANT - 8 * DAY_MS):
        assert sum(high - low for _, low, high in cut_days(begin, begin + 8 * DAY_MS, zone))


@given(st.integers(0, 2**40), st.integers(1, 600_000), st.integers(0, 600_000))
def test_the_days_of_a_segment_add_up_to_it(begin: int, length: int, worked: int) -> None:
    segment = replace(plain(begin, 0), end=begin + length, worked=worked)
    days = total(make_terms(**TIMER), [segment], BERLIN).days
    assert sum(one.worked_ms[WorkClass.WORKING] for one in days) == worked


def test_a_segment_without_length_counts_in_its_day() -> None:
    at = ROUND * ROUND_MS
    (day,) = total(make_terms(**TIMER), [replace(plain(at, 0), worked=700)]).days
    assert day.worked_ms[WorkClass.WORKING] == 700
