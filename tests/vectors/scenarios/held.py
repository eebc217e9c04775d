"""Scenarios of frames that are still held, or not: none of them makes a step fail."""

from dataclasses import replace

from support.held import Keeper, begin_week
from support.scripted import Story, begin, finish
from support.simulator import Simulator
from vectors.scenarios.telling import SEED, Scenario
from workseal_protocol.digest import Digest
from workseal_protocol.records import HeldAnswer, SessionOpen

WORK_MS = 300_000


def valid_possession() -> Scenario:
    verifier, keeper = _kept()
    keeper.say(2)
    begin_week(verifier, keeper.agent, 3, WORK_MS)
    # Withdrawn frames are not drawn, and nobody is asked for them.
    keeper.agent.withdraw(keeper.agent.frames[0])
    keeper.say(3)
    return _told(verifier, keeper, "frames of three weeks, one withdrawn, every drawn block shown")


def valid_possession_lost() -> Scenario:
    verifier, keeper = _kept()
    keeper.lost = set(keeper.chain.frames[::2])
    keeper.say(2)
    return _told(verifier, keeper, "every second frame is lost, and the statement says so")


def valid_possession_other_block() -> Scenario:
    verifier, keeper = _kept()
    answers = _answers(keeper)
    first = answers[0]
    changed = replace(first, block=bytes(255) + b"\x01")
    keeper.say(2, answers=(changed, *answers[1:]))
    return _told(verifier, keeper, "a block is not the one that was committed to")


def valid_possession_other_value() -> Scenario:
    verifier, keeper = _kept()
    keeper.say(2, value=bytes(32), answers=())
    return _told(verifier, keeper, "the draw comes from a value that is not the operator's")


def valid_possession_unanswered() -> Scenario:
    verifier, keeper = _kept()
    keeper.say(2, answers=_answers(keeper)[1:])
    return _told(verifier, keeper, "one draw is not answered")


def valid_possession_other_count() -> Scenario:
    verifier, keeper = _kept()
    keeper.say(2, count=1, root=Digest.of(b"root"))
    return _told(verifier, keeper, "it covers other frames than the chain has")


def valid_possession_other_round() -> Scenario:
    verifier, keeper = _kept()
    keeper.say(2, round=keeper.round(2) + 1)
    return _told(verifier, keeper, "the freelancer chose another round of the week")


def valid_possession_astray() -> Scenario:
    verifier, keeper = _kept()
    keeper.say(2, before=Digest.of(b"another"))
    return _told(verifier, keeper, "it does not follow the statement before it")


def valid_possession_other_head() -> Scenario:
    verifier, keeper = _kept()
    keeper.say(2, head=Digest.of(b"no statement"))
    return _told(verifier, keeper, "it speaks of a statement that is not of the chain")


def valid_possession_less_chain() -> Scenario:
    verifier, keeper = _kept()
    opened = next(one for one, record in keeper.agent.made if isinstance(record, SessionOpen))
    keeper.say(2, head=opened.digest)
    return _told(verifier, keeper, "it speaks of less of the chain than the one before it")


def valid_possession_left_out() -> Scenario:
    verifier = Simulator(SEED)
    keeper = Keeper(begin(verifier))
    begin_week(verifier, keeper.agent, 0, WORK_MS)
    begin_week(verifier, keeper.agent, 1, WORK_MS)
    keeper.say(1)
    head = keeper.agent.state.head
    count = len(keeper.chain.due(keeper.round(2)))
    keeper.agent.open_session()
    keeper.agent.work(WORK_MS)
    keeper.agent.close_session()
    begin_week(verifier, keeper.agent, 2, 20_000)
    keeper.say(2, head=head, count=count)
    return _told(verifier, keeper, "frames are left out that were in the log by then")


def valid_possession_missed() -> Scenario:
    verifier, keeper = _kept()
    begin_week(verifier, keeper.agent, 3, 20_000)
    return _told(verifier, keeper, "a week of work without a statement")


def _kept() -> tuple[Simulator, Keeper]:
    """Work in three weeks, and say in the second one what is held."""
    verifier = Simulator(SEED)
    keeper = Keeper(begin(verifier))
    begin_week(verifier, keeper.agent, 0, WORK_MS)
    begin_week(verifier, keeper.agent, 1, WORK_MS)
    keeper.say(1)
    begin_week(verifier, keeper.agent, 2, 20_000)
    return verifier, keeper


def _answers(keeper: Keeper) -> tuple[HeldAnswer, ...]:
    """Give the answers of the second week's statement, without saying it."""
    chain = keeper.chain
    value = keeper.agent.verifier.value(keeper.round(2))
    return tuple(keeper.answer(*one) for one in chain.draw(value))


def _told(verifier: Simulator, keeper: Keeper, text: str) -> Scenario:
    contents, tsa = finish(verifier, keeper.agent, ())
    told = Story(verifier, keeper.agent, replace(contents, openings=(), receipts=()), tsa)
    return Scenario(text, told.bundle().encode())


ALL = (
    valid_possession,
    valid_possession_lost,
    valid_possession_other_block,
    valid_possession_other_value,
    valid_possession_unanswered,
    valid_possession_other_count,
    valid_possession_other_round,
    valid_possession_astray,
    valid_possession_other_head,
    valid_possession_less_chain,
    valid_possession_left_out,
    valid_possession_missed,
)
