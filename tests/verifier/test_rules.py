"""Admission against a real log: agreement, the operator, submissions as a whole."""

from dataclasses import replace
from typing import Any

import pytest

from support.office import Office, unique
from support.refusing import STRANGER, announcement, offer_of, refused, size_of
from support.scripted import ScriptedAgent, dispute, first_day, second_day
from support.simulator import ROUND_MS, seeded
from workseal_protocol.digest import Digest
from workseal_protocol.keys import PublicKey, SeedSigner
from workseal_protocol.records import (
    Acceptance,
    BeaconCommitment,
    BundleManifest,
    ChainedRecord,
    DisputeRequest,
    ManifestEntry,
    Offer,
    read_record,
    sign,
)
from workseal_protocol.records.bounds import MAX_TIME
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason


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
        return announcement(office, people.freelancer), people.freelancer
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
