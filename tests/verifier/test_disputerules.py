"""Admission of a dispute's statements, against a real log."""

from dataclasses import replace

import pytest

from support.acting import KeptFrame
from support.office import Office, unique
from support.refusing import STRANGER, offer_of, refused, size_of
from support.scripted import ScriptedAgent, dispute, first_day, second_day
from support.simulator import ROUND_MS
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    RequestedFrame,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError


def test_refuses_requests_that_name_no_frame_of_the_chain(agent: ScriptedAgent) -> None:
    agent.open_session()
    agent.work(12 * ROUND_MS)
    agent.send()
    frame = agent.frames[0]
    with pytest.raises(RefusedError, match="its segment has not"):
        agent.request([replace(frame, segment=agent.frames[1].segment)])
    agent.withdraw(frame)
    with pytest.raises(RefusedError, match="withdrawn"):
        agent.request([frame])


def test_a_refused_statement_leaves_no_frame_behind(office: Office, agent: ScriptedAgent) -> None:
    """The chain's memory is shared between its states: what was refused must not be seen in it."""
    agent.open_session()
    agent.work(2 * ROUND_MS)
    first = list(agent.pending)
    found = refused(lambda: office.post([*first[:1], sign(agent.made[-1][1], STRANGER)]))
    assert found.item == 1
    with pytest.raises(RefusedError, match="its segment has not"):
        agent.request(agent.frames[:1])
    office.post(first)
    agent.request(agent.frames[:1])


def _disclosure(
    office: Office, engagement: bytes, request: Statement, frame: KeptFrame
) -> Statement:
    record = DisputeDisclosure(
        engagement=engagement,
        claimed_at=office.now,
        request=request.digest,
        frames=(DisclosedFrame(frame.tree.commitment, Digest.of(b"what is shown")),),
    )
    return sign(record, office.people.freelancer)


def test_a_disclosure_answers_a_request_of_its_own_engagement(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    office.post([offer_of(office, "the second")])
    request, frame = agent.request(agent.frames[:1]), agent.frames[0]
    other = _disclosure(office, unique(office, "the second"), request, frame)
    assert "answers no logged request" in str(refused(lambda: office.post([other])))
    office.post([_disclosure(office, agent.engagement, request, frame)])
    assert office.check() == []


def test_beside_a_case_nothing_is_compared_with_when_a_disclosure_was_signed(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1])
    told = read_record(_disclosure(office, agent.engagement, request, agent.frames[0]))
    later = replace(told, claimed_at=office.now + 365 * 86_400_000)
    office.post([sign(later, office.people.freelancer)])
    assert office.check() == []


def test_a_disclosure_finds_a_request_that_still_waits(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    frame, verifier = agent.frames[0], office.verifier
    record = DisputeRequest(
        engagement=agent.engagement,
        claimed_at=office.now,
        frames=(RequestedFrame(frame.segment, frame.tree.commitment),),
        reason="the client doubts the first hour",
        sealing_key=bytes(1216),
        answer_by=office.now + 1,
    )
    request = sign(record, office.people.arbitrator)
    answer = _disclosure(office, agent.engagement, request, frame)
    tick = verifier.sequencer._admission.begin(size_of(office))
    for statement in (request, answer):
        assert tick.admit(verifier.services.intake.read(statement.encode()), {})
    office.post([request, answer])
    assert office.check() == []


def test_refuses_a_disclosure_of_what_nobody_asked_for(agent: ScriptedAgent) -> None:
    agent.open_session()
    agent.work(12 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1])
    with pytest.raises(RefusedError, match="nobody asked for"):
        agent.answer(request, agent.frames[1:2])
    with pytest.raises(RefusedError, match="no logged request"):
        agent.answer(agent.made[0][0], agent.frames[:1])
    asked = agent.frames[:1]
    agent.withdraw(agent.frames[0])
    with pytest.raises(RefusedError, match="withdrawn"):
        agent.answer(request, asked)


def test_a_disclosure_has_one_finding(office: Office, agent: ScriptedAgent) -> None:
    first_day(office, agent, back_dated=False)
    second_day(office, agent)
    dispute(office, agent)
    entry = next(office.verifier.records.of_kinds(["dispute.finding"], below=10**9))
    finding = read_record(Statement.parse(entry.body))
    assert isinstance(finding, DisputeFinding)
    second = sign(replace(finding, claimed_at=office.now - 1), office.people.operator)
    assert refused(lambda: office.post([second])).reason is Reason.CONFLICT
