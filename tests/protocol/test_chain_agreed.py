"""Nothing is told of the time before the terms were agreed."""

from dataclasses import replace

import pytest

from support.examined import assert_fails
from support.scripted import tell_story
from support.shaped import ShapedAgent, first_round, shaped
from support.simulator import START
from workseal_protocol.chain import ChainError, Rule
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    Acceptance,
    Anchor,
    DeclarationForm,
    Offer,
    Record,
    SessionOpen,
)
from workseal_protocol.verify import examine_bundle


def agreed(instant: int) -> ShapedAgent:
    """Join, as if the terms had been agreed at an instant."""
    agent = shaped(capture_rate=0)
    chains = agent.verifier.chains
    chains[agent.engagement] = replace(chains[agent.engagement], agreed_at=instant)
    return agent


def refused(agent: ShapedAgent) -> None:
    with pytest.raises(ChainError) as caught:
        agent.send()
    assert (caught.value.rule, caught.value.step) == (Rule.TERMS, 8)


@pytest.mark.parametrize(("early", "holds"), [(5000, True), (5001, False)])
def test_a_segment_begins_not_before_the_terms(early: int, *, holds: bool) -> None:
    agent = agreed(START + early)
    agent.open_session()
    agent.part(first_round(agent), 0, 1000)
    if holds:
        agent.send()
    else:
        refused(agent)


@pytest.mark.parametrize(("early", "holds"), [(5000, True), (5001, False)])
def test_a_late_declaration_begins_not_before_the_terms(early: int, *, holds: bool) -> None:
    agent = agreed(START - 20_000 + early)
    agent.told(DeclarationForm.LATE, START - 20_000, START - 10_000, 1)
    if holds:
        agent.send()
    else:
        refused(agent)


def test_the_first_round_of_a_session_may_have_begun_before_the_terms_but_not_ended() -> None:
    agreed(START + 15_000).open_session()
    with pytest.raises(ChainError, match="before the terms"):
        agreed(START + 15_001).open_session()


def test_the_first_anchor_covers_the_acceptance() -> None:
    agent = shaped()
    (index,) = [
        at
        for at, statement in agent.verifier.statements_for(agent.engagement)
        if statement.kind == Acceptance.KIND
    ]
    assert agent.verifier.chains[agent.engagement].anchor_size == index + 1
    agent.anchor = replace(agent.anchor, size=index)
    with pytest.raises(ChainError, match="older than the acceptance"):
        agent.open_session()


def test_step_07_of_a_bundle_refuses_an_anchor_that_is_older_than_the_acceptance() -> None:
    def old(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, SessionOpen) and record.seq == 0:
            return replace(record, anchor=Anchor(record.anchor.digest, 1)), signer
        return record, signer

    told = tell_story(twist=old, careless=True)
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert_fails(report, 7, "older than the acceptance")


@pytest.mark.parametrize("kind", [Offer, Acceptance])
def test_step_08_of_a_bundle_takes_the_later_of_both_claims(kind: type[Record]) -> None:
    def later(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, Offer | Acceptance) and isinstance(record, kind):
            return replace(record, claimed_at=START + 3_600_000), signer
        return record, signer

    told = tell_story(twist=later, careless=True)
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert_fails(report, 8, "before the terms were agreed")
