"""Whose key speaks for an arbitrator: those of the terms, and those that replaced them since.

Rules: a rotation counts if the key that it ends signed it, and the terms name that key or one that
led to it. What counts is kept in the ledger, so that a request is read alike without the verifier.
Whether a key was revoked meanwhile is the log's to know: it takes no request by such a key.
"""

from contextlib import suppress

from workseal_agent.connection import VerifierClient
from workseal_agent.keyfollowing import followed
from workseal_agent.ledger import Engagement, Ledger, SendState
from workseal_agent.listing import listed
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.statement import Kind, Statement


def arbitrators_of(ledger: Ledger, engagement: Engagement) -> KeyHistory:
    """Return the arbitrators' keys, as far as this agent was told."""
    history = KeyHistory.start({Role.ARBITRATOR: engagement.terms.arbitrators})
    # One person may sit for several engagements; what is known is kept once.
    kept = (
        one for each in ledger.engagements() for one in ledger.of_kind(each.id, Kind.KEY_ROTATE)
    )
    for stored in kept:
        history = followed(history, history.index + 1, Statement.parse(stored.body))
    return history


def key_of(history: KeyHistory, thumbprint: Digest) -> PublicKey | None:
    """Return the key of an arbitrator; None for anybody else's."""
    life = history.lives.get(thumbprint)
    # A key that ended is still the one that signed what came before.
    return life.key if life is not None and Role.ARBITRATOR in life.roles else None


def keep_rotation(ledger: Ledger, engagement: Engagement, statement: Statement) -> None:
    """Keep a rotation that leads from a key of an arbitrator, once."""
    known = arbitrators_of(ledger, engagement)
    if followed(known, known.index + 1, statement) is known:
        return
    with ledger.write() as writing:
        if ledger.statement(statement.digest) is None:
            writing.add_statement(engagement.id, statement, state=SendState.HELD)


def learn_arbitrators(client: VerifierClient, ledger: Ledger, engagement: Engagement) -> None:
    """Ask the verifier for rotations of the arbitrators' keys, and keep them."""
    for _, body in listed(client, engagement):
        with suppress(MalformedError):
            statement = Statement.parse(body)
            if statement.kind is Kind.KEY_ROTATE:
                keep_rotation(ledger, engagement, statement)
