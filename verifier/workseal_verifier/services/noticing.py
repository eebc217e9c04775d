"""Who is told of a step of a case, and of what is due: pure functions of the case.

Rules: a notice says that something happened, never what: no text, sum, name or memo is in it.
Whoever must act is told so; who acted is told only when that opened something they must do. Who
committed to a secret is told when it is taken, whoever's turn it is. A notice has a name that
follows from case, step, kind and recipient, so none is made twice.
"""

from enum import StrEnum, unique

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Role
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.notices import Channel, Notice

_TAG = b"workseal/notice/v1"
# The operator has the machine.
TOLD = (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR)


@unique
class About(StrEnum):
    """Say why somebody is told."""

    TURN = "turn"  # it is their turn
    STEP = "step"  # something was said, and it is somebody else's turn
    HALF = "half"  # half of the time has passed, and they have not acted
    EVE = "eve"  # the last working day before the deadline's
    REVEAL = "reveal"  # a ruling: the secret that they committed to is taken from now on
    REVEAL_HALF = "reveal-half"  # half of the time for it has passed, and it is not out
    WEEK = "week"  # a weekly digest
    CONFIRM = "confirm"  # an address is to be confirmed
    TIMESHEET = "timesheet"  # a timesheet came
    ANSWER = "answer"  # the client answered one
    REVIEW = "review"  # a timesheet has no answer, and the days to review it end


def notices_of(case: Case, row: CaseRow, made_ms: int) -> tuple[Notice, ...]:
    """List who is told of the statement that led a case to where it stands now."""
    issuer = case.statements[case.head]
    entered = case.since == case.known_at
    ruled = case.sample is not None and case.sample.ruled_at == case.known_at
    found: list[Notice] = []
    for role, person in people(case).items():
        must_act = role in case.waiting_for
        if role is issuer and not (must_act and entered):
            continue
        about = About.TURN if must_act else About.STEP
        if not must_act and ruled and owes_secret(case, role):
            about = About.REVEAL
        found.append(notice(case, row, about, person, made_ms))
    return tuple(found)


def owes_secret(case: Case, role: Role) -> bool:
    """Tell whether somebody committed to a secret that a draw still waits for."""
    sample = case.sample
    if sample is None or not sample.ruled_at or sample.seed is not None or not case.open:
        return False
    return role in sample.commitments and role not in sample.secrets


def notice(case: Case, row: CaseRow, about: About, person: Digest, made_ms: int) -> Notice:
    """Make one notice about where a case stands."""
    waiting = sum(1 << role for role in case.waiting_for)
    return Notice(
        name=name_of(row.filing, row.position, about, person),
        kind=about.value,
        filing=row.filing,
        step=row.position,
        recipient=person,
        waiting=waiting,
        made_ms=made_ms,
    )


def weekly(person: Digest, monday: int, made_ms: int) -> Notice:
    """Make the digest of a week for somebody; `monday` counts days from 1 January 1970."""
    return Notice(
        name=name_of(None, monday, About.WEEK, person),
        kind=About.WEEK.value,
        filing=None,
        step=monday,
        recipient=person,
        waiting=0,
        made_ms=made_ms,
        channels=(Channel.MAIL,),
    )


def confirming(person: Digest, random: bytes, made_ms: int) -> Notice:
    """Make the mail that asks for a confirmation; each of them is another one."""
    return Notice(
        name=Digest.of(_TAG, About.CONFIRM.value.encode(), random, person.raw),
        kind=About.CONFIRM.value,
        filing=None,
        step=0,
        recipient=person,
        waiting=0,
        made_ms=made_ms,
        channels=(Channel.MAIL,),
    )


def people(case: Case) -> dict[Role, Digest]:
    """Name who can be told in a case, by role: the keys that stand in the terms."""
    found = {
        Role.CLIENT: case.terms.client.thumbprint,
        Role.FREELANCER: case.terms.freelancer.thumbprint,
    }
    return found if case.arbitrator is None else found | {Role.ARBITRATOR: case.arbitrator}


def roles_in(waiting: int) -> tuple[Role, ...]:
    """Read whose turn a notice says it is."""
    return tuple(role for role in Role if waiting >> role & 1)


def name_of(filing: Digest | None, step: int, about: About, person: Digest) -> Digest:
    """Name a notice; the same on every channel, and whoever makes it."""
    case = b"" if filing is None else filing.raw
    return Digest.of(_TAG, case, step.to_bytes(8, "big"), about.value.encode(), person.raw)
