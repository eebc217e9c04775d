"""The deadline that a statement writes: whether one belongs there, and by whose days it counts."""

from dataclasses import replace
from typing import TYPE_CHECKING

from workseal_protocol.dispute.deadlines import Span, check_due
from workseal_protocol.dispute.moves import awaited
from workseal_protocol.dispute.rules import CaseError, Rule
from workseal_protocol.dispute.table import CLOCKS, Who
from workseal_protocol.dispute.values import Deadline
from workseal_protocol.keys import Role
from workseal_protocol.records import CaseCalendar, Due

if TYPE_CHECKING:
    from workseal_protocol.dispute.case import Case


def timed(case: "Case", due: Due | None, span: Span | None) -> "Case":
    """Give the case its deadline: the written one, checked; or raise `CaseError`."""
    if span is None or due is None:
        if (span is None) is (due is None):
            return case
        expected = "none" if span is None else f"one of {span.days} working days"
        found = "none" if due is None else f"until {due.until}"
        raise CaseError(Rule.DEADLINE, "the deadline", expected=expected, found=found)
    clock = CLOCKS[case.state]
    calendar, day = _counting(case, clock.counted, due)
    check_due(due, span, calendar, announced_day=day)
    return replace(case, due=Deadline(due.until, awaited(case), due))


def _counting(case: "Case", who: Who, due: Due) -> tuple[CaseCalendar | None, int]:
    """Find whose calendar a deadline was counted by, or raise `CaseError`."""
    agreed = _agreed(case)
    written = (due.calendar, due.zone, due.weekend)
    expected: list[str] = []
    for role in sorted(case.roles_of(who)):
        announced = case.calendars.get(role)
        if announced is not None:
            calendar, day = announced
            if written == (calendar.name, calendar.zone, calendar.weekend):
                return calendar, day
            expected.append(f"{calendar.name} in {calendar.zone}")
            continue
        name = agreed.get(role, due.calendar)
        if (due.calendar, due.zone) == (name, case.terms.zone):
            return None, 0
        expected.append(f"{name} in {case.terms.zone}")
    raise CaseError(
        Rule.DEADLINE,
        "the calendar",
        expected=" or ".join(expected),
        found=f"{due.calendar} in {due.zone}",
    )


def check_announced(case: "Case", role: Role, calendar: CaseCalendar | None) -> None:
    """Check that a party announces the calendar of the terms, or raise `CaseError`."""
    agreed = _agreed(case)
    if calendar is not None and calendar.name != agreed.get(role, calendar.name):
        raise CaseError(Rule.DEADLINE, "the calendar", expected=agreed[role], found=calendar.name)


def _agreed(case: "Case") -> dict[Role, str]:
    return {
        Role.CLIENT: case.terms.client_calendar,
        Role.FREELANCER: case.terms.freelancer_calendar,
    }
