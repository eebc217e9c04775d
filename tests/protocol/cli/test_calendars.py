import builtins
import os
import sys
from datetime import UTC, date, datetime
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.builders import CLIENT, FREELANCER, NOW
from support.cases import DAY, Play, case_terms
from support.slowest import WAYS, ZONE, Pair, Way
from workseal_protocol.cli import calendars
from workseal_protocol.cli.calendars import (
    CalendarError,
    HolidayDays,
    holiday_days,
    zone_everywhere,
)
from workseal_protocol.dispute import Span, count_due
from workseal_protocol.dispute.values import LIMIT_DAYS, ROOM_DAYS
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act

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


def test_a_zone_everywhere_is_one_of_the_package_by_its_own_name() -> None:
    """Of the others one machine knows some, or means another zone by them."""
    assert zone_everywhere("America/Coyhaique") == ZoneInfo("America/Coyhaique")
    for name in (
        "europe/berlin",
        "localtime",
        "posix/Europe/Berlin",
        "Europe",
        "Factory",
        "Mars/A",
        "",
    ):
        assert zone_everywhere(name) is None


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
    calendars._zones.cache_clear()
    monkeypatch.setitem(sys.modules, "tzdata", None)
    with pytest.raises(CalendarError, match=r"pip install 'workseal\[calendar\]'"):
        zone_everywhere("Europe/Berlin")


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


def slowest(pair: tuple[str, str], start: int, way: Way, by: SeedSigner) -> Play:
    """Let everybody wait for the end of every deadline, with one request."""
    client, freelancer = (known(country, ZONE) for country in pair)
    people = {Role.CLIENT: client, Role.FREELANCER: freelancer}
    terms = case_terms(
        client_calendar=pair[0], freelancer_calendar=pair[1], zone=ZONE, answer_days=way.answer
    )
    play = Play.begin(by=by, now=start, calendars=people, terms=terms)  # type: ignore[arg-type]
    # Who announced no calendar counts by both parties' days.
    del play.calendars[Role.ARBITRATOR], play.calendars[Role.OPERATOR]
    play.act(Role.OPERATOR, Act.NOTICE)
    respondent = play.case.respondent
    if way.second:
        last(play.lapse()).act(respondent, Act.ANSWER)
    else:
        if way.extension:
            last(play).act(respondent, Act.EXTEND)
        last(play).act(respondent, Act.ANSWER).lapse()
    last(play).act(Role.CLIENT, Act.DRAW)
    last(play).act(Role.ARBITRATOR, Act.DECLARE).lapse()
    last(play).act(Role.ARBITRATOR, Act.ASK).lapse()
    last(play).act(Role.ARBITRATOR, Act.RULE)
    last(play).act(Role.FREELANCER, Act.SHOW)
    last(play).act(Role.CLIENT, Act.COMMENT)
    last(play).act(Role.ARBITRATOR, Act.DRAFT).lapse()
    last(play).act(Role.ARBITRATOR, Act.DECIDE)
    assert not play.case.late
    assert play.case.stopped_ms == 0
    return play


def last(play: Play) -> Play:
    """Wait for the last second of the deadline."""
    assert play.case.due is not None
    play.now = max(play.now, play.case.due.until - 500)
    return play


def day_of(ms: int) -> int:
    """Number the day in the zone."""
    there = datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(ZONE)).date()
    return (there - date(1970, 1, 1)).days


FIRST = (date(2025, 1, 1) - date(1970, 1, 1)).days
# The short form has the starts from which the holidays of the slowest pairs lie on the way.
STARTS = (
    range(FIRST, FIRST + 3 * 365)
    if LONG
    else [*range(FIRST + 320, FIRST + 350), *range(FIRST + 380, FIRST + 420)]
)
SPAN = range(FIRST, FIRST + 4 * 365)
# Those of the slowest pairs in the long form, and some with the same days.
PAIRS = (
    list(product(COUNTRIES, repeat=2))
    if LONG
    else [("CN", "BD"), ("BD", "CN"), ("BD", "VN"), ("VN", "BD"), ("PH", "CN"), ("CN", "PH"),
          ("NL", "CN"), ("US", "IL"), ("DE", "DE"), ("CN", "CN")]
)  # fmt: skip


# An arbitrator may announce the days of a third country.
WITH_THIRD = (
    list(product(("CN", "BD", "VN", "PH", "US", "IL", "DE", "IN"), COUNTRIES, COUNTRIES))
    if LONG
    else [("CN", "IN", "NG"), ("IN", "CN", "AR"), ("US", "DE", "CN")]
)


def test_the_slowest_case_is_decided_within_ninety_days() -> None:
    """Whatever days the terms give for an answer, whoever filed, with a late declaration."""
    longest = (0, "", 0)
    for client, freelancer in PAIRS:
        pair = Pair(client, freelancer, SPAN)
        for way, filer in product(WAYS, ("client", "freelancer")):
            took, start = max((pair.decided(day, way, filer=filer) - day, day) for day in STARTS)
            longest = max(longest, (took, f"{client} {freelancer} {way} {filer}", start))
    # The day of the notice and that of the decision may both be whole ones.
    assert longest[0] + 1 < LIMIT_DAYS, longest
    assert longest[0] > 80
    print(f"{len(PAIRS)} pairs, {len(STARTS)} starts: the longest took {longest}")  # noqa: T201


def test_an_arbitrator_in_a_third_country_decides_within_ninety_days() -> None:
    longest = max(
        (pair.decided(day, Way(), filer=filer) - day, three, filer, day)
        for three in WITH_THIRD
        for pair in (Pair(three[0], three[1], SPAN, three[2]),)
        for filer in ("client", "freelancer")
        for day in STARTS
    )
    # Notice on one day, decision at the end of another: this and less than a day.
    assert longest[0] < LIMIT_DAYS, longest
    print(f"{len(WITH_THIRD)} with a third country: the longest took {longest}")  # noqa: T201


def test_a_further_request_has_the_room_that_it_may_need() -> None:
    longest = max(
        (pair.asked_again(day) - day, day)
        for pair in (Pair(client, freelancer, SPAN) for client, freelancer in PAIRS)
        for day in STARTS
    )
    assert longest[0] + 1 <= ROOM_DAYS, longest
    assert longest[0] > 45


@pytest.mark.parametrize(
    ("pair", "start", "way", "by"),
    [
        (("CN", "BD"), (2026, 2, 11), Way(), FREELANCER),
        (("BD", "CN"), (2026, 2, 5), Way(second=True), CLIENT),
        (("CN", "PH"), (2026, 2, 6), Way(12), FREELANCER),
        (("VN", "IL"), (2025, 12, 8), Way(12, second=True), CLIENT),
        (("US", "DE"), (2026, 11, 20), Way(15), CLIENT),
    ],
)
def test_a_case_is_played_as_the_days_are_counted(
    pair: tuple[str, str], start: tuple[int, int, int], way: Way, by: SeedSigner
) -> None:
    play = slowest(pair, ms(*start, 11), way, by)
    filer = "client" if by is CLIENT else "freelancer"
    first = day_of(play.case.effective_at or 0)
    assert day_of(play.now) == Pair(*pair, SPAN).decided(first, way, filer=filer)
    assert play.now - (play.case.effective_at or 0) < LIMIT_DAYS * DAY


def test_a_case_in_two_countries_is_counted_by_the_later_one() -> None:
    days = {
        Role.CLIENT: holiday_days("US", "Europe/Berlin"),
        Role.FREELANCER: holiday_days("DE-BY", "Europe/Berlin"),
    }
    thanksgiving = ms(2026, 11, 24, 9)
    play = Play.begin(by=CLIENT, now=thanksgiving, calendars=days)  # type: ignore[arg-type]
    play.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    assert play.case.due is not None
    assert play.case.due.due is not None
    assert play.case.due.due.calendar == "US"
    assert play.case.due.until == ms(2026, 11, 27, 23) - 1
    assert thanksgiving > NOW
