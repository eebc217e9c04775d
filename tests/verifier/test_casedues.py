"""Deadlines and calendars that the log takes and refuses, with a real table of holidays."""

import zoneinfo
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.cases import FREELANCER_DAYS
from support.hearings import CLIENTS, DAY_MS, Hearing
from support.office import Office, unique
from support.refusing import refused
from support.scripted import ScriptedAgent
from workseal_protocol.cli.calendars import holiday_days
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.dispute import Span, count_due
from workseal_protocol.dispute.deadlines import check_due
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    CaseCalendar,
    DisputeAct,
    DisputeFiling,
    Due,
    read_record,
    sign,
)
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.casedues import require_countable, require_zone


@pytest.fixture
def hearing(office: Office, agent: ScriptedAgent) -> Hearing:
    return Hearing(office, agent.engagement, agent.terms)


@pytest.fixture
def only_here(tmp_path: Path) -> Iterator[None]:
    """Let this machine know zones that others do not: one of its own, one in small letters."""
    berlin = files("tzdata").joinpath("zoneinfo", "Europe", "Berlin").read_bytes()
    for name in ("Here/Alone", "europe/berlin"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(berlin)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path), *before])
    assert zone_named("Here/Alone") is not None
    yield
    zoneinfo.reset_tzpath(before)


@pytest.mark.parametrize("minutes", [960, 0, -960, 61])
def test_a_day_ends_with_the_clock_of_its_zone(
    office: Office, hearing: Hearing, minutes: int
) -> None:
    """By an offset of 16 hours a sender would take most of the other party's last day."""

    def shifted(due: Due) -> Due:
        return replace(due, offset=minutes, until=due.until + (due.offset - minutes) * 60_000)

    honest = read_record(hearing.filing())
    assert isinstance(honest, DisputeFiling)
    false = sign(replace(honest, due=shifted(honest.due)), office.people.client)
    told = refused(lambda: office.post([false]))
    assert f"minutes east of UTC in Europe/Berlin, found {minutes}" in told.detail
    hearing.file()
    notice = hearing.statement(Role.OPERATOR, Act.NOTICE)
    due = read_record(notice).place.due  # type: ignore[union-attr]
    assert due is not None
    late = hearing.statement(Role.OPERATOR, Act.NOTICE, due=shifted(due))
    assert "minutes east of UTC" in refused(lambda: office.post([late])).detail
    hearing.act(Role.OPERATOR, Act.NOTICE)


@pytest.mark.parametrize(
    ("zone", "told"),
    [("Europe/Berlin", "the deadline: expected at most 27 days"), ("Asia/Tokyo", "the calendar: ")],
)
def test_a_deadline_in_the_year_9999_is_a_refusal(
    office: Office, hearing: Hearing, zone: str, told: str
) -> None:
    """No calendar reaches beyond that year, where it has come already east of UTC."""
    due = Due(
        until=253_402_300_799_999,
        days=5,
        calendar="DE-BY",
        source="x",
        zone=zone,
        offset=0,
        weekend=0b1100000,
    )
    filing = hearing.filing(due=due)
    with pytest.raises(RefusedError, match=told):
        office.post([filing])
    hearing.file()
    notice = hearing.statement(Role.OPERATOR, Act.NOTICE, due=replace(due, days=10))
    with pytest.raises(RefusedError, match=told.partition("at most")[0]):
        office.post([notice])
    hearing.act(Role.OPERATOR, Act.NOTICE)


def test_a_day_whose_last_hour_is_skipped_ends_when_every_program_says() -> None:
    """In Greenland clocks go from Saturday 23:00 to Sunday; in Brunei Saturday is worked."""
    friday = int(datetime(2026, 3, 27, 12, tzinfo=UTC).timestamp()) * 1000
    due = count_due(Span(friday, 1), holiday_days("BN", "America/Nuuk"))
    assert (due.until + 1, due.offset) == (
        int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()) * 1000,
        -60,
    )
    check_due(due, Span(friday, 1), [])
    require_zone(due)
    with pytest.raises(RefusedError, match="expected -60 minutes east of UTC"):
        require_zone(replace(due, offset=-120))


def test_a_zone_that_nobody_knows_here_is_taken_as_told(office: Office, hearing: Hearing) -> None:
    zone = "Mars/Olympus"
    terms = replace(hearing.terms, zone=zone)
    agent = ScriptedAgent(office, engagement=unique(office, "mars"), terms=terms)
    made = Hearing(office, agent.engagement, terms)
    filing = read_record(made.filing())
    assert isinstance(filing, DisputeFiling)
    office.post([sign(replace(filing, due=replace(filing.due, zone=zone)), office.people.client)])


def test_a_deadline_is_what_the_table_that_it_names_gives(hearing: Hearing) -> None:
    """One who names the table of this server is held to it; another table is taken as told."""
    days = {
        Role.CLIENT: holiday_days("US", hearing.terms.zone),
        Role.FREELANCER: holiday_days("DE-BY", hearing.terms.zone),
    }
    now = hearing.office.now
    longer = count_due(Span(now, 6), days[Role.FREELANCER])
    false = replace(longer, days=5)
    with pytest.raises(RefusedError, match="by holidays"):
        hearing.office.post([hearing.filing(due=false)])
    hearing.file(due=count_due(Span(now, 5), days[Role.FREELANCER]))
    honest = count_due(Span(now, 10, least_days=14), days[Role.FREELANCER])
    later = replace(count_due(Span(now, 11, least_days=14), days[Role.FREELANCER]), days=10)
    assert later.until > honest.until
    with pytest.raises(RefusedError, match=f"expected {honest.until} by holidays"):
        hearing.office.post([hearing.statement(Role.OPERATOR, Act.NOTICE, due=later)])
    # Two versions differ by a feast; a table that nobody has would give somebody weeks.
    latest = honest.until + 7 * DAY_MS
    for until, taken in ((latest + DAY_MS, False), (latest, True)):
        due = replace(honest, until=until, source="holidays 0.1")
        told = hearing.statement(Role.OPERATOR, Act.NOTICE, due=due)
        if taken:
            hearing.office.post([told])
            continue
        with pytest.raises(RefusedError, match=f"expected {latest} at the latest, 7 days after"):
            hearing.office.post([told])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"zone": "Atlantis/Town"}, "of the tzdata package, spelt as there, found Atlantis/Town"),
        ({"zone": "europe/berlin"}, "of the tzdata package, spelt as there, found europe/berlin"),
        ({"zone": "Here/Alone"}, "of the tzdata package, spelt as there, found Here/Alone"),
        ({"weekend": 0b1110000}, "Saturday and Sunday, found Friday and Saturday and Sunday"),
        ({"weekend": 0b0110000}, "Saturday and Sunday, found Friday and Saturday"),
    ],
)
def test_days_that_nobody_could_count_by_are_refused(
    hearing: Hearing, only_here: None, changes: dict[str, Any], told: str
) -> None:
    """Else no program could write the next deadline, and the case would stand still."""
    del only_here
    usual = CaseCalendar(name="US", zone="Europe/Berlin", weekend=0b1100000)
    calendar = replace(usual, **changes)
    with pytest.raises(RefusedError, match=f"the calendar: expected .*{told}"):
        hearing.office.post([hearing.filing(calendar=calendar)])
    hearing.file().act(Role.OPERATOR, Act.NOTICE)
    due = replace(count_due(Span(hearing.office.now, 6), CLIENTS), days=2)
    calendar = replace(calendar, name="DE-BY")
    answer = hearing.statement(Role.FREELANCER, Act.ANSWER, calendar=calendar, due=due)
    hearing.case.after(answer, hearing.office.now)
    with pytest.raises(RefusedError, match=f"the calendar: expected .*{told}"):
        hearing.office.post([answer])


def test_who_announced_nothing_has_the_weekend_of_their_country(hearing: Hearing) -> None:
    """Else whoever writes a deadline would choose the weekend of who is bound by it."""
    span = Span(hearing.office.now, 5)
    honest = count_due(span, FREELANCER_DAYS)
    there = replace(FREELANCER_DAYS, zone=ZoneInfo(FREELANCER_DAYS.zone_name), source="mine")
    days = [replace(there, weekend=3 << first) for first in range(6)]
    short = min((count_due(span, one) for one in days), key=lambda due: due.until)
    assert short.until < honest.until
    with pytest.raises(RefusedError, match=r"expected \d+ or later"):
        hearing.office.post([hearing.filing(due=short)])
    hearing.file()


def test_the_word_of_who_announced_no_days_gives_no_weeks_either(hearing: Hearing) -> None:
    """An arbitrator's stay of a second, four times, held a case for 78 days."""
    hearing.file().seated()
    hearing.act(Role.ARBITRATOR, Act.STAY, end=hearing.office.now + 1_000)
    resume = hearing.statement(Role.ARBITRATOR, Act.RESUME)
    record = read_record(resume)
    assert isinstance(record, DisputeAct)
    assert record.place.due is not None
    later = replace(
        record.place.due, until=record.place.due.until + 8 * DAY_MS, source="my own table"
    )
    told = hearing.statement(Role.ARBITRATOR, Act.RESUME, due=later)
    hearing.case.after(told, hearing.office.now)
    with pytest.raises(RefusedError, match="at the latest, 7 days after"):
        hearing.office.post([told])
    hearing.act(Role.ARBITRATOR, Act.RESUME)


def test_an_arbitrators_table_has_the_days_of_the_time_to_come() -> None:
    """Else the next deadline could not be counted, from the day on which the table ends."""
    french = CaseCalendar(name="FR", zone="Europe/Paris", weekend=0b1100000)
    last = date(holiday_days("FR", "Europe/Paris")._table.end_year, 12, 31)
    for days, taken in ((732, True), (728, False)):
        at = (last - timedelta(days=days) - date(1970, 1, 1)).days * DAY_MS
        require_countable(french, Role.CLIENT, at)
        if taken:
            require_countable(french, Role.ARBITRATOR, at)
            continue
        with pytest.raises(RefusedError, match="the calendar: the holidays of FR are known from"):
            require_countable(french, Role.ARBITRATOR, at)


def test_an_arbitrator_declares_days_that_a_table_has(hearing: Hearing) -> None:
    hearing.file().answered().act(Role.CLIENT, Act.END).draw()
    nowhere = CaseCalendar(name="XX", zone="Europe/Berlin", weekend=0b1100000)
    told = hearing.statement(Role.ARBITRATOR, Act.DECLARE, calendar=nowhere)
    with pytest.raises(RefusedError, match="the calendar: no holidays are known for XX"):
        hearing.office.post([told])
    hearing.act(Role.ARBITRATOR, Act.DECLARE, calendar=replace(nowhere, name="FR"))


def test_days_off_that_were_announced_too_late_make_no_deadline_longer(hearing: Hearing) -> None:
    """Five days before they begin, as the specification has it: log and programs count alike."""
    hearing.file()
    hearing.act(Role.OPERATOR, Act.NOTICE)
    today = hearing.office.now // DAY_MS
    off = tuple(range(today + 1, today + 5))
    plain, longer = (holiday_days("DE-BY", "Europe/Berlin", days) for days in ((), off))
    span = Span(hearing.office.now, 2)
    honest, late = (count_due(span, days) for days in (plain, longer))
    assert honest.until < late.until
    calendar = longer.announced()
    told = hearing.statement(Role.FREELANCER, Act.ANSWER, calendar=calendar, due=late)
    hearing.case.after(told, hearing.office.now)
    with pytest.raises(RefusedError, match=f"expected {honest.until} by holidays"):
        hearing.office.post([told])
    hearing.act(Role.FREELANCER, Act.ANSWER, calendar=calendar, due=honest)


def test_a_deadline_of_both_ends_with_the_later_day_of_who_announced_one(hearing: Hearing) -> None:
    """Whatever table its writer names: zone, weekend and days off are in the case."""
    # Midday in Berlin, and the same day in Honolulu.
    hearing.office.now += DAY_MS // 2
    hearing.file()
    hearing.act(Role.OPERATOR, Act.NOTICE)
    far = CaseCalendar(name="DE-BY", zone="Pacific/Honolulu", weekend=0b1100000)
    there = replace(FREELANCER_DAYS, zone_name=far.zone, zone=ZoneInfo(far.zone))
    short, later = (count_due(Span(hearing.office.now, 2), days) for days in (CLIENTS, there))
    # The same day ends eleven hours earlier, which the fold takes and the log does not.
    assert short.until < later.until < short.until + DAY_MS
    answer = hearing.statement(Role.FREELANCER, Act.ANSWER, calendar=far, due=short)
    hearing.case.after(answer, hearing.office.now)
    with pytest.raises(RefusedError, match=f"expected {later.until} or later"):
        hearing.office.post([answer])
    hearing.act(Role.FREELANCER, Act.ANSWER, calendar=far, due=later)
