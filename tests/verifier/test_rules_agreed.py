"""The server admits nothing of the time before the terms, before and after it was restarted."""

from dataclasses import replace

import pytest

from support.office import Office, stranger_offer
from support.scripted import ScriptedAgent
from support.shaped import ShapedAgent
from workseal_protocol.records import Acceptance, Anchor, DeclarationForm
from workseal_verifier.errors import Reason, RefusedError


@pytest.mark.parametrize("restarted", [False, True])
def test_refuses_an_anchor_that_is_older_than_the_acceptance(
    office: Office, *, restarted: bool
) -> None:
    office.post([stranger_offer(office, "before")])
    signed = office.checkpoint()
    agent = ScriptedAgent(office)
    good = agent.anchor
    if restarted:
        # The state is read from the stored statements again.
        office.verifier.sequencer._admission._states.clear()
    agent.anchor = Anchor(signed.digest, signed.checkpoint.size)
    before = agent.state
    with pytest.raises(RefusedError, match="older than the acceptance") as caught:
        agent.open_session()
    assert caught.value.reason is Reason.REFUSED
    agent.state, agent.anchor = before, good
    agent.pending.clear()
    agent.open_session()
    assert office.check() == []


def test_refuses_what_began_before_the_terms(office: Office) -> None:
    agent = ShapedAgent(office)
    (accepted,) = [record for _, record in agent.made if isinstance(record, Acceptance)]
    begin = accepted.claimed_at - 5_000
    office.now += 60_000
    before = agent.state
    agent.told(DeclarationForm.LATE, begin - 1, begin + 1_000, 1_000)
    with pytest.raises(RefusedError, match="before the terms"):
        agent.send()
    agent.pending.clear()
    agent.state = replace(before, past=before.past.until(before.next_seq))
    agent.told(DeclarationForm.LATE, begin, begin + 1_000, 1_000)
    agent.send()
    assert office.check() == []
