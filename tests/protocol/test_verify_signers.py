from dataclasses import replace

import pytest

from support.acting import ScriptedAgent
from support.scripted import Story, begin, finish
from support.simulator import Simulator
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import KeyRevoke, RevocationReason, sign
from workseal_protocol.verify import Report, examine_bundle

# An arbitrator whom the caller knows from other engagements.
OTHER = SeedSigner(b"o" * 32)


def worked() -> tuple[Simulator, ScriptedAgent]:
    """Work until something was captured, at a log that admits anything."""
    verifier = Simulator(careless=True)
    agent = begin(verifier)
    agent.open_session()
    while not agent.frames:
        agent.work(10_000)
    agent.send()
    agent.close_session()
    return verifier, agent


def examined(verifier: Simulator, agent: ScriptedAgent) -> Report:
    """Examine under a policy that knows both arbitrators."""
    verifier.others(1)
    contents, tsa = finish(verifier, agent, ())
    story = Story(verifier, agent, contents, tsa)
    both = (*story.policy.parties[Role.ARBITRATOR], OTHER.public_key)
    policy = replace(story.policy, parties={**story.policy.parties, Role.ARBITRATOR: both})
    # The client signs the manifest: the freelancer's key may have been revoked.
    return examine_bundle(story.bundle(signer=verifier.people.client).encode(), policy)


def revoked(verifier: Simulator, by: SeedSigner) -> None:
    """End the freelancer's key."""
    record = KeyRevoke(
        claimed_at=verifier.now,
        key=verifier.people.freelancer.public_key.thumbprint,
        reason=RevocationReason.LOST,
    )
    verifier.admit([sign(record, by)])


@pytest.mark.parametrize("of_the_terms", [True, False])
def test_step_06_hears_only_the_arbitrators_of_the_terms(*, of_the_terms: bool) -> None:
    verifier, agent = worked()
    true = verifier.people.arbitrator
    if not of_the_terms:
        verifier.people = replace(verifier.people, arbitrator=OTHER)
    agent.request(agent.frames[:1])
    verifier.people = replace(verifier.people, arbitrator=true)
    step = examined(verifier, agent).by_number()[6]
    assert (step.why == "") == of_the_terms
    assert of_the_terms or "its signer is no party of the terms" in step.why


@pytest.mark.parametrize("by", ["freelancer", "client", "arbitrator", "operator"])
def test_step_05_lets_nobody_end_the_key_of_another(by: str) -> None:
    verifier, agent = worked()
    revoked(verifier, getattr(verifier.people, by))
    step = examined(verifier, agent).by_number()[5]
    assert (step.why == "") == (by == "freelancer")
    assert by == "freelancer" or "only the key or its recovery key revokes it" in step.why
