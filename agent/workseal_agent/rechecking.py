"""Having the operator check what was shown to an arbitrator sealed only, after all.

Rules: only what the log has as an answer, and what is not taken back, is shown; the very tiles that
were sealed, made again from the vault, and nothing else of their frames. The verifier gets them in
the clear for the moment of its check, which is what *sealed only* had kept from it: it is for the
freelancer to ask, and no retry of anything does.
"""

from collections.abc import Sequence

from workseal_agent.cases import OwnCases
from workseal_agent.disclose import Answer, FrameReader, send
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import SendState, StoredStatement
from workseal_protocol.dispute import Case
from workseal_protocol.records import Finding
from workseal_protocol.statement import Kind


def checkable(cases: OwnCases, case: Case) -> tuple[StoredStatement, ...]:
    """Return own answers of a case that a check can be about, the newest first."""
    own = cases.ledger.of_kind(cases.engagement.id, Kind.DISPUTE_DISCLOSURE)
    return tuple(
        one
        for one in reversed(own)
        if one.state is SendState.RECEIPTED
        and one.digest in case.shown
        and one.digest not in case.clawed_back
    )


def named(answers: Sequence[StoredStatement], digits: str | None) -> StoredStatement:
    """Return the answer of these first digits, the newest without; `AgentError` for none."""
    found = [one for one in answers if digits is None or str(one.digest).startswith(digits)]
    if not found:
        if digits is None:
            raise AgentError("no answer of yours is in this case, or it is taken back")
        raise AgentError(
            "no answer of yours with these digits is in this case, or it is taken back"
        )
    if digits is not None and len(found) > 1:
        raise AgentError(
            phrase("{count} answers begin with these digits: give more", count=len(found))
        )
    return found[0]


def have_checked(
    cases: OwnCases, stored: StoredStatement, reader: FrameReader
) -> tuple[Answer, tuple[Finding, ...]]:
    """Show the verifier the tiles of an answer; returns what the operator's check found, verified.

    The finding is logged in the case while that takes one, else beside it. Raises as
    `disclose.send` does, and `AgentError` where more was shown than the ladder has, which the
    verifier refuses to look at; it may be asked again, and comes to the same finding.
    """
    answer = cases.answer_of(stored, reader)
    cases.require_portions(answer.request, answer.opened, reader)
    now_ms = cases.client.now_ms()
    return answer, send(answer, cases.ledger, cases.client, cases.engagement, now_ms=now_ms)
