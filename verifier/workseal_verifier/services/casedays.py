"""The calendars of a case: by whose days a deadline is counted, and in whose zone somebody reads.

Rules (docs/spec/deadlines.md): what somebody announced in the case, else what the terms have for
them; the operator, and an arbitrator who announced nothing, have the freelancer's, in the terms'
zone. Where there is no table of holidays nothing is counted: it is never guessed.
"""

from calendar import day_name
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta, tzinfo

from workseal_protocol.cli.calendars import CalendarError, holiday_days, zone_everywhere
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.dispute import Case, Span, Wanted, WorkingDays, count_due
from workseal_protocol.dispute.deadlines import Announced, day_in
from workseal_protocol.keys import Role
from workseal_protocol.records import CaseCalendar, Due

_ZERO = date(1970, 1, 1)
# Longer than anybody sits, with appeals, replacements and stays.
_SITTING = timedelta(days=730)


def count(case: Case, wanted: Wanted) -> Due:
    """Count a deadline by the days of whoever is bound, or raise `ValueError`."""
    return wanted.count(days_of(case, role) for role in wanted.counted)


def least(case: Case, role: Role, span: Span) -> int:
    """Return the earliest end that somebody's weekdays allow; 0 where these are not known.

    Without holidays, in which tables differ: weekend, days off and zone are in the case, and the
    weekend of who announced nothing is that of the country in the terms.
    """
    announced = case.calendars.get(role) or _agreed(case, role)
    zone = None if announced is None else zone_named(announced[0].zone)
    if announced is None or zone is None:
        return 0
    return count_due(span, _Announced(*announced, zone)).until


def _agreed(case: Case, role: Role) -> tuple[CaseCalendar, int] | None:
    if role not in {Role.CLIENT, Role.FREELANCER}:
        return None
    try:
        days = days_of(case, role)
    except CalendarError:
        return None
    return CaseCalendar(name=days.name, zone=days.zone_name, weekend=days.weekend), 0


@dataclass(frozen=True, slots=True)
class _Announced:
    """The days that somebody announced to work, holidays among them."""

    calendar: CaseCalendar
    day: int
    zone: tzinfo
    source: str = "announced"

    @property
    def name(self) -> str:
        return self.calendar.name

    @property
    def zone_name(self) -> str:
        return self.calendar.zone

    @property
    def weekend(self) -> int:
        return self.calendar.weekend

    def works(self, day: date) -> bool:
        off = (day - _ZERO).days in Announced(self.calendar, self.day).off
        return not off and not self.weekend >> day.weekday() & 1


def require_countable(calendar: CaseCalendar, role: Role, at_ms: int) -> None:
    """Require that programs can count by what somebody announces, or raise `ValueError`.

    The name is the terms' for a party, known or not; an arbitrator chooses theirs.
    """
    zone = zone_everywhere(calendar.zone)
    if zone is None:
        raise CalendarError(
            f"expected a time zone of the tzdata package, spelt as there, found {calendar.zone}"
        )
    try:
        known = holiday_days(calendar.name, calendar.zone)
    except CalendarError:
        if role is Role.ARBITRATOR:
            raise
        return
    if role is Role.ARBITRATOR:
        known.works(day_in(at_ms, zone) + _SITTING)
    if known.weekend != calendar.weekend:
        raise CalendarError(
            f"expected the weekend of {calendar.name}, {_named(known.weekend)},"
            f" found {_named(calendar.weekend)}: other days are days off"
        )


def _named(weekend: int) -> str:
    return " and ".join(day_name[number] for number in range(7) if weekend >> number & 1)


def days_of(case: Case, role: Role) -> WorkingDays:
    """Return somebody's working days, or raise `ValueError`."""
    if role in case.calendars:
        announced = Announced(*case.calendars[role])
        known = announced.calendar
        return holiday_days(known.name, known.zone, announced.off)
    of_client = role is Role.CLIENT
    name = case.terms.client_calendar if of_client else case.terms.freelancer_calendar
    return holiday_days(name, case.terms.zone)


def zone_of(case: Case, role: Role) -> tzinfo:
    """Return the zone in which somebody reads."""
    names = [case.calendars[role][0].zone] if role in case.calendars else []
    return first_zone([*names, case.terms.zone])


def first_zone(names: Iterable[str]) -> tzinfo:
    """Return the first zone that this machine knows; UTC when it knows none."""
    return next((zone for name in names if (zone := zone_named(name)) is not None), UTC)


def works(case: Case, role: Role, day: date) -> bool:
    """Tell whether somebody works on a day; where no table says it, whether it is a weekday."""
    try:
        return days_of(case, role).works(day)
    except CalendarError:
        return day.weekday() < 5
