"""Deadlines of a case on everybody's clock: the reader's own first.

Rule: nothing is counted here: a deadline stands in the statement that opened it. A zone that this
machine does not know is shown in UTC, and said.
"""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.dispute import Case, State
from workseal_protocol.keys import Role
from workseal_verifier.services.hearing import zones_of
from workseal_verifier.web.casewords import STANDINGS, WHO, everyone
from workseal_verifier.web.render import moment


@dataclass(frozen=True, slots=True)
class Clock:
    """Hold the clock of one person in a case; the zone is the terms' where none was announced."""

    role: Role
    who: str
    name: str
    zone: tzinfo
    known: bool
    announced: bool


def clocks_of(case: Case, you: Role) -> tuple[Clock, ...]:
    """Give the clocks of parties and arbitrator, the reader's first; an arbitrator once drawn."""
    found = []
    for role, name in zones_of(case).items():
        if role is Role.ARBITRATOR and case.arbitrator is None:
            continue
        zone = zone_named(name)
        known, announced = zone is not None, role in case.calendars
        found.append(Clock(role, WHO[role], name, zone or UTC, known, announced))
    return tuple(sorted(found, key=lambda one: one.role is not you))


# The operator has said that what it held is destroyed.
_WITHOUT = "It ends, also without the arbitrator's word, after"


def due_of(case: Case, you: Role, now_ms: int) -> dict[str, Any] | None:
    """Tell until when whom a case waits for, on each clock; None where nothing is due.

    Where the moment is an end, nobody is waited for, whomever the protocol binds by it.
    """
    if case.due is None:
        return None
    until, due = case.due.until, case.due.due
    clocks = clocks_of(case, you)
    said = case.state is State.SEALED and Role.OPERATOR in case.done
    ends = _WITHOUT if said else STANDINGS[case.state].ends
    waiting = frozenset() if ends else case.waiting_for
    return {
        "until": until,
        "yours": you in waiting,
        "waiting_for": everyone(waiting),
        "ends": ends,
        "mine": moment(until, clocks[0].zone) if clocks else moment(until, UTC),
        "my_zone": clocks[0].name if clocks else "UTC",
        "passed": case.open and not ends and now_ms > until,
        "clocks": [
            {
                "who": "you" if one.role is you else one.who,
                "zone": one.name,
                "known": one.known,
                "announced": one.announced,
                "time": moment(until, one.zone),
            }
            for one in clocks
        ],
        "days": None if due is None else due.days,
        "calendar": None if due is None else due.calendar,
        "source": None if due is None else due.source,
        "counted_in": None if due is None else due.zone,
    }
