"""One tick: a submission whole or nothing of it, and moved on where nobody minds."""

from dataclasses import replace

import pytest

from support.office import Office
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.tick import Tick
from workseal_verifier.store.records import Touched


@pytest.fixture
def agent(office: Office) -> ScriptedAgent:
    """Let somebody's work begin, so that memory holds it."""
    agent = ScriptedAgent(office)
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    return agent


def begun(office: Office) -> Tick:
    head = office.verifier.log.head()
    assert head is not None
    return office.verifier.sequencer._admission.begin(head.size)


def candidates(office: Office, agent: ScriptedAgent, rounds: int = 3) -> list[Candidate]:
    agent.work(rounds * ROUND_MS)
    body = b"".join(one.encode() for one in agent.pending)
    return list(office.verifier.services.intake.read(body))


def test_a_submission_that_is_refused_leaves_nothing(office: Office, agent: ScriptedAgent) -> None:
    first, second, third = candidates(office, agent)
    tick = begun(office)
    place = tick.next_place
    with pytest.raises(RefusedError) as caught:
        tick.admit([first, third], {})
    assert caught.value.item == 1
    assert (tick.entries, tick.next_place) == ([], place)
    assert not tick.states
    assert not tick.spans.spans
    # Nothing is in its way.
    assert tick.admit([first, second, third], {}) == (place, place + 1, place + 2)


def test_what_is_logged_or_admitted_already_keeps_its_place(
    office: Office, agent: ScriptedAgent
) -> None:
    first, second, _ = candidates(office, agent)
    tick = begun(office)
    place = tick.next_place
    assert tick.admit([first, first], {}) == (place, place)
    assert tick.admit([first, second], {second.digest: 1}) == (place, 1)
    assert len(tick.entries) == 1


def test_what_was_admitted_moves_with_its_tick(office: Office, agent: ScriptedAgent) -> None:
    first, second, _ = candidates(office, agent)
    tick = begun(office)
    place = tick.next_place
    tick.admit([first], {})
    tick.move_to(place + 5)
    assert [one.position for one in tick.entries] == [place + 5]
    assert tick.admit([first, second], {}) == (place + 5, place + 6)


def test_a_tick_minds_its_engagements_and_its_persons_work_elsewhere(
    office: Office, agent: ScriptedAgent
) -> None:
    first, *_ = candidates(office, agent)
    tick = begun(office)
    tick.admit([first], {})
    worker = office.people.freelancer.public_key.thumbprint.raw
    other = Touched(
        kind=first.statement.kind, engagement=bytes(16), worker=bytes(32), end_ms=1, count=1
    )
    assert not tick.may_mind([])
    assert not tick.may_mind([other])
    assert tick.may_mind([other, replace(other, engagement=agent.engagement)])
    assert tick.may_mind([replace(other, worker=worker)])
