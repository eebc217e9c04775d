"""Whether the log takes a deadline that a statement of a case writes, and days that one announces.

Rules (docs/spec/cases.md, docs/adr/0121): the fold knows neither zones nor holidays, so it takes
what could be counted; the log counts again. A deadline by its own table is what that gives, one by
another table a few days later at most, and none ends before the weekdays of who is bound by it.
"""

from dataclasses import replace
from typing import Final

from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.dispute import Case, Span, Wanted
from workseal_protocol.dispute.deadlines import DAY_MS, LENIENCE_MS, day_in, end_of_day
from workseal_protocol.keys import Role
from workseal_protocol.records import CaseCalendar, Due
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import casedays

# By so much two versions of a table differ at most: a feast of four days that lies a day earlier,
# and the weekend behind it.
TABLES_DIFFER_DAYS: Final = 7
# Whose days the terms tell, where nobody announced others.
_WITH_CALENDARS: Final = frozenset({Role.CLIENT, Role.FREELANCER})


def require_zone(due: Due | None) -> None:
    """Refuse a deadline that ends with another clock's day; a zone unknown here is taken as told.

    The fold knows no zones: by a false offset a sender would take hours of the other party's day.
    It has seen that the deadline is near, so that every calendar reaches it.
    """
    zone = None if due is None else zone_named(due.zone)
    if due is None or zone is None:
        return
    # Not the clock's at that moment: where the last hour of a day is skipped it is another one.
    _, offset = end_of_day(day_in(due.until, zone), zone)
    if offset != due.offset:
        raise RefusedError(
            Reason.REFUSED,
            f"the deadline: expected {offset} minutes east of UTC in {due.zone},"
            f" found {due.offset}",
        )


def require_countable(calendar: CaseCalendar | None, role: Role, at_ms: int) -> None:
    """Refuse days that nobody could count the next deadline by: the case would stand still."""
    if calendar is None:
        return
    try:
        casedays.require_countable(calendar, role, at_ms)
    except ValueError as error:
        raise RefusedError(Reason.REFUSED, f"the calendar: {error}") from error


def require_counted(case: Case, wanted: Wanted | None, due: Due) -> None:
    """Refuse a deadline that the table which it names does not give; of another, one far later.

    Tables differ by version, and whoever has a newer one must not be kept from acting. One that
    does not exist must give nobody weeks.
    """
    if wanted is None:
        return
    _require_announced(case, wanted, due)
    known = wanted.counted <= _WITH_CALENDARS | set(case.calendars)
    # Whoever announced none counts by any; an honest program by those of both parties.
    roles = wanted.counted if known else wanted.counted | _WITH_CALENDARS
    try:
        counted = [casedays.count(case, Wanted(span, roles)) for span in _begun(wanted.span)]
    except ValueError:
        return
    expected = counted[0]
    if known and due.source == expected.source and due.until not in {one.until for one in counted}:
        raise RefusedError(
            Reason.REFUSED,
            f"the deadline: expected {expected.until} by {expected.source}, found {due.until}",
        )
    latest = max(one.until for one in counted) + TABLES_DIFFER_DAYS * DAY_MS
    if due.until > latest:
        raise RefusedError(
            Reason.REFUSED,
            f"the deadline: expected {latest} at the latest, {TABLES_DIFFER_DAYS} days after that"
            f" by {expected.source}, found {due.until}",
        )


def _require_announced(case: Case, wanted: Wanted, due: Due) -> None:
    """Refuse a deadline that ends before the days of one of whom it binds, by their own clock.

    The fold knows no zones: of a deadline in another one it sees this to a day or two.
    """
    expected = max(
        min(casedays.least(case, role, span) for span in _begun(wanted.span))
        for role in wanted.counted
    )
    if due.until < expected:
        raise RefusedError(
            Reason.REFUSED,
            f"the deadline: expected {expected} or later, by what was announced in this case,"
            f" found {due.until}",
        )


def _begun(span: Span) -> tuple[Span, ...]:
    # A sender counts a moment before the log takes it, perhaps on the day before.
    return (span, replace(span, base_ms=span.base_ms - LENIENCE_MS))
