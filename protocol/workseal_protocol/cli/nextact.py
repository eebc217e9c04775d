"""The next statement of a case, signed offline: its place, its deadline, and whether it may come.

Rule: what the case would refuse is refused before anything is signed or any file is written. The
holidays are those of the `calendar` extra, asked for when a deadline has to be counted at all.
"""

from dataclasses import replace

from workseal_protocol.cli.calendars import CalendarError, holiday_days
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.dispute import Case, CaseError, Wanted, WorkingDays
from workseal_protocol.keys import Role, Signer
from workseal_protocol.records import (
    CaseCalendar,
    CasePlace,
    DisputeAct,
    DisputeRequest,
    Due,
    sign,
)
from workseal_protocol.statement import Statement


def place_next(case: Case, record: DisputeAct | DisputeRequest, signer: Signer) -> Statement:
    """Give a record its place and its deadline, sign it, and see that the case takes it."""
    issuer = signer.public_key.thumbprint
    at = max(record.claimed_at, case.known_at)
    try:
        wanted = case.wanted(record, issuer, at)
        due = None if wanted is None else _count(case, wanted, _announced(record))
        placed = replace(record, place=CasePlace(case.case, case.head, due))
        if isinstance(placed, DisputeRequest) and due is not None:
            placed = replace(placed, answer_by=due.until)
        statement = sign(placed, signer)
        case.after(statement, at)
    except CaseError as error:
        raise CommandError(f"the case does not take it: {error}", DOES_NOT_HOLD) from error
    except ValueError as error:
        raise CommandError(f"it cannot be signed: {error}") from error
    return statement


def _announced(record: DisputeAct | DisputeRequest) -> CaseCalendar | None:
    return record.calendar if isinstance(record, DisputeAct) else None


def _count(case: Case, wanted: Wanted, announced: CaseCalendar | None) -> Due:
    known = {role: calendar for role, (calendar, _) in case.calendars.items()}
    if announced is not None:
        known[Role.ARBITRATOR] = announced
    try:
        return wanted.count([_days_of(case, role, known.get(role)) for role in wanted.counted])
    except CalendarError as error:
        raise CommandError(f"the deadline cannot be counted: {error}") from error


def _days_of(case: Case, role: Role, announced: CaseCalendar | None) -> WorkingDays:
    if announced is not None:
        return holiday_days(announced.name, announced.zone, announced.days_off)
    agreed = {
        Role.CLIENT: case.terms.client_calendar,
        Role.FREELANCER: case.terms.freelancer_calendar,
    }
    if role not in agreed:
        raise CommandError(
            "a deadline begins that is counted by your working days: name them, --calendar DE-BY"
        )
    return holiday_days(agreed[role], case.terms.zone)
