"""What answers requests, made of what one process holds."""

from support.office import Office
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS


def test_what_is_composed_reads_the_log_that_the_sequencer_writes(office: Office) -> None:
    services = office.verifier.services
    assert services.sequencer is office.verifier.sequencer
    agent = ScriptedAgent(office, terms=office.terms())
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    # Whoever reads sees at once what was logged, by the same size.
    assert services.diaries.reach().size == office.verifier.sequencer.current.size
    party = office.people.client.public_key.thumbprint
    assert services.standings.engagements(party).engagements
