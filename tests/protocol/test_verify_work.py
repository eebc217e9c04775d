from support.scripted import Story, begin, finish
from support.simulator import Simulator
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import BeaconCommitment
from workseal_protocol.verify import STEPS, examine_bundle
from workseal_protocol.verify.case import Case
from workseal_protocol.verify.work import MAX_HASHES, Work

LOST = Digest(bytes(32))
SPAN = 100_000


def tell(*, lost: int = 0, segments: int = 5) -> Story:
    """Tell of some segments, after the operator committed to values that nobody has."""
    verifier = Simulator(careless=True)
    agent = begin(verifier)
    first = verifier.now // verifier.round_ms
    for number in range(lost):
        verifier.say(
            BeaconCommitment(
                claimed_at=verifier.now,
                period_ms=verifier.round_ms,
                first_round=first - SPAN + number,
                count=2 * SPAN,
                head=LOST,
            )
        )
    agent.open_session()
    agent.work(segments * verifier.round_ms)
    agent.send()
    agent.close_session()
    return Story(verifier, agent, *finish(verifier, agent, ()))


def step_9(story: Story, limit: int) -> str:
    case = Case(story.bundle().encode(), story.policy, work=Work(limit))
    why = ""
    for rule in STEPS[:9]:
        try:
            why = rule.check(case)
        except VerificationError as error:
            return f"{rule.number}: {error}"
    return why


def test_step_09_an_honest_chain_costs_the_rounds_that_passed() -> None:
    # 360 rounds from the commitment's first to the session's, then one for each value of a side,
    # and one for each look at the commitment.
    story = tell(segments=5)
    spent = 360 + 3 * 6
    assert step_9(story, spent) == "values of the verifier: 6"
    assert "take more than" in step_9(story, 300)


def test_step_09_heeds_no_later_commitment_to_the_same_round() -> None:
    story = tell(lost=1, segments=20)
    assert step_9(story, 500) == "values of the verifier: 21"
    report = examine_bundle(story.bundle().encode(), story.policy)
    assert report.holds


def test_step_09_refuses_values_that_take_too_long() -> None:
    story = tell(lost=300)
    # Each of them is looked at for each value.
    assert step_9(story, 360 + 303 * 6) == "values of the verifier: 6"
    assert "more than 2000 hashes" in step_9(story, 2_000)


def test_step_09_counts_the_values_of_the_agent_too() -> None:
    verifier = Simulator()
    agent = begin(verifier)
    agent.open_session()
    agent.online = False
    agent.work(5 * verifier.round_ms)
    agent.online = True
    agent.send()
    agent.close_session()
    story = Story(verifier, agent, *finish(verifier, agent, ()))
    assert step_9(story, 6) == "values of the verifier: 0"
    assert "more than 5 hashes" in step_9(story, 5)


def test_the_bound_leaves_room_for_years() -> None:
    assert MAX_HASHES * 10 > 5 * 365 * 86_400
