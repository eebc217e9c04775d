"""A kept second body is evidence against its signer: nobody else may have made it."""

from dataclasses import replace

import pytest

from support.office import Office
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import KeyRotate, Segment, sign
from workseal_verifier.services.keptforks import fork_problems
from workseal_verifier.store.conflicts import Conflict, ConflictStore


def kept(office: Office, agent: ScriptedAgent, body: bytes, seq: int) -> list[str]:
    """Keep a body as if it had been refused as a fork, and check what is kept."""
    store = ConflictStore(office.verifier.database)
    assert store.keep([Conflict(agent.engagement, seq, Digest.of(body), body)]) == 0
    events = office.verifier.sequencer._admission.events
    assert events is not None
    return list(fork_problems(office.verifier.records, events))


@pytest.fixture
def segment(agent: ScriptedAgent) -> Segment:
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    record = agent.made[-1][1]
    assert isinstance(record, Segment)
    return record


def test_a_second_body_of_the_freelancer_holds(
    office: Office, agent: ScriptedAgent, segment: Segment
) -> None:
    other = sign(replace(segment, agent_value=bytes(32)), office.people.freelancer)
    assert kept(office, agent, other.encode(), segment.seq) == []


def test_a_second_body_holds_after_the_key_has_ended(
    office: Office, agent: ScriptedAgent, segment: Segment
) -> None:
    old, new = office.people.freelancer, SeedSigner(bytes(range(32)))
    office.post([sign(KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)])
    other = sign(replace(segment, agent_value=bytes(32)), old)
    assert kept(office, agent, other.encode(), segment.seq) == []


def test_names_a_body_that_another_party_signed(
    office: Office, agent: ScriptedAgent, segment: Segment
) -> None:
    other = sign(replace(segment, agent_value=bytes(32)), office.people.client)
    assert "did not sign" in kept(office, agent, other.encode(), segment.seq)[0]


def test_names_a_body_with_a_false_signature(
    office: Office, agent: ScriptedAgent, segment: Segment
) -> None:
    other = sign(replace(segment, agent_value=bytes(32)), office.people.freelancer)
    forged = replace(other, signature=bytes(64))
    assert "did not sign" in kept(office, agent, forged.encode(), segment.seq)[0]


def test_names_the_body_that_is_logged(
    office: Office, agent: ScriptedAgent, segment: Segment
) -> None:
    body = sign(segment, office.people.freelancer).encode()
    assert "no other body" in kept(office, agent, body, segment.seq)[0]


def test_names_what_is_no_statement(office: Office, agent: ScriptedAgent, segment: Segment) -> None:
    assert "malformed" in kept(office, agent, b"\x00", segment.seq)[0]
