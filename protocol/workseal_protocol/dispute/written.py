"""The deadline that a statement writes: whether one belongs there, how long, by whose days."""

from dataclasses import replace
from typing import TYPE_CHECKING

from workseal_protocol.dispute.contents import CaseRecord
from workseal_protocol.dispute.deadlines import DAY_MS, Announced, Span, check_due
from workseal_protocol.dispute.moves import awaited
from workseal_protocol.dispute.rules import CaseError, Rule
from workseal_protocol.dispute.table import (
    ARBITRATORS,
    CLOCKS,
    CLOSED,
    REMINDER_DAYS,
    STRIKE_DAYS,
    State,
    Who,
)
from workseal_protocol.dispute.values import LEAST_ANSWER_CALENDAR_DAYS, Deadline
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, CaseCalendar, DisputeAct, Due

if TYPE_CHECKING:
    from workseal_protocol.dispute.case import Case


def span_of(before: "Case", after: "Case", record: CaseRecord, at: int) -> Span | None:
    """Return the deadline that a statement must write, or None when it writes none."""
    act = record.act if isinstance(record, DisputeAct) else None
    until = at if before.due is None else before.due.until
    if act is Act.OUTAGE:
        return Span(until, 1)
    if after.due is not None or after.state in CLOSED | {State.SEALED, State.PURGED}:
        return None
    if act is Act.EXTEND:
        return Span(until, before.extension_days)
    if act is Act.DECLARE:
        return Span(at, STRIKE_DAYS, 0, until)
    if before.paused is not None and after.paused is None:
        return Span(at, 1, 0, before.paused.deadline.until + at - before.paused.at)
    # What the operator writes down late costs nobody a day, and nobody gains one.
    base = until if act is Act.LAPSE and at - until <= DAY_MS else at
    counted = {State.ANSWER: after.answer_days, State.SECOND: after.second_days}
    days = counted.get(after.state, CLOCKS[after.state].days)
    if before.state is State.SEATING and after.state is State.EVIDENCE and after.declared_late:
        # Whoever told late gives the day back, so that the case takes no longer.
        days -= STRIKE_DAYS
    least = LEAST_ANSWER_CALENDAR_DAYS if after.state is State.ANSWER else 0
    reminds = act is Act.LAPSE and after.state is before.state and after.state in ARBITRATORS
    return Span(base, REMINDER_DAYS if reminds else days, least)


def timed(case: "Case", due: Due | None, span: Span | None) -> "Case":
    """Give the case its deadline: the written one, checked; or raise `CaseError`."""
    if span is None or due is None:
        if (span is None) is (due is None):
            return case
        expected = "none" if span is None else f"one of {span.days} working days"
        found = "none" if due is None else f"until {due.until}"
        raise CaseError(Rule.DEADLINE, "the deadline", expected=expected, found=found)
    clock = CLOCKS[case.state]
    _require_counting(case, clock.counted, due)
    counted = sorted(case.roles_of(clock.counted))
    announced = [Announced(*case.calendars[role]) for role in counted if role in case.calendars]
    check_due(due, span, announced)
    return replace(case, due=Deadline(due.until, awaited(case), due))


def _require_counting(case: "Case", who: Who, due: Due) -> None:
    """Require that a deadline was counted by the calendar of somebody whose days count."""
    agreed = _agreed(case)
    written = (due.calendar, due.zone, due.weekend)
    expected: list[str] = []
    for role in sorted(case.roles_of(who)):
        announced = case.calendars.get(role)
        if announced is not None:
            calendar, _ = announced
            if written == (calendar.name, calendar.zone, calendar.weekend):
                return
            expected.append(f"{calendar.name} in {calendar.zone}")
            continue
        name = agreed.get(role, due.calendar)
        if (due.calendar, due.zone) == (name, case.terms.zone):
            return
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
