"""Scenarios of days that a client accepted in more than one timesheet, or that were left behind."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from support.acting import ScriptedAgent
from support.scripted import Story, begin, finish
from support.simulator import DAY_MS, START, Simulator
from vectors.scenarios.telling import SEED, Scenario
from workseal_protocol.digest import Digest
from workseal_protocol.records import SheetAnswer

_FIRST = datetime.fromtimestamp(START / 1000, tz=UTC).date()
_NEXT = _FIRST + timedelta(days=1)
_AFTER = _FIRST + timedelta(days=2)


def valid_accepted_twice() -> Scenario:
    """Let two timesheets of a day be accepted: it counts in the one that was accepted last."""

    def summing(agent: ScriptedAgent) -> None:
        for last in (_FIRST, _NEXT):
            agent.reply(agent.sum_up(_FIRST, last), SheetAnswer.ACCEPTED)

    return _told(
        "a day was accepted in two timesheets, neither of which replaces the other", summing
    )


def valid_accepted_before() -> Scenario:
    """Replace an accepted timesheet over the same days: nothing goes on counting in it."""

    def summing(agent: ScriptedAgent) -> None:
        early = agent.sum_up(_FIRST, _NEXT)
        agent.reply(early, SheetAnswer.ACCEPTED)
        agent.sum_up(_FIRST, _NEXT, replaces=early.digest)

    return _told("an accepted timesheet was replaced by one of the same days", summing)


def valid_left_behind() -> Scenario:
    """Leave a day out of what replaces an accepted timesheet, and put it into a third one."""

    def summing(agent: ScriptedAgent) -> None:
        both = agent.sum_up(_FIRST, _NEXT)
        agent.reply(both, SheetAnswer.ACCEPTED)
        agent.sum_up(_NEXT, _NEXT, replaces=both.digest)
        agent.sum_up(_FIRST, _FIRST)

    return _told(
        "an accepted day was left out of what replaced its timesheet, and stands in a third one",
        summing,
    )


def valid_accepted_again() -> Scenario:
    """Replace an accepted timesheet, accept its days anew in a third, and shrink the replacement.

    What stands for the first one is about another day now; its own do not come back.
    """

    def summing(agent: ScriptedAgent) -> None:
        first = agent.sum_up(_FIRST, _NEXT)
        agent.reply(first, SheetAnswer.ACCEPTED)
        wider = agent.sum_up(_FIRST, _AFTER, replaces=first.digest)
        _accepted(agent, _NEXT)
        agent.sum_up(_AFTER, _AFTER, replaces=wider.digest)

    return _told(
        "days were accepted in a third timesheet, and then left out of what replaced the first",
        summing,
    )


def valid_accepted_by_many() -> Scenario:
    """Accept a day in five timesheets, the last of which alone goes on counting it."""

    def summing(agent: ScriptedAgent) -> None:
        replaced = [_accepted(agent, _FIRST) for _ in range(4)]
        for one in replaced:
            agent.sum_up(_FIRST, _NEXT, replaces=one)
        _accepted(agent, _NEXT)

    return _told("of many that were accepted, those where a day counts are told first", summing)


def _accepted(agent: ScriptedAgent, last: date) -> Digest:
    # Signed at another instant, it is another statement.
    agent.verifier.now += 1_000
    sheet = agent.sum_up(_FIRST, last)
    agent.reply(sheet, SheetAnswer.ACCEPTED)
    return sheet.digest


def _told(text: str, summing: Callable[[ScriptedAgent], None]) -> Scenario:
    verifier = Simulator(SEED)
    agent = begin(verifier)
    for worked in (34_000, 26_000):
        agent.open_session()
        agent.work(worked)
        agent.close_session()
        verifier.now += DAY_MS
    summing(agent)
    contents, tsa = finish(verifier, agent, ())
    return Scenario(text, Story(verifier, agent, contents, tsa).bundle().encode())


ALL = (
    valid_accepted_twice,
    valid_accepted_before,
    valid_left_behind,
    valid_accepted_again,
    valid_accepted_by_many,
)
