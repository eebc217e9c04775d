"""Two processes on one log, in turn: what one admitted the other knows at its next statement."""

import pytest

from support.office import Office, check_home, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import seeded
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import BeaconCommitment, KeyRotate, LogPolicy, read_record, sign
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError

pytestmark = pytest.mark.postgres


def use(agent: ScriptedAgent, office: Office, other: Office) -> None:
    """Let the agent speak to the other process, with what it has seen so far."""
    office.seen = other.seen
    agent.verifier = office


def test_a_chain_goes_on_whichever_process_takes_it(both: tuple[Office, Office]) -> None:
    a, b = both
    agent = ScriptedAgent(a)
    agent.open_session()
    for number in range(6):
        here, there = (b, a) if number % 2 else (a, b)
        use(agent, here, there)
        agent.work(25_000)
        agent.send()
    agent.close_session()
    assert a.checkpoint() == b.checkpoint()
    b.acknowledged |= a.acknowledged
    assert check_home(b.verifier.settings, b) == []


def test_nothing_of_a_chain_is_skipped_when_others_logged_of_it_between_two_turns(
    both: tuple[Office, Office],
) -> None:
    a, b = both
    agent = ScriptedAgent(a)
    agent.open_session()
    use(agent, b, a)
    for number in range(2):
        agent.work(25_000)
        agent.send()
        # A turn about somebody else: that the chain is behind is noted, and not yet followed.
        a.post([stranger_offer(a, number)])
    use(agent, a, b)
    agent.work(25_000)
    agent.send()
    agent.close_session()
    b.acknowledged |= a.acknowledged
    assert check_home(b.verifier.settings, b) == []


def test_a_number_that_one_process_took_is_taken_for_the_other(
    both: tuple[Office, Office],
) -> None:
    a, b = both
    offer = stranger_offer(a, 1)
    index = a.post([offer]).indices
    assert b.post([offer]).indices == index
    record = read_record(offer)
    twin = sign(
        type(record)(engagement=record.engagement, claimed_at=a.now - 1, terms=record.terms),  # type: ignore[call-arg,union-attr]
        SeedSigner(_client_seed(a)),
    )
    with pytest.raises(RefusedError) as refused:
        b.post([twin])
    assert refused.value.reason is Reason.CONFLICT


def _client_seed(office: Office) -> bytes:
    return seeded(office.seed, "other client", 1)


def test_a_key_that_was_rotated_at_one_process_ends_at_the_other(
    both: tuple[Office, Office],
) -> None:
    a, b = both
    agent = ScriptedAgent(a)
    agent.open_session()
    agent.work(25_000)
    agent.send()
    use(agent, b, a)
    agent.work(25_000)
    agent.send()
    old = a.people.freelancer
    new = SeedSigner(b"\x07" * 32)
    a.post([sign(KeyRotate.make(claimed_at=a.now, old=old.public_key, new=new), old)])
    agent.work(25_000)
    with pytest.raises(RefusedError) as refused:
        agent.send()
    assert refused.value.reason is Reason.UNKNOWN_PARTY


def test_work_that_one_process_logged_overlaps_for_the_other(both: tuple[Office, Office]) -> None:
    a, b = both
    first = ScriptedAgent(a)
    first.open_session()
    second = ScriptedAgent(b, terms=b.terms(rate_minor_per_hour=1), engagement=bytes(range(16)))
    second.open_session()
    begin = a.now
    for here, there in ((b, a), (a, b)):
        # The other process has looked at this worker before, and remembers the latest end.
        use(first, here, there)
        first.work(25_000)
        first.send()
    end, b.now = b.now, begin + 26_000
    second.work(20_000)
    b.now = end
    with pytest.raises(RefusedError) as refused:
        second.send()
    assert refused.value.reason is Reason.OVERLAP


def test_the_logs_own_statements_are_made_once(both: tuple[Office, Office]) -> None:
    a, b = both
    for _ in range(2):
        a.now += 86_400_000
        for one in both:
            one.verifier.housekeeping.keep()
    kinds = [
        type(read_record(Statement.parse(entry.body)))
        for entry in a.verifier.records.of_kinds(["log.policy", "beacon.commitment"], below=99)
    ]
    assert (kinds.count(LogPolicy), kinds.count(BeaconCommitment)) == (1, 4)
    number = a.now // a.round_ms
    assert a.value(number) == b.value(number)


def test_a_leader_that_ends_is_followed_by_another(both: tuple[Office, Office]) -> None:
    a, b = both
    assert a.verifier.database.lead()
    assert not b.verifier.database.lead()
    a.close()
    assert b.verifier.database.lead()
    b.now += 86_400_000
    b.verifier.housekeeping.keep()
    assert b.value(b.now // b.round_ms)


def test_a_commitment_or_policy_that_is_logged_is_not_logged_again(
    both: tuple[Office, Office],
) -> None:
    a, b = both
    # The other process has its turns, and has not looked at the beacon since.
    b.post([stranger_offer(b, 1)])
    a.now += 86_400_000
    a.verifier.housekeeping.keep()
    row = a.verifier.records.beacons()[-1]
    record = BeaconCommitment(
        claimed_at=a.now,
        period_ms=a.round_ms,
        first_round=row.first_round + row.count - 1,
        count=5,
        head=row.head,
    )
    for again in (sign(record, a.people.operator), b.verifier.housekeeping.policy_statement()):
        with pytest.raises(RefusedError) as refused:
            b.post([again])
        assert refused.value.reason is Reason.CONFLICT
