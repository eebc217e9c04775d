"""Admission of work, hours and statements of possession, against a real log."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from support.builders import make_possession
from support.held import Keeper
from support.office import Office, stranger_offer, unique
from support.refusing import STRANGER, refused, size_of
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, START, seeded
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_protocol.possession import possessions_of
from workseal_protocol.records import (
    Anchor,
    Capture,
    ChainedRecord,
    KeyRotate,
    Possession,
    Record,
    Segment,
    SessionOpen,
    SheetAnswer,
    TimesheetAnswer,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason

DAY = datetime.fromtimestamp(START / 1000, tz=UTC).date()


# --- evidence ---


def test_takes_evidence_between_sessions_and_in_them(office: Office, agent: ScriptedAgent) -> None:
    agent.prove(b"whatever is committed")
    agent.open_session()
    agent.prove(b"something else")
    agent.work(ROUND_MS)
    agent.send()
    agent.close_session()
    kinds = [entry.kind for entry in office.verifier.records.all()]
    assert kinds.count("evidence") == 2
    assert office.check() == []


def test_evidence_is_the_freelancers(office: Office, agent: ScriptedAgent) -> None:
    agent.prove(b"whatever is committed")
    record = agent.made[-1][1]
    assert isinstance(record, ChainedRecord)
    foreign = sign(replace(record, seq=record.seq + 1), office.people.client)
    assert refused(lambda: office.post([foreign])).reason is Reason.UNKNOWN_PARTY


# --- hours ---


@pytest.fixture
def summed(agent: ScriptedAgent) -> Statement:
    agent.open_session()
    agent.work(ROUND_MS)
    agent.close_session()
    return agent.sum_up(DAY, DAY)


def test_takes_timesheets_and_answers(
    office: Office, agent: ScriptedAgent, summed: Statement
) -> None:
    agent.reply(summed, SheetAnswer.OBJECTION, "no")
    other = agent.sum_up(DAY, DAY, replaces=summed.digest)
    agent.reply(other, SheetAnswer.ACCEPTED)
    kinds = [entry.kind for entry in office.verifier.records.all()]
    assert (kinds.count("timesheet"), kinds.count("timesheet.answer")) == (2, 2)
    assert office.check() == []


@pytest.mark.parametrize(
    ("field", "sentence"),
    [("head", "not in the chain here"), ("replaces", "replaces one that is not logged")],
)
def test_refuses_a_timesheet_that_names_what_is_not_logged(
    office: Office, agent: ScriptedAgent, summed: Statement, field: str, sentence: str
) -> None:
    foreign = ScriptedAgent(office, engagement=unique(office, "other"), terms=office.terms())
    foreign.open_session()
    elsewhere = foreign.sum_up(DAY, DAY)
    # Its own timesheet is no statement of the chain, and the chain's are no timesheets.
    wrong = summed.digest if field == "head" else agent.state.head
    for digest in (Digest.of(b"nothing"), elsewhere.digest, foreign.state.head, wrong):
        changes: dict[str, Any] = {field: digest}
        found = refused(partial(agent.sum_up, DAY, DAY, **changes))
        assert found.reason is Reason.REFUSED
        assert sentence in found.detail


def test_refuses_an_answer_to_what_is_no_timesheet_here(
    office: Office, agent: ScriptedAgent, summed: Statement
) -> None:
    foreign = ScriptedAgent(office, engagement=unique(office, "other"), terms=office.terms())
    foreign.open_session()
    acceptance = agent.made[0][0]
    for other in (foreign.sum_up(DAY, DAY), acceptance):
        found = refused(partial(agent.reply, other, SheetAnswer.ACCEPTED))
        assert found.reason is Reason.REFUSED
        assert "not logged" in found.detail
    agent.reply(summed, SheetAnswer.ACCEPTED)


def test_timesheets_are_the_freelancers_and_answers_the_clients(
    office: Office, agent: ScriptedAgent, summed: Statement
) -> None:
    sheet = read_record(summed)
    answer = TimesheetAnswer(
        engagement=agent.engagement,
        claimed_at=office.now,
        timesheet=summed.digest,
        answer=SheetAnswer.ACCEPTED,
    )
    people = office.people
    for record, signers in (
        (sheet, (people.client, people.arbitrator, people.operator, STRANGER)),
        (answer, (people.freelancer, people.arbitrator, people.operator, STRANGER)),
    ):
        for signer in signers:
            found = refused(partial(office.post, [sign(record, signer)]))
            assert found.reason is Reason.UNKNOWN_PARTY


# --- frames that are still held ---


@pytest.fixture
def keeper(agent: ScriptedAgent) -> ScriptedAgent:
    """Record some frames."""
    agent.open_session()
    agent.work(60_000)
    agent.close_session()
    return agent


def held(agent: ScriptedAgent, number: int = 1, **changes: Any) -> Statement:
    """Sign a statement of possession; which weeks it may speak of, its readers judge."""
    round_ = agent.verifier.now // ROUND_MS - 3 + number
    fields: dict[str, Any] = {
        "engagement": agent.engagement,
        "claimed_at": agent.verifier.now,
        "round": round_,
        "value": agent.verifier.value(round_),
        "head": agent.state.head,
    }
    return sign(make_possession(**(fields | changes)), agent.verifier.people.freelancer)


def test_takes_statements_of_possession_one_after_the_other(
    office: Office, keeper: ScriptedAgent
) -> None:
    first = held(keeper)
    second = held(keeper, 2, before=first.digest)
    office.post([first, second])
    office.post([held(keeper, 3, before=second.digest)])
    kinds = [entry.kind for entry in office.verifier.records.all()]
    assert kinds.count("possession") == 3
    assert office.check() == []


def test_what_a_freelancer_says_week_by_week_is_admitted_and_holds(
    office: Office, keeper: ScriptedAgent
) -> None:
    weekly = Keeper(keeper)
    beacon = office.verifier.beacon
    for week in (1, 2):
        begin = weekly.round(week) * ROUND_MS
        office.now = begin - 3_600_000
        beacon.commit_ahead(lambda ones: forget(office.post(ones)))
        office.now = begin + 1_000
        weekly.say(week)
    items = [
        (one.position, one.digest, read_record(Statement.parse(one.body)))
        for one in office.verifier.records.all()
    ]
    proven = {
        place
        for place, _, one in items
        if isinstance(one, Possession) and beacon.is_committed(ROUND_MS, one.round, one.value)
    }
    found = possessions_of(ROUND_MS, items, proven, lambda _: True).findings
    assert [(one.week, one.shown, one.why) for one in found] == [(1, 0, ""), (2, 6, "")]


def forget(_: object) -> None:
    """Take an answer that nobody needs."""


def test_refuses_a_second_statement_of_possession_in_one_place(
    office: Office, keeper: ScriptedAgent
) -> None:
    first = held(keeper)
    office.post([first])
    office.post([first])
    assert refused(lambda: office.post([held(keeper, 2)])).reason is Reason.CONFLICT
    office.post([held(keeper, 2, before=first.digest)])
    late = held(keeper, 3, before=first.digest)
    assert refused(lambda: office.post([late])).reason is Reason.CONFLICT


def test_refuses_two_statements_of_possession_that_come_together(
    office: Office, keeper: ScriptedAgent
) -> None:
    both = [held(keeper, number) for number in (1, 2)]
    assert refused(lambda: office.post(both)).reason is Reason.CONFLICT
    # Of another submission of the same tick.
    sequencer = office.verifier.services.sequencer
    intake = office.verifier.services.intake
    waiting = [sequencer.submit(intake.read(one.encode()), old=0) for one in both]
    waiting[0].result(20)
    assert refused(lambda: waiting[1].result(20)).reason is Reason.CONFLICT


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"before": Digest.of(b"nothing")}, "that is not here"),
        ({"head": Digest.of(b"nothing")}, "not in the chain here"),
        ({"value": bytes(32)}, "not the committed one"),
        ({"round": 1 << 40}, "has not begun"),
    ],
)
def test_refuses_a_statement_of_possession_that_does_not_hold(
    office: Office, keeper: ScriptedAgent, changes: dict[str, Any], sentence: str
) -> None:
    found = refused(lambda: office.post([held(keeper, **changes)]))
    assert found.reason is Reason.REFUSED
    assert sentence in found.detail


def test_a_statement_of_possession_follows_none_of_another_kind(
    office: Office, keeper: ScriptedAgent
) -> None:
    found = refused(lambda: office.post([held(keeper, before=keeper.state.head)]))
    assert "that is not here" in found.detail


def test_a_statement_of_possession_is_the_freelancers(
    office: Office, keeper: ScriptedAgent
) -> None:
    record = read_record(held(keeper))
    people = office.people
    for signer in (people.client, people.arbitrator, people.operator, STRANGER):
        found = refused(partial(office.post, [sign(record, signer)]))
        assert found.reason is Reason.UNKNOWN_PARTY


def test_a_refused_statement_of_possession_holds_up_no_hour(
    office: Office, keeper: ScriptedAgent
) -> None:
    refused(lambda: office.post([held(keeper, value=bytes(32))]))
    keeper.open_session()
    keeper.work(20_000)
    keeper.close_session()
    assert office.check() == []


# --- the chain ---


def test_refuses_another_body_under_one_number(office: Office, agent: ScriptedAgent) -> None:
    agent.open_session()
    statement, record = agent.made[-1]
    assert isinstance(record, SessionOpen)
    other = sign(replace(record, agent="another"), office.people.freelancer)
    found = refused(lambda: office.post([other]))
    assert found.reason is Reason.CONFLICT
    assert office.post([statement]).indices == (office.acknowledged[statement.digest],)


def twisted(agent: ScriptedAgent, **changes: Any) -> Statement:
    """Let the agent work one round, and change its segment before it is sent."""

    def change(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        return (replace(record, **changes) if isinstance(record, Segment) else record), signer

    agent.twist = change
    agent.work(ROUND_MS - agent.verifier.now % ROUND_MS)
    return agent.pending[-1]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param({"verifier_value": bytes(32)}, "verifier value", id="false beacon value"),
        pytest.param({"anchor": Anchor(Digest.of(b"x"), 6)}, "no checkpoint", id="false anchor"),
        pytest.param({"anchor": Anchor(Digest.of(b"x"), 10**6)}, "no checkpoint", id="far anchor"),
        pytest.param({"prev": Digest.of(b"x")}, "link", id="false link"),
        pytest.param({"worked": 10_000}, "worked", id="more work than time"),
        pytest.param({"agent_value": bytes(32)}, "agent-value", id="false agent value"),
    ],
)
def test_refuses_a_segment(
    office: Office, agent: ScriptedAgent, changes: dict[str, Any], text: str
) -> None:
    # Work that is shorter than its claim needs a part of a round.
    office.now += 7_000 if "worked" in changes else 0
    agent.open_session()
    before = size_of(office)
    found = refused(lambda: office.post([twisted(agent, **changes)]))
    assert found.reason is Reason.REFUSED
    assert text in found.detail
    assert size_of(office) == before


def test_refuses_a_round_that_has_not_begun(office: Office, agent: ScriptedAgent) -> None:
    agent.open_session()
    agent.online = False
    agent.work(3 * ROUND_MS)
    statements = list(agent.pending)
    office.now -= 700_000
    office.verifier.publisher._last_signed_at = 0
    found = refused(lambda: office.post(statements[:1]))
    assert found.reason is Reason.REFUSED


def test_refuses_a_round_that_has_not_begun_even_without_work(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    number = office.now // ROUND_MS + 70
    start = number * ROUND_MS
    statement = twisted(
        agent,
        round=number,
        begin=start,
        end=start,
        worked=0,
        verifier_value=None,
        agent_value=agent._values[number - agent._first],
        frames=(),
        capture=Capture.NONE,
    )
    assert "has not begun" in refused(lambda: office.post([statement])).detail


def test_refuses_a_round_told_long_after_it_as_if_it_were_new(
    office: Office, agent: ScriptedAgent
) -> None:
    """What verification would call back-dated must not reach the log: it would spoil the chain."""
    agent.open_session()
    agent.online = False
    late_anchor_from = office.now
    office.now += 600_000
    office.post([stranger_offer(office, "tick")])
    agent.refresh()
    newest = office.now
    office.now = late_anchor_from
    agent.work(ROUND_MS)
    office.now = newest
    found = refused(lambda: office.post(agent.pending))
    assert "long after" in found.detail


# --- double work ---


def two_engagements(office: Office) -> tuple[ScriptedAgent, ScriptedAgent]:
    here = ScriptedAgent(office)
    client = SeedSigner(seeded(office.seed, "second client"))
    original = office.people
    office.people = replace(original, client=client)
    terms = office.terms(client=client.public_key)
    there = ScriptedAgent(office, terms=terms, engagement=unique(office, "there"))
    office.people = original
    return here, there


def test_refuses_work_for_two_clients_at_one_time(office: Office) -> None:
    here, there = two_engagements(office)
    here.open_session()
    there.open_session()
    begin = office.now
    here.work(ROUND_MS)
    here.send()
    office.now = begin
    there.work(ROUND_MS)
    found = refused(there.send)
    assert found.reason is Reason.OVERLAP
    # Nothing about the other engagement may stand in the answer.
    assert found.detail == "other work is recorded for this time"
    assert office.check() == []


def test_refuses_it_within_one_tick_too(office: Office) -> None:
    here, there = two_engagements(office)
    here.open_session()
    there.open_session()
    begin = office.now
    here.work(ROUND_MS)
    office.now = begin
    there.work(ROUND_MS)
    found = refused(lambda: office.post([*here.pending, *there.pending]))
    assert (found.reason, found.item) == (Reason.OVERLAP, 1)


def test_refuses_it_where_the_segment_before_it_was_free(office: Office) -> None:
    here, there = two_engagements(office)
    here.open_session()
    there.open_session()
    begin = office.now
    office.now = begin + ROUND_MS
    there.work(ROUND_MS)
    there.send()
    office.now = begin
    here.work(ROUND_MS)
    here.work(ROUND_MS)
    found = refused(here.send)
    assert (found.reason, found.item) == (Reason.OVERLAP, 1)


def test_admits_work_for_two_clients_one_after_the_other(office: Office) -> None:
    here, there = two_engagements(office)
    here.open_session()
    there.open_session()
    here.work(ROUND_MS)
    here.send()
    there.work(ROUND_MS)
    there.send()
    here.work(ROUND_MS)
    here.send()
    assert office.check() == []


def test_refuses_double_work_after_a_restart(office: Office) -> None:
    here, there = two_engagements(office)
    here.open_session()
    there.open_session()
    begin = office.now
    here.work(ROUND_MS)
    here.send()
    office.verifier.sequencer._admission.forget()
    office.now = begin
    office.verifier.publisher._last_signed_at = 0
    there.work(ROUND_MS)
    assert refused(there.send).reason is Reason.OVERLAP


def test_refuses_double_work_under_a_new_key(office: Office, agent: ScriptedAgent) -> None:
    """Terms that name the successor of a key are still about the same person."""
    new = SeedSigner(seeded(office.seed, "new key"))
    agent.open_session()
    begin = office.now
    agent.work(ROUND_MS)
    agent.send()
    old = office.people.freelancer
    rotate = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(rotate, old)])
    office.people = replace(office.people, freelancer=new)
    terms = office.terms(freelancer=new.public_key)
    # Joining takes a minute.
    office.now = begin - 60_000
    office.verifier.publisher._last_signed_at = 0
    there = ScriptedAgent(office, terms=terms, engagement=unique(office, "there"))
    there.open_session()
    there.work(ROUND_MS)
    assert refused(there.send).reason is Reason.OVERLAP


@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.parametrize("late_s", [60, 61])
def test_no_round_is_told_of_long_after_it(
    office: Office, agent: ScriptedAgent, late_s: int, *, forget: bool
) -> None:
    """Offline rounds are prepared by nobody: their anchor says that they are over for long."""
    agent.open_session()
    begin = office.now
    agent.online = False
    agent.work(ROUND_MS)
    # A checkpoint of just then, cosigned in whole seconds, is what the segment anchors on.
    over = (begin // ROUND_MS + 1) * ROUND_MS
    office.now = over + late_s * 1_000
    office.verifier.publisher._last_signed_at = 0
    office.others(1)
    agent.refresh()
    anchor = Anchor(office.checkpoint().digest, size_of(office))
    session, first = agent.made[-2][0], agent.made[-1][1]
    assert isinstance(first, Segment)
    office.post([session])
    if forget:
        office.verifier.sequencer._admission.forget()
    segment = sign(replace(first, anchor=anchor), office.people.freelancer)
    if late_s == 60:
        office.post([segment])
    else:
        assert "long after it" in refused(lambda: office.post([segment])).detail
