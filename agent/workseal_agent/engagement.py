"""Joining an engagement: the client's signed offer, shown in plain words, accepted, logged.

Rules: nothing is signed before the offer's signature, its parties and the verifier's own account of
itself agree. The log's policy and the operator's key are those of the signed terms, whatever a
server says later. The acceptance is stored before it is sent, so joining again sends the same one.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from workseal_agent.connection import (
    OperatorFacts,
    RefusedError,
    UnreachableError,
    VerifierClient,
)
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger
from workseal_agent.listing import pages
from workseal_agent.submission import Log, submit
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey, Signer
from workseal_protocol.records import Acceptance, Offer, read_record, sign
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

# A clock that differs more than this from the verifier's is not believed.
_CLOCK_TOLERANCE_MS = 2_000
# An offer dated further ahead than this is no matter of clocks; the log refuses it too.
_SOON_MS = 600_000
_OFFER = re.compile(r"offer=([0-9a-f]{32})\.([0-9a-f]{64})")


class InvitationError(AgentError):
    """Say why an offer is not accepted."""


@dataclass(frozen=True, slots=True)
class OfferLink:
    """Hold what an invitation's link says: where an offer is logged, and exactly which one."""

    url: str
    engagement: bytes
    digest: Digest

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `https://VERIFIER/#offer=ENGAGEMENT.DIGEST`, or raise `MalformedError`."""
        url, _, fragment = text.partition("#")
        found = _OFFER.fullmatch(fragment)
        if found is None:
            raise MalformedError("an invitation's link ends with #offer= and two numbers in hex")
        return cls(url, bytes.fromhex(found[1]), Digest(bytes.fromhex(found[2])))


@dataclass(frozen=True, slots=True)
class Invitation:
    """Hold an offer that the client named in it has signed, and that names this freelancer."""

    statement: Statement
    offer: Offer

    @property
    def terms(self) -> Terms:
        """Return the terms offered."""
        return self.offer.terms


def read_invitation(data: bytes, own: PublicKey) -> Invitation:
    """Read the client's signed offer.

    Raises `MalformedError` for bytes that are no offer, `InvitationError` for one that this
    freelancer must not accept.
    """
    statement = Statement.parse(data)
    offer = read_record(statement)
    if not isinstance(offer, Offer):
        raise MalformedError(f"expected an offer, found {statement.kind}")
    try:
        statement.verify_signature(offer.terms.client)
    except VerificationError as error:
        raise InvitationError("the offer is not signed by the client that it names") from error
    if offer.terms.freelancer != own:
        raise InvitationError("the offer names another freelancer's key than the one of this home")
    return Invitation(statement, offer)


def fetch_offer(link: OfferLink, client: VerifierClient) -> bytes:
    """Fetch the very offer that a link names; the verifier shows it to its parties alone."""
    try:
        size = SignedCheckpoint.parse(client.checkpoint()).checkpoint.size
        for _, body in pages(client, link.engagement, size=size):
            if Digest.of(body) == link.digest:
                return body
    except MalformedError as error:
        raise UnreachableError("the verifier's checkpoint is not in the right form") from error
    except RefusedError as error:
        if error.name != "not-found":
            raise
    raise InvitationError("the verifier has no such offer for the key of this home")


def require_same_verifier(terms: Terms, facts: OperatorFacts) -> None:
    """Check that this verifier is the one that the terms name."""
    if facts.key != terms.operator.raw:
        raise InvitationError("this verifier has another operator key than the terms name")
    if facts.policy != terms.log_policy:
        raise InvitationError("this verifier's log and witnesses are not those of the terms")
    if terms.round_ms not in facts.periods:
        raise InvitationError("this verifier has no rounds of the length that the terms ask for")


def require_past(offer: Offer, facts: OperatorFacts) -> None:
    """Check that the offer was made: nothing could be recorded under it before its date."""
    if offer.claimed_at > facts.time_ms + _SOON_MS:
        made = datetime.fromtimestamp(offer.claimed_at / 1000, UTC)
        raise InvitationError(
            phrase(
                "the offer is dated {made:%Y-%m-%d %H:%M} UTC, which is still to come: ask"
                " the client for one with the right date",
                made=made,
            )
        )


def join(
    invitation: Invitation,
    ledger: Ledger,
    client: VerifierClient,
    signer: Signer,
    *,
    now_ms: int,
) -> Engagement:
    """Accept an offer and have both statements logged; safe to repeat."""
    facts = client.operator()
    require_same_verifier(invitation.terms, facts)
    require_past(invitation.offer, facts)
    known = find(ledger, invitation.offer.engagement)
    engagement = known or _accept(invitation, ledger, signer, client.url, facts, now_ms)
    if engagement.offer != invitation.statement.encode():
        raise InvitationError("another offer with the same number was accepted before")
    with ledger.write() as writing:
        writing.set_verifier(engagement.id, client.url, facts.tsa_roots)
    bodies = [engagement.offer, engagement.acceptance]
    submit(ledger, client, Log.of(engagement), bodies, now_ms=now_ms)
    return engagement


def with_authorities(ledger: Ledger, client: VerifierClient, engagement: Engagement) -> Engagement:
    """Take over the time-stamping authorities that the verifier has now: it may have other ones."""
    roots = client.operator().tsa_roots
    if roots == engagement.tsa_roots:
        return engagement
    with ledger.write() as writing:
        writing.set_verifier(engagement.id, engagement.url, roots)
    return replace(engagement, tsa_roots=roots)


def find(ledger: Ledger, engagement: bytes) -> Engagement | None:
    """Return a known engagement."""
    return next((one for one in ledger.engagements() if one.id == engagement), None)


def _accept(
    invitation: Invitation,
    ledger: Ledger,
    signer: Signer,
    url: str,
    facts: OperatorFacts,
    now_ms: int,
) -> Engagement:
    # Nothing may be recorded of the time before: a clock that is far ahead must not claim later.
    wrong = abs(facts.time_ms - now_ms) > _CLOCK_TOLERANCE_MS
    acceptance = Acceptance(
        engagement=invitation.offer.engagement,
        claimed_at=facts.time_ms if wrong else now_ms,
        terms=invitation.terms,
        offer=invitation.statement.digest,
    )
    signed = sign(acceptance, signer)
    engagement = Engagement(
        invitation.offer.engagement,
        invitation.statement.encode(),
        signed.encode(),
        url,
        facts.tsa_roots,
    )
    with ledger.write() as writing:
        writing.add_engagement(engagement)
        writing.add_statement(engagement.id, invitation.statement)
        writing.add_statement(engagement.id, signed)
    return engagement
