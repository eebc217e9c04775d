import builtins
import os
import sys
from datetime import UTC, date, datetime
from typing import Any

import pytest

from support.builders import CLIENT, NOW
from support.cases import DAY, Play, case_terms
from workseal_protocol.cli import calendars
from workseal_protocol.cli.calendars import CalendarError, HolidayDays, holiday_days
from workseal_protocol.dispute import Span, count_due
from workseal_protocol.keys import Role
from workseal_protocol.records import Act
from workseal_protocol.terms import Terms

LONG = bool(os.environ.get("WORKSEAL_LONG"))
COUNTRIES = (
    "US", "DE", "GB", "FR", "IN", "CN", "BR", "UA", "PL", "RO", "PH", "PK", "BD", "EG", "NG", "KE",
    "ZA", "AR", "MX", "CO", "CA", "AU", "NZ", "JP", "KR", "VN", "ID", "TR", "IL", "AE", "ES", "IT",
    "PT", "NL", "SE", "CH",
)  # fmt: skip


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def test_three_days_over_the_fourth_of_july_end_on_wednesday() -> None:
    """The account of the mission: three days to answer, over a holiday weekend."""
    days = holiday_days("US", "America/New_York")
    noticed = ms(2020, 7, 2, 19)
    due = count_due(Span(noticed, 3), days)
    assert due.until == ms(2020, 7, 9, 4) - 1
    assert count_due(Span(noticed, 10), days).until == ms(2020, 7, 18, 4) - 1
    assert (due.calendar, due.zone, due.offset, due.weekend) == (
        "US", "America/New_York", -240, 0b1100000,
    )  # fmt: skip
    assert due.source.startswith("holidays ")


def test_the_example_of_the_specification() -> None:
    due = count_due(Span(ms(2020, 7, 2, 19), 5), holiday_days("US", "America/New_York"))
    assert due.until == 1_594_439_999_999


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    corpus_christi = date(2026, 6, 4)
    assert not holiday_days("DE-BY", "Europe/Berlin").works(corpus_christi)
    assert holiday_days("DE-BE", "Europe/Berlin").works(corpus_christi)


def test_a_country_keeps_its_own_weekend() -> None:
    israel = holiday_days("IL", "Asia/Jerusalem")
    assert israel.weekend == 0b0110000
    assert not israel.works(date(2026, 11, 27))  # a Friday
    assert israel.works(date(2026, 11, 29))  # a Sunday


def test_a_made_up_saturday_is_a_weekend_day_all_the_same() -> None:
    china = holiday_days("CN", "Asia/Shanghai")
    table, _ = calendars._table_of("CN")
    made_up = next(day for day in sorted(table_days(table, 2025)) if day.weekday() == 5)
    assert table.is_working_day(made_up)
    assert not china.works(made_up)


def table_days(table: Any, year: int) -> list[date]:
    table.is_working_day(date(year, 1, 1))
    return [day for day in table.weekend_workdays if day.year == year]


def test_an_estimated_holiday_is_a_holiday() -> None:
    table, _ = calendars._table_of("EG")
    table.is_working_day(date(2027, 1, 1))
    egypt = holiday_days("EG", "Africa/Cairo")
    estimated = [day for day, name in table.items() if day.year == 2027 and "estimated" in name]
    assert len(estimated) > 3
    assert not any(egypt.works(day) for day in estimated)


def test_a_week_has_five_working_days_at_most() -> None:
    assert calendars._weekend_of({6}) == 0b1100000
    assert calendars._weekend_of({5}) == 0b1100000
    assert calendars._weekend_of({4}) == 0b0110000
    assert calendars._weekend_of(set()) == 0b1100000


def test_own_days_off_do_not_count() -> None:
    off = (date(2026, 11, 25) - date(1970, 1, 1)).days
    days = holiday_days("DE", "Europe/Berlin", [off])
    assert not days.works(date(2026, 11, 25))
    assert days.announced().days_off == (off,)
    assert days.announced().name == "DE"


def test_refuses_years_that_the_table_does_not_have() -> None:
    germany = holiday_days("DE", "Europe/Berlin")
    for day in (date(1990, 12, 31), date(2101, 1, 3)):
        with pytest.raises(CalendarError, match="known from 1991 to 2100"):
            germany.works(day)


@pytest.mark.parametrize(
    ("name", "zone", "told"),
    [
        ("XX", "UTC", "no holidays are known for XX"),
        ("DE-ZZ", "UTC", "no holidays are known for DE-ZZ"),
        ("DE", "Mars/Olympus", "does not know the time zone Mars/Olympus"),
    ],
)
def test_says_what_is_not_known(name: str, zone: str, told: str) -> None:
    with pytest.raises(CalendarError, match=told):
        holiday_days(name, zone)


def test_says_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "holidays":
            raise ImportError(name)
        return real(name, *rest)

    calendars._table_of.cache_clear()
    monkeypatch.delitem(sys.modules, "holidays", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(CalendarError, match=r"pip install 'workseal\[calendar\]'"):
        holiday_days("DE", "Europe/Berlin")


# --- the ninety days ---


class Known(HolidayDays):
    """The same days, looked up once: a year of starts asks for each of them a thousand times."""

    __slots__ = ()
    _seen: dict[tuple[str, date], bool] = {}  # noqa: RUF012

    def works(self, day: date) -> bool:
        key = (self.name, day)
        if key not in self._seen:
            self._seen[key] = super().works(day)
        return self._seen[key]


def known(country: str, zone: str) -> Known:
    days = holiday_days(country, zone)
    return Known(days.name, zone, days.zone, days.source, days.weekend, days.days_off, days._table)


def slowest(days: Any, start: int, terms: Terms) -> Play:
    """Let everybody wait for the end of every deadline, with one extension and one request."""
    people = dict.fromkeys(Role, days)
    play = Play.begin(now=start, calendars=people, terms=terms)
    play.act(Role.OPERATOR, Act.NOTICE)
    last(play).act(Role.FREELANCER, Act.EXTEND)
    last(play).act(Role.FREELANCER, Act.ANSWER)
    play.lapse()
    last(play).act(Role.CLIENT, Act.DRAW)
    play.act(Role.ARBITRATOR, Act.DECLARE).lapse()
    last(play).act(Role.ARBITRATOR, Act.ASK).lapse()
    last(play).act(Role.ARBITRATOR, Act.RULE)
    last(play).act(Role.FREELANCER, Act.SHOW)
    last(play).act(Role.CLIENT, Act.COMMENT)
    last(play).act(Role.ARBITRATOR, Act.DRAFT).lapse()
    return last(play).act(Role.ARBITRATOR, Act.DECIDE)


def last(play: Play) -> Play:
    """Wait for the last second of the deadline."""
    assert play.case.due is not None
    play.now = max(play.now, play.case.due.until - 500)
    return play


def test_the_slowest_case_is_decided_within_ninety_days() -> None:
    starts = range(365) if LONG else (0, 43, 260, 337)
    countries = COUNTRIES if LONG else ("US", "CN", "PH", "IL", "DE")
    longest, cases = 0.0, 0
    for country in countries:
        terms = case_terms(
            client_calendar=country, freelancer_calendar=country, zone="Europe/Berlin"
        )
        days = known(country, "Europe/Berlin")
        for start in starts:
            play = slowest(days, ms(2026, 1, 1, 11) + start * DAY, terms)
            effective = play.case.effective_at
            assert effective is not None
            took = (play.now - effective - play.case.stopped_ms) / DAY
            assert took < 90, (country, start, took)
            longest, cases = max(longest, took), cases + 1
    print(f"{cases} slowest cases, the longest {longest:.1f} days")  # noqa: T201
    assert longest > 80
    assert len(COUNTRIES) == 36


def test_a_case_in_two_countries_is_counted_by_the_later_one() -> None:
    days = {
        Role.CLIENT: holiday_days("US", "Europe/Berlin"),
        Role.FREELANCER: holiday_days("DE-BY", "Europe/Berlin"),
    }
    thanksgiving = ms(2026, 11, 23, 9)
    play = Play.begin(by=CLIENT, now=thanksgiving, calendars=days)  # type: ignore[arg-type]
    play.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    assert play.case.due is not None
    assert play.case.due.due is not None
    assert play.case.due.due.calendar == "US"
    assert play.case.due.until == ms(2026, 11, 30, 23) - 1
    assert thanksgiving < NOW + DAY
