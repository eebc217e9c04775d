"""The calendars of a case: by whose days a deadline is counted, and in whose zone somebody reads.

Rules (docs/spec/deadlines.md): what somebody announced in the case, else what the terms have for
them; the operator, and an arbitrator who announced nothing, have the freelancer's, in the terms'
zone. Where there is no table of holidays nothing is counted: it is never guessed.
"""

from collections.abc import Iterable
from datetime import UTC, date, tzinfo

from workseal_protocol.cli.calendars import CalendarError, holiday_days
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.dispute import Case, Wanted, WorkingDays
from workseal_protocol.keys import Role
from workseal_protocol.records import Due


def count(case: Case, wanted: Wanted) -> Due:
    """Count a deadline by the days of whoever is bound, or raise `ValueError`."""
    return wanted.count(days_of(case, role) for role in wanted.counted)


def days_of(case: Case, role: Role) -> WorkingDays:
    """Return somebody's working days, or raise `ValueError`."""
    if role in case.calendars:
        known = case.calendars[role][0]
        return holiday_days(known.name, known.zone, known.days_off)
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
