"""Scenarios in which step 5 or 6 fails."""

from dataclasses import replace
from typing import Any

from support.builders import STRANGER
from support.scripted import Story, begin, finish, tell_story
from support.simulator import Simulator
from vectors.scenarios.telling import SEED, Scenario, nth, same, twisted
from workseal_protocol.records import (
    Acceptance,
    KeyRevoke,
    RevocationReason,
    Segment,
    Tombstone,
    sign,
)

# --- (5) signatures ---


def signature_wrong_role() -> Scenario:
    client = Simulator(SEED).people.client
    return Scenario(
        "the client signed a withdrawal of the freelancer's",
        twisted(nth(Tombstone, 0, same, signer=client)),
        5,
        "its signer may not make a tombstone",
    )


def signature_stranger() -> Scenario:
    return Scenario(
        "a segment is signed by a key that nobody knows",
        twisted(nth(Segment, 3, same, signer=STRANGER)),
        5,
        "its key is not one of the parties' keys",
    )


def revoking(by: str) -> bytes:
    """Revoke the freelancer's key with the key of somebody, and work on."""
    verifier = Simulator(SEED, careless=True)
    people, agent = verifier.people, begin(verifier)
    agent.open_session()
    agent.work(30_000)
    agent.send()
    revocation = KeyRevoke(
        claimed_at=verifier.now,
        key=people.freelancer.public_key.thumbprint,
        reason=RevocationReason.COMPROMISED,
    )
    verifier.admit([sign(revocation, getattr(people, by))])
    agent.work(30_000)
    agent.send()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    return told.bundle(signer=people.client).encode()


def signature_revoked() -> Scenario:
    return Scenario(
        "the freelancer's key signs on after it was revoked",
        revoking(by="freelancer"),
        5,
        "its key was rotated or revoked before",
    )


def signature_arbitrator_revokes() -> Scenario:
    return Scenario(
        "the arbitrator of the terms revokes the freelancer's key",
        revoking(by="arbitrator"),
        5,
        "only the key or its recovery key revokes it",
    )


def signature_broken() -> Scenario:
    told = tell_story(SEED, careless=True)
    verifier, agent = told.verifier, told.agent
    record = agent.made[-1][1]
    broken = sign(record, verifier.people.operator)
    broken = replace(broken, signature=bytes([broken.signature[0] ^ 1]) + broken.signature[1:])
    verifier.admit([broken])
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    return Scenario(
        "a logged statement has a signature that does not match",
        told.bundle().encode(),
        5,
        "the signature does not match",
    )


# --- (6) terms ---


def terms_differ() -> Scenario:
    def dearer(record: Acceptance) -> Acceptance:
        rate = record.terms.rate_minor_per_hour + 1
        return replace(record, terms=replace(record.terms, rate_minor_per_hour=rate))

    return Scenario(
        "the freelancer accepted other terms than the client offered",
        twisted(nth(Acceptance, 0, dearer)),
        6,
        "offer and acceptance have different terms",
    )


def terms_other_arbitrator() -> Scenario:
    verifier = Simulator(SEED)
    return Scenario(
        "the terms name an arbitrator whom the caller does not know",
        _told_under(verifier, arbitrators=(STRANGER.public_key,)),
        6,
        "the arbitrator of the terms is not one of the policy",
    )


def terms_other_log() -> Scenario:
    verifier = Simulator(SEED)
    other = Simulator(b"another", witnesses=1).policy.encode()
    return Scenario(
        "the terms name another log",
        _told_under(verifier, log_policy=other),
        6,
        "the terms name another log policy",
    )


def _told_under(verifier: Simulator, **changes: Any) -> bytes:
    verifier.careless = True
    agent = begin(verifier, terms=verifier.terms(**changes))
    agent.open_session()
    agent.work(30_000)
    agent.close_session()
    return Story(verifier, agent, *finish(verifier, agent, ())).bundle().encode()


ALL = (
    signature_wrong_role,
    signature_stranger,
    signature_revoked,
    signature_arbitrator_revokes,
    signature_broken,
    terms_differ,
    terms_other_arbitrator,
    terms_other_log,
)
