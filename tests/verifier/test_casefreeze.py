"""Freezes and named frames at a real log: exactly those that its chain has."""

from dataclasses import replace
from typing import Any

import pytest

from support.acting import KeptFrame
from support.hearings import DAY_MS, Hearing
from support.office import Office
from support.refusing import refused
from support.scripted import ScriptedAgent, disclose
from support.simulator import ROUND_MS, seeded
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import drawn_frames
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisclosedFrame,
    DisputeDisclosure,
    DisputeRequest,
    Freeze,
    Holding,
    RequestedFrame,
    Segment,
    Stratum,
    read_record,
    sign,
)
from workseal_protocol.sealing import case_public
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason
from workseal_verifier.services.casefreeze import frames_in


@pytest.fixture
def hearing(office: Office, agent: ScriptedAgent) -> Hearing:
    """Give a case over two stretches of work, at level 1, with one frame withdrawn."""
    begin = office.now - DAY_MS
    for _ in range(2):
        agent.open_session()
        agent.work(6 * ROUND_MS)
        agent.send()
        agent.close_session()
        agent.pause(3_600_000)
    agent.withdraw(agent.frames[3])
    made = Hearing(office, agent.engagement, agent.terms)
    made.file(begin=begin).seated()
    return made.ask(1).act(Role.FREELANCER, Act.SHOW).act(Role.CLIENT, Act.PASS)


def asking(hearing: Hearing, freeze: Freeze, **fields: Any) -> Hearing:
    """Let the arbitrator ask for two frames at level 2."""
    return hearing.ask(2, count=2, freeze=freeze, **fields)


def named(hearing: Hearing, *frames: RequestedFrame) -> DisputeRequest:
    return DisputeRequest(
        engagement=hearing.engagement,
        claimed_at=hearing.office.now,
        frames=frames,
        reason="the drawn ones",
        sealing_key=case_public(seeded(hearing.office.seed, "sealing") * 3),
        answer_by=hearing.office.now + 1,
        place=CasePlace(hearing.case.case, hearing.case.head),
    )


def others(hearing: Hearing) -> list[RequestedFrame]:
    """Give the kept frames that were not drawn."""
    drawn = set(drawn_frames(hearing.case, hearing.frames()))
    kept = (one for one in hearing.frames() if one.holding is Holding.KEPT)
    return [one for kept in kept if (one := RequestedFrame(kept.segment, kept.frame)) not in drawn]


def begin_of(hearing: Hearing, frame: KeptFrame) -> int:
    entry = hearing.office.verifier.records.by_digest(frame.segment)
    assert entry is not None
    record = read_record(Statement.parse(entry.body))
    assert isinstance(record, Segment)
    return record.begin


# --- freezes ---


def test_a_freeze_is_of_the_frames_that_the_log_has(hearing: Hearing) -> None:
    freeze = hearing.freeze()
    assert {one.holding for one in freeze.strata} == {Holding.KEPT, Holding.WITHDRAWN}
    asking(hearing, freeze)
    assert hearing.case.state.value == "naming"
    assert hearing.office.check() == []


def test_a_freeze_that_leaves_frames_out_is_refused(hearing: Hearing) -> None:
    whole = hearing.freeze()
    kept, withdrawn = whole.strata
    for false in (
        replace(whole, root=Digest(bytes(32))),
        Freeze(whole.root, (replace(kept, count=kept.count - 1), withdrawn)),
        Freeze(whole.root, (replace(kept, count=kept.count + 1),)),
        Freeze(whole.root, (kept, Stratum(Holding.WITHDRAWN, withdrawn.day + 1, 1))),
    ):
        told = refused(lambda: asking(hearing, false))  # noqa: B023
        assert (told.reason, "the freeze: expected" in told.detail) == (Reason.REFUSED, True)
    # Of other hours than those that are asked for.
    filing = hearing.case.filing
    told = refused(lambda: asking(hearing, whole, begin=filing.end - 1))
    assert "the freeze: expected 0 frames" in told.detail
    assert asking(hearing, whole).case.state.value == "naming"


def test_a_tombstone_that_overtakes_a_freeze_makes_it_false(
    hearing: Hearing, agent: ScriptedAgent
) -> None:
    before = hearing.freeze()
    agent.withdraw(agent.frames[0])
    assert "the freeze" in refused(lambda: asking(hearing, before)).detail
    assert asking(hearing, hearing.freeze()).case.state.value == "naming"


def test_the_memory_of_the_log_gives_the_frames_of_its_statements(hearing: Hearing) -> None:
    admission = hearing.office.verifier.sequencer._admission
    assert admission.events is not None
    state = admission.state(hearing.engagement, admission.events)
    assert state is not None
    begin, end = hearing.case.filing.begin, hearing.case.filing.end
    middle = hearing.frames()[4]
    for hours in ((begin, end), (begin, begin + 1), (end - 3_600_000, end)):
        own = frames_in(state.past, *hours, below=state.past.length)
        assert own == hearing.frames(*hours)
    # As it was before: without the frames, and the tombstone, that came later.
    seq = state.past.frames[middle.frame][0]
    early = frames_in(state.past, begin, end, below=seq)
    assert 0 < len(early) < len(hearing.frames())
    assert {one.holding for one in early} == {Holding.KEPT}


# --- named frames ---


def test_only_drawn_frames_are_named(hearing: Hearing) -> None:
    asking(hearing, hearing.freeze()).sampled()
    wrong, *_ = others(hearing)
    drawn = drawn_frames(hearing.case, hearing.frames())
    for frames in ((wrong,), (drawn[0], wrong)):
        told = refused(lambda: hearing.request(named(hearing, *frames)))  # noqa: B023
        assert f"expected frames that were drawn, found {wrong.frame}" in told.detail
    hearing.request(named(hearing, *drawn))
    assert hearing.case.state.value == "disclosure"
    assert hearing.office.check() == []


def test_what_was_withdrawn_or_recorded_since_the_freeze_changes_no_place(
    hearing: Hearing, agent: ScriptedAgent
) -> None:
    frozen = hearing.frames()
    asking(hearing, hearing.freeze()).sampled()
    drawn = drawn_frames(hearing.case, frozen)
    out = next(one for one in agent.frames if one.tree.commitment not in {d.frame for d in drawn})
    agent.withdraw(out)
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    hearing.request(named(hearing, *drawn))
    assert hearing.case.state.value == "disclosure"


def test_whole_frames_are_those_of_the_hours_that_were_asked_for(
    hearing: Hearing, agent: ScriptedAgent
) -> None:
    asking(hearing, hearing.freeze()).sampled()
    for level in (2, 3):
        hearing.request(named(hearing, drawn_frames(hearing.case, hearing.frames())[0]))
        hearing.act(Role.FREELANCER, Act.WITHHOLD).act(Role.CLIENT, Act.PASS)
        hours = {"begin": begin_of(hearing, agent.frames[0])}
        hearing.ask(level + 1, **(hours | {"end": hours["begin"] + 1} if level == 3 else {}))
    first, last = agent.frames[0], agent.frames[-1]
    late = RequestedFrame(last.segment, last.tree.commitment)
    told = refused(lambda: hearing.request(named(hearing, late)))
    assert "expected frames of the hours that were asked for" in told.detail
    hearing.request(named(hearing, RequestedFrame(first.segment, first.tree.commitment)))


def test_an_answer_to_a_case_is_part_of_it(hearing: Hearing, agent: ScriptedAgent) -> None:
    """Beside the case the client would have no word about it, and a whole frame no approval."""
    asking(hearing, hearing.freeze()).sampled()
    drawn = drawn_frames(hearing.case, hearing.frames())
    request = hearing.request(named(hearing, drawn[0]))
    frame = next(one for one in agent.frames if one.tree.commitment == drawn[0].frame)
    record = DisputeDisclosure(
        engagement=hearing.engagement,
        claimed_at=hearing.office.now,
        request=request.digest,
        frames=(DisclosedFrame(drawn[0].frame, disclose(frame, (0,)).digest),),
    )
    beside = sign(record, hearing.office.people.freelancer)
    told = refused(lambda: hearing.office.post([beside]))
    assert "the request is part of a case: its answer is too" in told.detail
