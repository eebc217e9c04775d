"""What the freelancer signs in a case: shown first, signed at the moment of sending, told after.

Rule: what was signed before is settled before anything new is signed (ADR 0064).
"""

from dataclasses import replace

from workseal_agent.cases import OwnCases
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.connection import UnreachableError
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_protocol.cli.acting import Live, preview, turn
from workseal_protocol.cli.nextact import Spoken, place_next, placed_next
from workseal_protocol.digest import Digest
from workseal_protocol.statement import Statement


def settled(cases: OwnCases, name: Digest) -> tuple[Live, Statement | None]:
    """Settle what was signed before; returns it where it is part of the case now."""
    live, found = cases.settled(name)
    if found is not None:
        say(
            phrase(
                "your earlier statement is logged, and in the case: {digest}", digest=found.digest
            )
        )
        cases.told(name)
    return live, found


def signed_by_owner(
    home: Home, cases: OwnCases, live: Live, record: Spoken, beside: list[str], *, yes: bool
) -> Statement:
    """Show what will be signed, and sign it at the moment of sending."""
    own = cases.key.thumbprint
    placed = placed_next(live.case, record, own)
    while True:
        ask_to_sign(preview(placed, live.case.terms, live.case, beside, live.said), yes=yes)
        fresh = replace(record, claimed_at=cases.now_ms(live.case.known_at))
        again = placed_next(live.case, fresh, own)
        if again.place == placed.place:
            return place_next(live.case, fresh, home.signer)
        say("the deadline changed while you read:")
        placed = again


def require_head(cases: OwnCases, live: Live) -> None:
    """Raise `AgentError` if the case moved on since it was read."""
    head, _ = cases.source.told(live.case.case)
    if head != live.case.head:
        raise AgentError("the case moved on meanwhile: look at it again")


def require_sent(cases: OwnCases, statement: Statement) -> None:
    """Send a statement, or raise `AgentError` that says why it was not taken."""
    if not sent(cases, statement):
        raise AgentError(
            phrase("it was not taken: {problem_of}", problem_of=cases.problem_of(statement.digest))
        )


def sent(cases: OwnCases, statement: Statement) -> bool:
    """Send a statement and tell whether it was taken; what stays unanswered is kept."""
    try:
        return cases.send(statement)
    except UnreachableError as error:
        raise UnreachableError(
            phrase(
                "not finished: {error}; it is kept and sent again, and taken for a minute"
                " from its signature on: `workseal-agent case show` tells what became of it",
                error=error,
            )
        ) from error


def tell_sent(live: Live, statement: Statement) -> None:
    """Say that a statement is logged, how the case stands by it, and whose turn it is."""
    if not live.has(statement.digest):
        raise AgentError("the log has the statement, and the verifier's case lacks it")
    say(phrase("logged, and in the case: {digest}", digest=statement.digest))
    say(phrase("state {state}", state=live.case.state))
    whose = turn(live, statement.issuer)
    if whose is not None:
        say(whose)


def ask_to_sign(shown: list[str], *, yes: bool) -> None:
    """Show what would be signed, and ask unless `yes`; raise `AgentError` on a no."""
    for line in shown:
        say(line)
    if not yes and not confirmed("Sign and send this?"):
        raise AgentError("nothing was signed")
