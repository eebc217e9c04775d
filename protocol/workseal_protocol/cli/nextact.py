"""The next statement of a case: its place, its deadline, and whether it may come.

Rule: what the case would refuse is refused before anything is signed or any file is written. The
holidays are those of the `calendar` extra, asked for when a deadline has to be counted at all.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from workseal_protocol.cli.calendars import CalendarError, holiday_days
from workseal_protocol.cli.moments import both
from workseal_protocol.cli.movewords import label_of
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    CLOCKS,
    Case,
    CaseError,
    Rule,
    Span,
    State,
    Wanted,
    WorkingDays,
    move_of,
)
from workseal_protocol.dispute.deadlines import DAY_MS, Announced
from workseal_protocol.keys import Role, Signer
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisputeAct,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Due,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms, amount_text

# The table has no such move, or has it for others.
_NO_ROW = frozenset({Rule.TABLE, Rule.PARTY})
# The fold knows no zone and no currency: it writes both as the numbers that are signed.
_OF_MOMENTS = frozenset({Rule.TIME, Rule.ONCE, Rule.DEADLINE, Rule.LADDER})
_MOMENT = re.compile(r"\b[0-9]{12,15}\b")
_SUM = re.compile(r"\b[0-9]{1,15}\b")
# What a party signs in a case after its filing.
Spoken = DisputeAct | DisputeRequest | DisputeDisclosure | DisputeFinding


def place_next(case: Case, record: Spoken, signer: Signer) -> Statement:
    """Give a record its place and its deadline, sign it, and see that the case takes it."""
    placed = placed_next(case, record, signer.public_key.thumbprint)
    try:
        statement = sign(placed, signer)
        case.after(statement, max(record.claimed_at, case.known_at))
    except CaseError as error:
        told = _worded(error, case.terms)
        raise CommandError(f"the case does not take it: {told}", DOES_NOT_HOLD) from error
    except ValueError as error:
        raise CommandError(f"it cannot be signed: {error}") from error
    return statement


def placed_next(case: Case, record: Spoken, issuer: Digest) -> Spoken:
    """Give a record its place and the deadline that it opens, as this key would sign it.

    Raises `CommandError` for what the case would refuse, as far as that is told by its content.
    """
    at = max(record.claimed_at, case.known_at)
    try:
        wanted = case.wanted(record, issuer, at)
        due = None if wanted is None else _count(case, wanted, record, case.parties.roles[issuer])
        place = CasePlace(case.case, case.head, due)
        if isinstance(record, DisputeRequest) and due is not None:
            return replace(record, place=place, answer_by=due.until)
        return replace(record, place=place)
    except CaseError as error:
        has_none = error.rule in _NO_ROW
        told = _not_now(case, record, issuer, at) if has_none else _worded(error, case.terms)
        raise CommandError(f"the case does not take it: {told}", DOES_NOT_HOLD) from error
    except ValueError as error:
        raise CommandError(f"it cannot be signed: {error}") from error


def _worded(error: CaseError, terms: Terms) -> str:
    """Write why a case refuses as a preview writes: moments in the zone, sums in the currency."""
    told = str(error)
    if error.rule in _OF_MOMENTS:
        return _MOMENT.sub(lambda one: both(int(one[0]), terms.zone), told)
    if error.rule is Rule.AMOUNT:
        return _SUM.sub(lambda one: amount_text(int(one[0]), terms.currency), told)
    return told


def _not_now(case: Case, record: Spoken, issuer: Digest, at: int) -> str:
    """Say that somebody has no such move now, and what they have, in words."""
    role = case.parties.roles.get(issuer)
    who = "somebody whom the terms do not name" if role is None else f"the {role.name.lower()}"
    moves = dict.fromkeys(case.allowed(issuer, at))
    offers = [f"{one} ({_small(label_of(one, case.state))})" for one in moves]
    may = f"you may now: {', '.join(offers)}" if offers else "there is nothing that you may do now"
    return f"in {case.state} {who} has no {move_of(record)}; {may}"


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def notice_due(terms: Terms, respondent: Role, at: int) -> Due:
    """Count by when notice of a filing is to be given: by the days of the other party."""
    wanted = Wanted(Span(at, CLOCKS[State.NOTICE].days), frozenset({respondent}))
    try:
        return wanted.count([holiday_days(_agreed(terms)[respondent], terms.zone)])
    except CalendarError as error:
        raise CommandError(f"the deadline cannot be counted: {error}") from error


def _agreed(terms: Terms) -> dict[Role, str]:
    return {Role.CLIENT: terms.client_calendar, Role.FREELANCER: terms.freelancer_calendar}


def _count(case: Case, wanted: Wanted, record: Spoken, role: Role) -> Due:
    known = {one: Announced(*told) for one, told in case.calendars.items()}
    if isinstance(record, DisputeAct):
        if record.calendar is not None:
            day = max(record.claimed_at, case.known_at) // DAY_MS
            known[role] = Announced(record.calendar, day)
        if record.act in {Act.RECUSE, Act.STRIKE, Act.APPEAL}:
            # The seat is empty from now on, and so are its days.
            known.pop(Role.ARBITRATOR, None)
    try:
        return wanted.count(_calendars(case.terms, wanted, known))
    except CalendarError as error:
        raise CommandError(f"the deadline cannot be counted: {error}") from error


def _calendars(terms: Terms, wanted: Wanted, known: dict[Role, Announced]) -> Iterator[WorkingDays]:
    """Give the days of everybody bound; of who has none, those of both parties of the terms."""
    agreed = _agreed(terms)
    for role in sorted(wanted.counted):
        if role in known:
            own = known[role]
            yield holiday_days(own.calendar.name, own.calendar.zone, own.off)
        elif role in agreed:
            yield holiday_days(agreed[role], terms.zone)
        else:
            yield from (holiday_days(name, terms.zone) for name in agreed.values())
