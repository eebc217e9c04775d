"""Who may say a statement now, and when: what the rules of every family ask first.

Rule: whoever may not speak here learns nothing else; all of them are told the same.
"""

from workseal_protocol.dispute import AHEAD_MS
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import MAKERS, KeyHistory
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.columns import entry_with
from workseal_verifier.services.draft import Draft, unknown_party
from workseal_verifier.services.engagement import Engagement

# A little early is told to come back; far ahead is a false claim.
SOON_MS = 600_000


def speaking(draft: Draft, candidate: Candidate, identifier: bytes, place: int) -> Engagement:
    """Return the engagement if the issuer may make this kind in it now, and signed it."""
    if not draft.may_speak(identifier, candidate.statement.issuer):
        raise unknown_party()
    state = draft.get(identifier)
    require_signature(state.keys, candidate, place)
    return state


def require_signature(history: KeyHistory, candidate: Candidate, place: int) -> None:
    """Refuse what its issuer may not say by this history, or did not sign."""
    statement = candidate.statement
    if not history.roles_of(statement.issuer, place) & MAKERS[statement.kind]:
        raise unknown_party()
    if candidate.signed:
        return
    if candidate.signed is False:
        raise RefusedError(Reason.REFUSED, "the signature does not hold")
    try:
        statement.verify_signature(history.valid_key(statement.issuer, place))
    except VerificationError as error:
        raise RefusedError(Reason.REFUSED, str(error)) from error


def require_past(draft: Draft, instant: int, what: str) -> None:
    """Refuse what is told before its time: `BUSY` while a slow clock here may be why."""
    wait = instant - AHEAD_MS - draft.house.clock.now_ms()
    if wait > SOON_MS:
        raise RefusedError(Reason.REFUSED, what)
    if wait > 0:
        # A sender whose clock is a little ahead: the same bytes will do in a moment.
        raise RefusedError(
            Reason.BUSY, f"{what} by this server's clock", retry_after=1 + wait // 1000
        )


def add(draft: Draft, candidate: Candidate, place: int) -> None:
    """Add an admitted statement that tells of no time worked."""
    draft.add(entry_with(candidate.statement, candidate.record, place, None))
