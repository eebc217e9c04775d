"""The cases of whoever is signed in, a line for each: on their own page, and where they come in.

Rule: a line says whose turn it is and until when, as the protocol does; it decides nothing. What is
waited for from the reader stands first where they come in, the earliest deadline before the others.
"""

from collections.abc import Iterable
from typing import Any

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, State
from workseal_protocol.keys import Role
from workseal_verifier.services.casebook import SHUT
from workseal_verifier.web.casecommands import DIGITS
from workseal_verifier.web.casetimes import due_of
from workseal_verifier.web.casewords import CLAIMS, WHO, standing_of


def lines_of(cases: Iterable[Case], key: Digest, now_ms: int) -> list[dict[str, Any]]:
    """Tell of each case in which a key speaks for somebody, in the order in which they come."""
    seated = ((case, case.parties.roles.get(key)) for case in cases)
    return [line_of(case, you, now_ms) for case, you in seated if you is not None]


def awaiting(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those in which it is the reader's turn, the earliest deadline first."""
    mine = [one for one in lines if one["due"] is not None and one["due"]["yours"]]
    return sorted(mine, key=lambda one: int(one["due"]["until"]))


def line_of(case: Case, you: Role, now_ms: int) -> dict[str, Any]:
    """Tell of one case."""
    closed = you is Role.ARBITRATOR and case.state.value in SHUT
    over = case.state is State.SEALED and now_ms > (case.destroyed_from or now_ms)
    return {
        "case": str(case.case),
        "digits": str(case.case)[:DIGITS],
        "engagement": case.filing.engagement.hex(),
        "you": WHO[you],
        "claim": CLAIMS[case.filing.claim],
        "amount": case.filing.amount,
        "currency": case.terms.currency,
        "standing": standing_of(case),
        "due": due_of(case, you, now_ms),
        # Its page is closed to the arbitrator; what was said in it is not.
        "closed": closed,
        "destroys": closed and over and you not in case.done,
    }
