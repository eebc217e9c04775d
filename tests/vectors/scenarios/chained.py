"""Scenarios in which step 7 fails."""

from dataclasses import replace

from support.scripted import Story, begin, finish
from support.simulator import Simulator
from vectors.scenarios.telling import SEED, Scenario, nth, resealed, story, twisted
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    Record,
    Segment,
    SessionOpen,
    Tombstone,
)

# --- (7) chain ---


def chain_dropped() -> Scenario:
    told = story()
    contents = told.contents
    fifth = next(
        statement
        for statement, record in told.agent.made
        if isinstance(record, Segment) and record.seq == 5
    )
    dropped = contents.statements.index(fifth)
    indices = (*contents.indices[:dropped], *contents.indices[dropped + 1 :])
    size = contents.checkpoint.checkpoint.size
    statements = (*contents.statements[:dropped], *contents.statements[dropped + 1 :])
    moved = tuple(
        replace(one, number=one.number - (one.number > dropped)) for one in contents.disclosures
    )
    return Scenario(
        "a segment was left out of the bundle",
        resealed(
            statements=statements,
            indices=indices,
            hashes=told.verifier.proof(size, indices, contents.sizes),
            receipts=(),
            disclosures=moved,
        ),
        7,
        "sequence: expected number 5, found 6",
    )


def chain_reordered() -> Scenario:
    verifier = Simulator(SEED, careless=True)
    agent = begin(verifier)
    agent.open_session()
    agent.work(40_000)
    agent.pending[1], agent.pending[2] = agent.pending[2], agent.pending[1]
    agent.close_session()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    return Scenario(
        "two segments stand in the log in the wrong order",
        told.bundle().encode(),
        7,
        "sequence: expected number 2, found 3",
    )


def chain_number_skipped() -> Scenario:
    return Scenario(
        "a segment skips a number",
        twisted(nth(Segment, 4, lambda one: replace(one, seq=one.seq + 1))),
        7,
        "sequence: expected number 5, found 6",
    )


def chain_other_link() -> Scenario:
    return Scenario(
        "a segment does not name the one before it",
        twisted(nth(Segment, 4, lambda one: replace(one, prev=Digest.of(b"another past")))),
        7,
        "link: number 5 does not name the statement before it",
    )


def chain_other_session() -> Scenario:
    return Scenario(
        "a segment names a session that is not open",
        twisted(nth(Segment, 4, lambda one: replace(one, session=bytes(16)))),
        7,
        "session: the statement names a session that is not the open one",
    )


def chain_unknown_frame() -> Scenario:
    return Scenario(
        "a withdrawal names a frame that never was",
        twisted(nth(Tombstone, 0, lambda one: replace(one, frame=Digest.of(b"no frame")))),
        7,
        "tombstone: a tombstone names a frame that its segment has not",
    )


def chain_anchor_before_the_terms() -> Scenario:
    def earlier(one: SessionOpen) -> SessionOpen:
        return replace(one, anchor=replace(one.anchor, size=1))

    return Scenario(
        "a session anchors on a checkpoint that is older than the acceptance",
        twisted(nth(SessionOpen, 0, earlier)),
        7,
        "anchor: ",
    )


def chain_session_reopened() -> Scenario:
    first: list[SessionOpen] = []

    def again(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, SessionOpen):
            first.append(record)
            return replace(record, session=first[0].session), signer
        return record, signer

    return Scenario(
        "a session is opened a second time",
        twisted(again),
        7,
        "session: a session is opened twice",
    )


ALL = (
    chain_dropped,
    chain_reordered,
    chain_number_skipped,
    chain_other_link,
    chain_other_session,
    chain_unknown_frame,
    chain_anchor_before_the_terms,
    chain_session_reopened,
)
