"""What a filing is told of the hours that it is about."""

from typing import TYPE_CHECKING

import pytest

from support.acting import ScriptedAgent
from support.builders import make_filing
from support.scripted import begin
from support.simulator import START, Simulator
from workseal_protocol.cli.acting.billedhours import billed_notes

if TYPE_CHECKING:
    from workseal_protocol.records import DisputeFiling

MINUTE = 60_000
DAY = 86_400_000


@pytest.fixture(scope="module")
def agent() -> ScriptedAgent:
    made = begin(Simulator())
    made.open_session()
    made.work(30 * MINUTE)
    made.send()
    return made


def notes(agent: ScriptedAgent, amount: int, **changes: int) -> list[str]:
    hours = {"begin": START - DAY, "end": START + DAY} | changes
    filing: DisputeFiling = make_filing(amount=amount, claimed_at=START + DAY, **hours)
    bodies = [statement.encode() for statement, _ in agent.made]
    return list(billed_notes(filing, agent.terms, bodies))


def test_a_sum_above_what_was_billed_is_told_and_one_that_is_not_above_it_is_not(
    agent: ScriptedAgent,
) -> None:
    (told,) = notes(agent, 10_000_000)
    *_, sum_text, currency = told.split()
    billed = int(sum_text.replace(".", ""))
    assert told.startswith("that is more than all that is billed in these hours")
    assert currency == agent.terms.currency
    assert 0 < billed < 10_000_000
    assert notes(agent, billed) == []
    assert len(notes(agent, billed + 1)) == 1


def test_other_hours_have_nothing_billed(agent: ScriptedAgent) -> None:
    (told,) = notes(agent, 1, begin=START - 2 * DAY, end=START - DAY)
    assert told.endswith(f" 0.00 {agent.terms.currency}")


def test_a_record_that_cannot_be_read_is_said_to_be_unknown(agent: ScriptedAgent) -> None:
    filing = make_filing()
    unknown = ["what was billed in these hours is not known here: the record was not read"]
    assert list(billed_notes(filing, agent.terms, None)) == unknown
    assert list(billed_notes(filing, agent.terms, [b"no statement"])) == unknown
