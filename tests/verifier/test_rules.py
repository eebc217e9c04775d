"""Admission, rule by rule, against a real log."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from support.acting import KeptFrame
from support.builders import make_possession
from support.held import Keeper
from support.office import Office, stranger_offer, unique
from support.scripted import ScriptedAgent, dispute, first_day, second_day
from support.simulator import ROUND_MS, START, seeded
from workseal_protocol import keyhistory
from workseal_protocol.digest import Digest
from workseal_protocol.keys import PublicKey, Role, SeedSigner
from workseal_protocol.possession import possessions_of
from workseal_protocol.records import (
    Acceptance,
    Anchor,
    BeaconCommitment,
    BundleManifest,
    Capture,
    ChainedRecord,
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    ManifestEntry,
    Offer,
    Possession,
    Record,
    RequestedFrame,
    RevocationReason,
    Segment,
    SessionOpen,
    SheetAnswer,
    TimesheetAnswer,
    read_record,
    sign,
)
from workseal_protocol.records.bounds import MAX_TIME
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import draft, keyevents, loggedkeys, rules

STRANGER = SeedSigner(bytes(range(32)))
DAY = datetime.fromtimestamp(START / 1000, tz=UTC).date()


def refused(call: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        call()
    return caught.value


def few_vouchers(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (keyevents, loggedkeys):
        monkeypatch.setattr(module, "MAX_VOUCHERS", 2)


def size_of(office: Office) -> int:
    return office.checkpoint().checkpoint.size


def offer_of(office: Office, word: str = "new", **changes: Any) -> Statement:
    terms = office.terms(**changes)
    record = Offer(engagement=unique(office, word), claimed_at=office.now, terms=terms)
    return sign(record, office.people.client)


def test_a_whole_engagement_with_a_dispute_is_admitted(
    office: Office, agent: ScriptedAgent
) -> None:
    first_day(office, agent, back_dated=False)
    second_day(office, agent)
    dispute(office, agent)
    assert office.check() == []
    assert {statement.digest for statement, _ in agent.made} <= set(office.acknowledged)


# --- agreement ---


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param({"log_policy": "quorum none\n"}, "another log policy", id="policy"),
        pytest.param({"operator": STRANGER.public_key}, "another operator", id="operator"),
        pytest.param({"round_ms": 30_000}, "rounds of 10000 ms", id="round length"),
    ],
)
def test_refuses_an_offer_of_other_terms(office: Office, change: dict[str, Any], text: str) -> None:
    found = refused(lambda: office.post([offer_of(office, **change)]))
    assert found.reason is Reason.REFUSED
    assert text in found.detail


def test_refuses_an_offer_that_the_named_client_did_not_sign(office: Office) -> None:
    record = Offer(engagement=unique(office, 1), claimed_at=office.now, terms=office.terms())
    found = refused(lambda: office.post([sign(record, STRANGER)]))
    assert found.reason is Reason.UNKNOWN_PARTY


def test_refuses_a_client_who_is_not_on_the_operators_list(office: Office) -> None:
    settings = office.verifier.settings
    office.verifier.settings = replace(settings, clients=(STRANGER.public_key.text(),))
    found = refused(lambda: office.post([offer_of(office)]))
    assert found.reason is Reason.UNKNOWN_PARTY


def test_a_stranger_does_not_learn_whose_key_may_offer(office: Office) -> None:
    """Neither from the words nor from the time: who did not sign is not looked up in the list."""
    asked: list[PublicKey] = []
    house = office.verifier.sequencer._admission.house

    def look_up(key: PublicKey) -> bool:
        asked.append(key)
        return False

    object.__setattr__(house, "may_offer", look_up)
    listed, other = (SeedSigner(seeded(office.seed, word)) for word in ("listed", "other"))
    said = []
    for client in (listed, other):
        terms = office.terms(client=client.public_key)
        record = Offer(engagement=unique(office, client), claimed_at=office.now, terms=terms)
        found = refused(lambda record=record: office.post([sign(record, STRANGER)]))  # type: ignore[misc]
        said.append((found.reason, str(found), found.item))
    assert len(set(said)) == 1
    assert said[0][1] == "the signer is not a party who may say this here"
    assert asked == []


def test_refuses_a_second_offer_for_an_engagement(office: Office) -> None:
    office.post([offer_of(office)])
    found = refused(lambda: office.post([offer_of(office, review_days=6)]))
    assert found.reason is Reason.CONFLICT


def test_refuses_a_bad_signature(office: Office) -> None:
    offer = offer_of(office)
    bad = replace(offer, signature=bytes(64))
    found = refused(lambda: office.post([bad]))
    assert (found.reason, found.item) == (Reason.REFUSED, 0)


def test_refuses_an_acceptance_of_something_else(office: Office) -> None:
    offer = offer_of(office)
    office.post([offer])
    for terms, named in (
        (office.terms(review_days=9), offer.digest),
        (office.terms(), Digest.of(b"another")),
    ):
        record = Acceptance(
            engagement=unique(office, "new"), claimed_at=office.now, terms=terms, offer=named
        )
        statement = sign(record, office.people.freelancer)
        found = refused(lambda statement=statement: office.post([statement]))  # type: ignore[misc]
        assert found.reason is Reason.REFUSED


def test_refuses_a_second_acceptance(office: Office, agent: ScriptedAgent) -> None:
    record = Acceptance(
        engagement=agent.engagement,
        claimed_at=office.now + 1,
        terms=agent.terms,
        offer=agent.made[0][0].digest,
    )
    found = refused(lambda: office.post([sign(record, office.people.freelancer)]))
    assert found.reason is Reason.CONFLICT


def test_refuses_a_bundle_manifest(office: Office, agent: ScriptedAgent) -> None:
    record = BundleManifest(
        engagement=agent.engagement,
        claimed_at=office.now,
        entries=(ManifestEntry("README.txt", Digest.of(b""), 1),),
    )
    found = refused(lambda: office.post([sign(record, office.people.freelancer)]))
    assert found.reason is Reason.REFUSED


def test_refuses_a_beacon_commitment_by_anybody_else(office: Office) -> None:
    record = BeaconCommitment(
        claimed_at=office.now, period_ms=ROUND_MS, first_round=1, count=1, head=Digest.of(b"")
    )
    found = refused(lambda: office.post([sign(record, STRANGER)]))
    assert found.reason is Reason.UNKNOWN_PARTY


# --- work ---


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


def test_refuses_another_body_under_one_number(office: Office, agent: ScriptedAgent) -> None:
    agent.open_session()
    statement, record = agent.made[-1]
    assert isinstance(record, SessionOpen)
    other = sign(replace(record, agent="another"), office.people.freelancer)
    found = refused(lambda: office.post([other]))
    assert found.reason is Reason.CONFLICT
    assert office.post([statement]).indices == (office.acknowledged[statement.digest],)


def test_refuses_the_work_of_a_stranger_and_of_an_unknown_engagement_alike(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    record = agent.made[-1][1]
    assert isinstance(record, SessionOpen)
    stranger = refused(lambda: office.post([sign(record, STRANGER)]))
    unknown = replace(record, engagement=unique(office, "nobody"))
    nowhere = refused(lambda: office.post([sign(unknown, STRANGER)]))
    assert (stranger.reason, stranger.detail) == (nowhere.reason, nowhere.detail)
    assert stranger.reason is Reason.UNKNOWN_PARTY


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


def test_asks_a_sender_whose_clock_is_a_little_ahead_to_come_back(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    agent.online = False
    agent.work(ROUND_MS)
    statements = list(agent.pending)
    office.now -= 5_000
    office.verifier.publisher._last_signed_at = 0
    found = refused(lambda: office.post(statements))
    assert (found.reason, found.retry_after) == (Reason.BUSY, 4)
    office.now += 3_000
    office.post(statements)


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


# --- all or nothing, again and again ---


def test_a_refused_item_refuses_its_whole_submission(office: Office, agent: ScriptedAgent) -> None:
    before = size_of(office)
    agent.online = False
    agent.open_session()
    agent.work(2 * ROUND_MS)
    good = list(agent.pending)
    found = refused(lambda: office.post([*good, sign(agent.made[-1][1], STRANGER)]))
    assert found.item == len(good)
    assert size_of(office) == before
    office.post(good)
    assert size_of(office) == before + len(good)
    assert office.check() == []


def test_the_same_statement_keeps_its_index_however_often_it_is_sent(office: Office) -> None:
    first, second = offer_of(office, "1"), offer_of(office, "2")
    indices = office.post([first, second, first]).indices
    assert indices[0] == indices[2]
    before = office.checkpoint()
    assert office.post([second]).indices == (indices[1],)
    assert office.checkpoint() == before


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


# --- keys ---


def _rotate_strangers_key(office: Office, *, times: int) -> None:
    """Log an offer by strangers, and rotate its freelancer's key."""
    client = SeedSigner(seeded(office.seed, "strange client"))
    key = SeedSigner(seeded(office.seed, "strange freelancer"))
    terms = office.terms(client=client.public_key, freelancer=key.public_key)
    offer = Offer(engagement=unique(office, "strange"), claimed_at=office.now, terms=terms)
    office.post([sign(offer, client)])
    for number in range(times):
        new = SeedSigner(seeded(office.seed, f"strange freelancer {number}"))
        rotate = KeyRotate.make(claimed_at=office.now, old=key.public_key, new=new)
        office.post([sign(rotate, key)])
        key = new


@pytest.mark.parametrize("times", [1, 3])
def test_work_goes_on_after_others_rotated_their_keys(
    office: Office, agent: ScriptedAgent, times: int
) -> None:
    _rotate_strangers_key(office, times=times)
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()


def test_a_key_is_revoked_after_others_rotated_theirs(office: Office, agent: ScriptedAgent) -> None:
    _rotate_strangers_key(office, times=1)
    agent.open_session()
    agent.send()
    key = office.people.freelancer
    revoke = KeyRevoke(
        claimed_at=office.now, key=key.public_key.thumbprint, reason=RevocationReason.RETIRED
    )
    office.post([sign(revoke, key)])
    agent.work(ROUND_MS)
    assert refused(agent.send).reason is Reason.UNKNOWN_PARTY


def test_a_rotated_key_speaks_and_the_old_one_no_more(office: Office, agent: ScriptedAgent) -> None:
    new = SeedSigner(seeded(office.seed, "new key"))
    old = office.people.freelancer
    rotate = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(rotate, old)])
    with pytest.raises(RefusedError) as caught:
        agent.open_session()
    assert caught.value.reason is Reason.UNKNOWN_PARTY
    again = sign(agent.made[-1][1], new)
    office.post([again])
    office.verifier.sequencer._admission.forget()
    assert office.post([again]).indices == (office.acknowledged[again.digest],)
    assert office.check() == []


@pytest.mark.parametrize("name", ["client", "arbitrator", "operator"])
def test_refuses_a_party_who_says_what_is_anothers_to_say(
    office: Office, agent: ScriptedAgent, name: str
) -> None:
    agent.open_session()
    record = agent.made[-1][1]
    assert isinstance(record, SessionOpen)
    party = getattr(office.people, name)
    other = sign(replace(record, seq=1), party)
    assert refused(lambda: office.post([other])).reason is Reason.UNKNOWN_PARTY


def test_checks_the_signature_of_a_key_that_the_same_submission_brings(
    office: Office, agent: ScriptedAgent
) -> None:
    new = SeedSigner(seeded(office.seed, "new key"))
    old = office.people.freelancer
    rotate = sign(KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)
    agent.online = False
    agent.open_session()
    statement = sign(agent.made[-1][1], new)
    false = replace(statement, signature=bytes(64))
    found = refused(lambda: office.post([rotate, false]))
    assert (found.reason, found.item) == (Reason.REFUSED, 1)
    office.post([rotate, statement])
    # From now on intake knows the key: the signature is checked before the queue.
    assert office.verifier.services.intake.read(statement.encode())[0].signed
    assert office.check() == []


def closed(office: Office) -> None:
    """Let this server take offers from its own clients alone."""
    office.verifier.settings = replace(office.verifier.settings, invited_only=True)


def invite(office: Office, key: SeedSigner) -> None:
    invitations = office.verifier.invitations
    token = invitations.make(Role.FREELANCER, uses=1, days=1)
    invitations.accept(token, key.public_key)


def test_a_closed_server_refuses_the_keys_of_strangers(
    office: Office, agent: ScriptedAgent
) -> None:
    del agent
    closed(office)
    for statement in (_announce(office, STRANGER), _revocation(office, STRANGER, STRANGER)):
        found = refused(lambda statement=statement: office.post([statement]))  # type: ignore[misc]
        assert found.reason is Reason.UNKNOWN_PARTY
    invite(office, STRANGER)
    office.post([_announce(office, STRANGER)])


@pytest.mark.parametrize("way", [closed, lambda _: None])
def test_a_key_has_its_life_before_any_terms_name_it(
    office: Office, way: Callable[[Office], None]
) -> None:
    """Else a client would learn from what came before their offer that there is another client."""
    way(office)
    keys = [SeedSigner(seeded(office.seed, f"own {n}")) for n in range(3)]
    recovery = SeedSigner(seeded(office.seed, "own recovery"))
    invite(office, keys[0])
    invite(office, recovery)
    office.post([_announce(office, keys[0], recovery), _announce(office, recovery)])
    for old, new in pairwise(keys):
        record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
        office.post([sign(record, old)])
    office.now += 1
    again = KeyRotate.make(claimed_at=office.now, old=keys[0].public_key, new=STRANGER)
    assert "rotated or revoked" in str(refused(lambda: office.post([sign(again, keys[0])])))
    for signer in (STRANGER, office.people.client, office.people.arbitrator):
        found = refused(
            lambda signer=signer: office.post([_revocation(office, keys[2], signer)])  # type: ignore[misc]
        )
        assert found.reason is Reason.UNKNOWN_PARTY
    office.post([_revocation(office, keys[2], recovery)])
    office.now += 1
    found = refused(lambda: office.post([_revocation(office, keys[2], keys[2])]))
    assert "rotated or revoked" in str(found)
    assert office.check() == []


@pytest.mark.parametrize("number", range(4))
def test_a_recovery_key_revokes_what_came_after_the_key_that_named_it(
    office: Office, number: int
) -> None:
    """Also when the new key was announced by itself, whatever the order of their thumbprints."""
    old, new, recovery = (SeedSigner(seeded(office.seed, f"{number} {n}")) for n in range(3))
    office.post([_announce(office, old, recovery), _announce(office, new)])
    office.post([_announce(office, recovery)])
    record = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new)
    office.post([sign(record, old)])
    office.post([_revocation(office, new, recovery)])


def test_a_key_that_was_never_announced_says_nothing_of_itself(office: Office) -> None:
    found = refused(lambda: office.post([_revocation(office, STRANGER, STRANGER)]))
    assert found.reason is Reason.UNKNOWN_PARTY


@pytest.mark.parametrize("kind", ["announce", "rotate", "revoke", "acceptance"])
def test_a_false_signature_does_not_tell_whether_a_key_is_known(
    office: Office, agent: ScriptedAgent, kind: str
) -> None:
    """Who will make an offer knows the freelancer's key, and must not learn of other clients."""
    announced, new = (SeedSigner(seeded(office.seed, f"own {n}")) for n in range(2))
    office.post([_announce(office, announced, office.people.freelancer)])
    record = KeyRotate.make(claimed_at=office.now, old=announced.public_key, new=new)
    office.post([sign(record, announced)])
    known = [office.people.freelancer, office.people.client, announced, new]
    offer = agent.made[0][1]
    assert isinstance(offer, Offer)
    said: list[tuple[str, Reason, int | None]] = []
    for key in (*known, STRANGER):
        forged = _forged(office, kind, key, offer.terms)
        before = size_of(office)
        with pytest.raises(RefusedError) as caught:
            office.post([forged])
        assert size_of(office) == before
        said.append((str(caught.value), caught.value.reason, caught.value.item))
    assert len(set(said)) == 1
    assert said[0][1] is Reason.UNKNOWN_PARTY


def _forged(office: Office, kind: str, key: SeedSigner, terms: Terms) -> Statement:
    """Make a statement in the name of a key that its holder did not sign."""
    later = SeedSigner(seeded(office.seed, "later"))
    match kind:
        case "announce":
            return sign(read_record(_announce(office, key)), later)
        case "rotate":
            rotate = KeyRotate.make(claimed_at=office.now, old=key.public_key, new=later)
            return replace(sign(rotate, key), signature=bytes(64))
        case "revoke":
            return replace(_revocation(office, key, key), signature=bytes(64))
    acceptance = Acceptance(
        engagement=unique(office, "no such"),
        claimed_at=office.now,
        offer=Digest.of(b"none"),
        terms=terms,
    )
    return replace(sign(acceptance, key), signature=bytes(64))


def test_a_false_signature_is_told_where_the_engagement_is_known(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    bad = replace(agent.made[-1][0], signature=bytes(64))
    found = refused(lambda: office.post([bad]))
    assert (found.reason, str(found)) == (Reason.REFUSED, "the signature does not hold")


def test_a_list_of_recovery_keys_without_end_is_looked_at_two_steps_deep(office: Office) -> None:
    """Announcing costs nothing, and each engagement's keys are folded from what concerns them."""
    keys = [SeedSigner(seeded(office.seed, f"link {n}")) for n in range(6)]
    for key, following in reversed(list(pairwise(keys))):
        office.post([_announce(office, key, following)])
    terms = office.terms(freelancer=keys[0].public_key)
    offer = Offer(engagement=unique(office, "chained"), claimed_at=office.now, terms=terms)
    office.post([sign(offer, office.people.client)])
    events = office.verifier.sequencer._admission.events
    assert events is not None
    told = [one.statement.issuer for one in events.concerning(terms)]
    assert set(told) == {key.public_key.thumbprint for key in keys[:3]}


def test_nobody_revokes_somebody_elses_key(office: Office, agent: ScriptedAgent) -> None:
    del agent
    record = KeyRevoke(
        claimed_at=1,
        key=office.people.client.public_key.thumbprint,
        reason=RevocationReason.COMPROMISED,
    )
    found = refused(lambda: office.post([sign(record, office.people.freelancer)]))
    assert found.reason is Reason.REFUSED


def test_a_recovery_key_revokes_what_named_it(office: Office, agent: ScriptedAgent) -> None:
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    freelancer = office.people.freelancer
    announce = KeyAnnounce(
        claimed_at=office.now,
        public_key=freelancer.public_key,
        role=Role.FREELANCER,
        recovery=recovery.public_key.thumbprint,
    )
    office.post([sign(announce, freelancer)])
    second = KeyAnnounce(
        claimed_at=office.now, public_key=recovery.public_key, role=Role.FREELANCER
    )
    office.post([sign(second, recovery)])
    again = replace(announce, claimed_at=office.now + 1)
    assert refused(lambda: office.post([sign(again, freelancer)])).reason is Reason.CONFLICT
    revoke = KeyRevoke(
        claimed_at=office.now,
        key=freelancer.public_key.thumbprint,
        reason=RevocationReason.LOST,
    )
    office.post([sign(revoke, recovery)])
    with pytest.raises(RefusedError) as caught:
        agent.open_session()
    assert caught.value.reason is Reason.UNKNOWN_PARTY
    listing = list(office.verifier.services.reader.listing(agent.engagement))
    kinds = [entry.kind for entry in listing if entry.kind.startswith("key.")]
    assert kinds == ["key.announce", "key.announce", "key.revoke"]
    # Of keys that others have, an engagement's listing tells nothing.
    office.post([stranger_offer(office, "else")])
    others = list(office.verifier.services.reader.listing(unique(office, "else")))
    assert [entry.kind for entry in others if entry.kind.startswith("key.")] == []


def _announce(office: Office, key: SeedSigner, recovery: SeedSigner | None = None) -> Statement:
    record = KeyAnnounce(
        claimed_at=office.now,
        public_key=key.public_key,
        role=Role.FREELANCER,
        recovery=None if recovery is None else recovery.public_key.thumbprint,
    )
    return sign(record, key)


def test_a_recovery_key_may_name_one_itself(office: Office, agent: ScriptedAgent) -> None:
    """Else who names a key takes that from its holder, and learns whether other terms name it."""
    del agent
    recovery, next_one = (SeedSigner(seeded(office.seed, f"recovery {n}")) for n in range(2))
    office.post([_announce(office, office.people.freelancer, recovery)])
    office.post([_announce(office, recovery, next_one), _announce(office, next_one)])
    office.post([_revocation(office, recovery, next_one)])
    found = refused(lambda: office.post([_revocation(office, office.people.freelancer, recovery)]))
    assert "rotated or revoked before" in str(found)
    assert office.check() == []


def test_naming_a_partys_key_as_recovery_takes_nothing_from_them(
    office: Office, agent: ScriptedAgent
) -> None:
    """Anybody may name anybody's key: who is named still has a recovery key of their own."""
    del agent
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([stranger_offer(office, 1)])
    stranger = SeedSigner(seeded(office.seed, "other client", 1))
    office.post([_announce(office, stranger, office.people.freelancer)])
    office.post([_announce(office, office.people.freelancer, recovery)])
    office.post([_announce(office, recovery)])
    assert office.check() == []


def test_the_first_who_names_a_recovery_key_is_not_crowded_out(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    del agent
    few_vouchers(monkeypatch)
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([_announce(office, office.people.freelancer, recovery)])
    for number in range(3):
        office.post([stranger_offer(office, number)])
        stranger = SeedSigner(seeded(office.seed, "other client", number))
        office.post([_announce(office, stranger, recovery)])
    events = office.verifier.sequencer._admission.events
    assert events is not None
    named_by = events.vouching(recovery.public_key.thumbprint)
    assert len(named_by) == 2
    assert office.people.freelancer.public_key.thumbprint in named_by
    office.post([_announce(office, recovery)])


def test_a_recovery_key_is_announced_by_its_holder_alone(
    office: Office, agent: ScriptedAgent
) -> None:
    del agent
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([_announce(office, office.people.freelancer, recovery)])
    true = _announce(office, recovery)
    for false in (
        replace(true, signature=bytes(64)),
        sign(read_record(true), office.people.freelancer),
    ):
        assert refused(lambda false=false: office.post([false])).reason is Reason.REFUSED  # type: ignore[misc]


def test_a_history_that_is_full_takes_no_recovery_key(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    del agent
    recovery = SeedSigner(seeded(office.seed, "recovery"))
    office.post([_announce(office, office.people.freelancer, recovery)])
    # Nobody may come by themselves here: it counts because terms name the key that named it.
    closed(office)
    monkeypatch.setattr(keyhistory, "MAX_KEYS", 4)
    found = refused(lambda: office.post([_announce(office, recovery)]))
    assert "more than 4 keys" in str(found)


def test_a_person_has_only_so_many_keys(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    del agent
    monkeypatch.setattr(rules, "MAX_SUCCESSION", 3)
    _rotate_strangers_key(office, times=2)
    with pytest.raises(RefusedError, match="at most 2 times"):
        _rotate_strangers_key_again(office)


def _rotate_strangers_key_again(office: Office) -> None:
    old, new = (SeedSigner(seeded(office.seed, f"strange freelancer {n}")) for n in (1, 2))
    office.post([_rotation(office, old, new)])


def _rotation(office: Office, old: SeedSigner, new: SeedSigner) -> Statement:
    return sign(KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)


def _own_keys(office: Office, word: str, count: int) -> list[SeedSigner]:
    """Log a key that no terms name, and those that follow it."""
    keys = [SeedSigner(seeded(office.seed, f"{word} {n}")) for n in range(count)]
    rotations = [_rotation(office, old, new) for old, new in pairwise(keys)]
    office.post([_announce(office, keys[0]), *rotations])
    return keys


def test_who_is_in_no_terms_has_only_so_many_keys(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_SUCCESSION", 3)
    keys = _own_keys(office, "own", 3)
    with pytest.raises(RefusedError, match="at most 2 times"):
        office.post([_rotation(office, keys[-1], STRANGER)])


def test_two_persons_who_become_one_have_only_so_many_keys(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_SUCCESSION", 3)
    some, others = _own_keys(office, "some", 2), _own_keys(office, "others", 2)
    with pytest.raises(RefusedError, match="at most 2 times"):
        office.post([_rotation(office, some[-1], others[0])])


def test_one_persons_keys_are_one_path(office: Office) -> None:
    keys, others = _own_keys(office, "own", 3), _own_keys(office, "others", 1)
    for new, problem in ((keys[2], "came by another rotation"), (keys[1], "that has ended")):
        found = refused(lambda new=new: office.post([_rotation(office, others[0], new)]))  # type: ignore[misc]
        assert problem in str(found)
    assert office.check() == []


def test_a_key_is_rotated_once_whatever_the_terms_are(office: Office) -> None:
    """In other terms the first new key has another part, so that the rotation does not count."""
    old, new = (SeedSigner(seeded(office.seed, f"twice {n}")) for n in range(2))
    for number, client in enumerate((office.people.client, new)):
        terms = office.terms(client=client.public_key, freelancer=old.public_key)
        record = Offer(
            engagement=unique(office, f"twice {number}"), claimed_at=office.now, terms=terms
        )
        office.post([sign(record, client)])
    office.post([_rotation(office, old, new)])
    found = refused(lambda: office.post([_rotation(office, old, STRANGER)]))
    assert "rotated or revoked before" in str(found)


def test_two_keys_of_one_path_name_one_recovery_key(office: Office) -> None:
    old, new, first, second = (SeedSigner(seeded(office.seed, f"two {n}")) for n in range(4))
    office.post([_announce(office, old, first), _announce(office, new, second)])
    found = refused(lambda: office.post([_rotation(office, old, new)]))
    assert "different recovery keys" in str(found)


def test_a_key_that_was_revoked_elsewhere_follows_nobody(
    office: Office, agent: ScriptedAgent
) -> None:
    """What is logged of it was reached with the rotation, and took away what was said since."""
    first, new = _own_keys(office, "before", 2)
    office.post([_revocation(office, new, new)])
    freelancer = office.people.freelancer
    found = refused(lambda: office.post([_rotation(office, freelancer, new)]))
    assert "leads to a key that has ended" in str(found)
    office.post([_rotation(office, freelancer, STRANGER)])
    reader = office.verifier.services.reader
    before = [entry.position for entry in reader.listing(agent.engagement)]
    size = size_of(office)
    found = refused(lambda: office.post([_announce(office, freelancer, first)]))
    assert "rotated or revoked before" in str(found)
    assert [one.position for one in reader.listing(agent.engagement, size)] == before


def test_offers_of_others_take_nothing_from_a_recovery_key(
    office: Office, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads both keys could name them in as many terms as are looked at."""
    monkeypatch.setattr(draft, "MAX_NAMED", 2)
    new, recovery = (SeedSigner(seeded(office.seed, f"crowd {n}")) for n in range(2))
    old = office.people.freelancer
    office.post([_announce(office, old, recovery), _announce(office, recovery)])
    office.post([_rotation(office, old, new)])
    for number in range(3):
        stranger = SeedSigner(seeded(office.seed, "crowd", number))
        terms = office.terms(
            client=stranger.public_key,
            freelancer=new.public_key,
            arbitrators=(old.public_key,),
        )
        record = Offer(engagement=bytes(15) + bytes([number]), claimed_at=office.now, terms=terms)
        office.post([sign(record, stranger)])
    office.post([_revocation(office, new, recovery)])
    events, offer = office.verifier.sequencer._admission.events, agent.made[0][1]
    assert events is not None
    assert isinstance(offer, Offer)
    history = events.history(offer.terms)
    assert not history.roles_of(new.public_key.thumbprint, size_of(office))


def test_strangers_who_name_a_recovery_key_take_nothing_from_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_vouchers(monkeypatch)
    first, second, recovery = (SeedSigner(seeded(office.seed, f"vouch {n}")) for n in range(3))
    office.post([_announce(office, first, recovery), _announce(office, recovery)])
    for number in range(2):
        stranger = SeedSigner(seeded(office.seed, f"stranger {number}"))
        office.post([_announce(office, stranger, recovery)])
    office.post([offer_of(office, freelancer=second.public_key)])
    office.post([_announce(office, second, recovery)])
    office.post([_revocation(office, second, recovery)])


@pytest.mark.parametrize("named", [True, False])
def test_terms_that_name_a_later_key_take_nothing_from_its_recovery_key(
    office: Office, *, named: bool
) -> None:
    """Whoever stole the key may well make such an offer."""
    old, new, recovery = (SeedSigner(seeded(office.seed, f"later {n}")) for n in range(3))
    office.post([_announce(office, old, recovery), _announce(office, recovery)])
    office.post([_rotation(office, old, new)])
    if named:
        office.post([offer_of(office, freelancer=new.public_key)])
    office.post([_revocation(office, new, recovery)])
    assert office.check() == []


def test_a_listing_of_an_earlier_size_has_the_key_statements_of_then(
    office: Office, agent: ScriptedAgent
) -> None:
    reader = office.verifier.services.reader
    before = size_of(office)
    office.post([_announce(office, office.people.freelancer)])
    for size, expected in ((None, 1), (before, 0), (before + 1, 1)):
        listed = reader.listing(agent.engagement, size)
        assert sum(entry.kind.startswith("key.") for entry in listed) == expected
    office.post([_announce(office, office.people.client)])
    listed = reader.listing(agent.engagement)
    assert sum(entry.kind.startswith("key.") for entry in listed) == 2


# --- claimed times ---


@pytest.mark.parametrize("kind", ["offer", "acceptance", "key", "request"])
@pytest.mark.parametrize(
    ("ahead", "reason"),
    [
        (2_000, None),
        (2_001, Reason.BUSY),
        (602_000, Reason.BUSY),
        (602_001, Reason.REFUSED),
        (10**12, Reason.REFUSED),
    ],
)
def test_no_claimed_time_lies_in_the_future(
    office: Office, agent: ScriptedAgent, kind: str, ahead: int, reason: Reason | None
) -> None:
    """An offer dated a year ahead would make every honest acceptance and session impossible."""
    statement, signer = _dated(office, agent, kind)
    dated = sign(replace(read_record(statement), claimed_at=office.now + ahead), signer)
    before = size_of(office)
    if reason is None:
        office.post([dated])
        return
    assert refused(lambda: office.post([dated])).reason is reason
    assert size_of(office) == before
    office.post([statement])


def test_a_recording_machine_whose_clock_is_wrong_loses_nothing(
    office: Office, agent: ScriptedAgent
) -> None:
    """Rounds and work follow the verifier's clock; when it was signed is a claim of its own."""
    agent.online = False
    agent.open_session()
    agent.work(ROUND_MS)
    ahead = office.now + 366 * 86_400_000
    previous: Digest | None = None
    wrong: list[Statement] = []
    for _, record in agent.made:
        if not isinstance(record, ChainedRecord):
            continue
        moved = replace(record, claimed_at=ahead, prev=previous or record.prev)
        wrong.append(sign(moved, office.people.freelancer))
        previous = wrong[-1].digest
    assert len(wrong) > 1
    office.post(wrong)
    assert office.check() == []


def _dated(office: Office, agent: ScriptedAgent, kind: str) -> tuple[Statement, SeedSigner]:
    """Make a statement that would be taken now, and say who signs it."""
    people = office.people
    if kind == "offer":
        return offer_of(office), people.client
    if kind == "key":
        return _announce(office, people.freelancer), people.freelancer
    if kind == "acceptance":
        offer = offer_of(office)
        office.post([offer])
        record = read_record(offer)
        assert isinstance(record, Offer)
        accepted = Acceptance(
            engagement=record.engagement,
            claimed_at=office.now,
            terms=record.terms,
            offer=offer.digest,
        )
        return sign(accepted, people.freelancer), people.freelancer
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    office.submit, submit = (lambda *_: None), office.submit  # type: ignore[method-assign,assignment]
    request = agent.request(agent.frames[:1])
    office.submit = submit  # type: ignore[method-assign]
    asked = read_record(request)
    assert isinstance(asked, DisputeRequest)
    return sign(replace(asked, answer_by=MAX_TIME), people.arbitrator), people.arbitrator


def test_a_key_is_known_in_the_tick_of_its_offer(office: Office) -> None:
    """Two submissions that wait together: the second is about whom the first one names."""
    verifier = office.verifier
    client = SeedSigner(seeded(office.seed, "quick client"))
    terms = office.terms(client=client.public_key)
    offer = Offer(engagement=unique(office, "quick"), claimed_at=office.now, terms=terms)
    tick = verifier.sequencer._admission.begin(size_of(office))
    for statement in (sign(offer, client), _announce(office, client)):
        assert tick.admit(verifier.services.intake.read(statement.encode()), {})


def test_an_arbitrator_revokes_only_keys_of_their_own_cases(
    office: Office, agent: ScriptedAgent
) -> None:
    del agent
    office.post([stranger_offer(office, 1)])
    arbitrator = office.people.arbitrator
    others = SeedSigner(seeded(office.seed, "other client", 1))
    # The other engagement names the same arbitrator: allowed there.
    record = KeyRevoke(
        claimed_at=1, key=others.public_key.thumbprint, reason=RevocationReason.COMPROMISED
    )
    office.post([sign(record, arbitrator)])
    foreign = SeedSigner(seeded(office.seed, "foreign arbitrator"))
    own = offer_of(office, "foreign", arbitrators=(foreign.public_key,))
    office.post([own])
    record = KeyRevoke(
        claimed_at=1,
        key=SeedSigner(seeded(office.seed, "other freelancer", 1)).public_key.thumbprint,
        reason=RevocationReason.COMPROMISED,
    )
    assert refused(lambda: office.post([sign(record, foreign)])).reason is Reason.REFUSED


def _revocation(office: Office, key: SeedSigner, signer: SeedSigner) -> Statement:
    record = KeyRevoke(
        claimed_at=office.now,
        key=key.public_key.thumbprint,
        reason=RevocationReason.COMPROMISED,
    )
    return sign(record, signer)


@pytest.fixture
def looked_at(office: Office, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note every engagement that is read from the store, of which memory holds none."""
    records = office.verifier.records
    read: list[bytes] = []
    for name in ("of_engagement", "first_of"):
        ask = getattr(records, name)

        def noted(
            engagement: bytes, *given: Any, ask: Callable[..., Any] = ask, **more: Any
        ) -> Any:
            read.append(engagement)
            return ask(engagement, *given, **more)

        monkeypatch.setattr(records, name, noted)
    return read


def test_a_stranger_who_speaks_of_a_key_has_nothing_looked_at(
    office: Office, looked_at: list[bytes]
) -> None:
    """The key may stand in thousands of engagements, and all others wait meanwhile."""
    office.post([offer_of(office, f"one of many {number}") for number in range(5)])
    client, own = office.people.client, SeedSigner(seeded(office.seed, "other client", 1))
    office.verifier.sequencer._admission.forget()
    looked_at.clear()
    found = refused(lambda: office.post([_revocation(office, client, STRANGER)]))
    assert found.reason is Reason.UNKNOWN_PARTY
    # A party of something else, who could be an arbitrator of these.
    office.post([stranger_offer(office, 1)])
    office.verifier.sequencer._admission.forget()
    looked_at.clear()
    found = refused(lambda: office.post([_revocation(office, client, own)]))
    assert found.reason is Reason.REFUSED
    other = SeedSigner(seeded(office.seed, "another key"))
    rotate = KeyRotate(
        claimed_at=office.now,
        public_key=other.public_key,
        old=client.public_key.thumbprint,
        proof=bytes(64),
    )
    assert refused(lambda: office.post([sign(rotate, own)])).reason is Reason.REFUSED
    assert looked_at == []


def test_a_key_is_looked_for_in_so_many_engagements(
    office: Office, looked_at: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "MAX_NAMED", 3)
    client = office.people.client
    office.post([offer_of(office, f"one of many {number}") for number in range(5)])
    office.post([_revocation(office, client, client)])
    for signer in (client, office.people.arbitrator):
        office.verifier.sequencer._admission.forget()
        looked_at.clear()
        office.now += 1
        # It has ended in each of them.
        found = refused(lambda signer=signer: office.post([_revocation(office, client, signer)]))  # type: ignore[misc]
        assert "rotated or revoked before" in str(found)
        assert len(looked_at) == len(set(looked_at)) == 3
    assert office.check() == []


def test_an_arbitrator_revokes_with_the_key_that_came_after(
    office: Office, agent: ScriptedAgent
) -> None:
    del agent
    arbitrator, later = office.people.arbitrator, SeedSigner(seeded(office.seed, "later"))
    record = KeyRotate.make(claimed_at=office.now, old=arbitrator.public_key, new=later)
    office.post([sign(record, arbitrator)])
    office.post([_revocation(office, office.people.client, later)])
    assert office.check() == []


def test_who_judges_nothing_in_an_engagement_has_nothing_looked_at(
    office: Office, looked_at: list[bytes]
) -> None:
    """Each party names the others' keys; a revocation of those is for keys and arbitrators."""
    verifier, people = office.verifier, office.people
    revoke = _revocation(office, people.client, people.freelancer)
    tick = verifier.sequencer._admission.begin(size_of(office))
    offer = offer_of(office, "waits in the tick")
    assert tick.admit(verifier.services.intake.read(offer.encode()), {})
    for submit in (
        lambda: tick.admit(verifier.services.intake.read(revoke.encode()), {}),
        lambda: office.post([offer, revoke]),
    ):
        looked_at.clear()
        assert "neither the key nor" in str(refused(submit))
    office.post([offer])
    verifier.sequencer._admission.forget()
    looked_at.clear()
    assert "neither the key nor" in str(refused(lambda: office.post([revoke])))
    assert looked_at == []


def test_a_case_is_known_in_the_tick_of_its_offer(office: Office) -> None:
    verifier = office.verifier
    tick = verifier.sequencer._admission.begin(size_of(office))
    revoke = _revocation(office, office.people.freelancer, office.people.arbitrator)
    for statement in (offer_of(office), revoke):
        assert tick.admit(verifier.services.intake.read(statement.encode()), {})


# --- disputes ---


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
