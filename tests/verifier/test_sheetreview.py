"""Timesheets of some days: judged by the record that they count up to, with every answer."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.acting import ScriptedAgent
from support.drawn import summed_up
from support.scripted import begin
from support.shelved import Shelved
from support.simulator import ROUND_MS, START, Simulator
from workseal_protocol.accepted import AcceptedDays
from workseal_protocol.records import SheetAnswer
from workseal_protocol.timesheets import Agreement, SheetFinding, date_of, day_number
from workseal_protocol.verify import examine_bundle
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import diaries, sheetreview

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 8)


@pytest.fixture
def agent() -> ScriptedAgent:
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone="UTC"))
    verifier.now = START + ROUND_MS
    agent.open_session()
    agent.work(3 * ROUND_MS)
    agent.send()
    return agent


@pytest.fixture
def shelved(tmp_path: Path, agent: ScriptedAgent) -> Iterator[Shelved]:
    made = Shelved(tmp_path / "verifier.db").fill(agent.verifier, agent)
    yield made
    made.close()


def reviewed(shelved: Shelved, agent: ScriptedAgent) -> list[SheetFinding]:
    shelved.fill(agent.verifier, agent)
    agreed, reach = shelved.agreed(agent)
    return list(shelved.sheets.of_days(agreed, FIRST, LAST, reach).sheets)


def test_a_timesheet_agrees_by_the_record_up_to_its_head(
    shelved: Shelved, agent: ScriptedAgent
) -> None:
    agent.sum_up(FIRST, LAST)
    agent.work(2 * ROUND_MS)
    agent.send()
    later = agent.sum_up(FIRST, LAST)
    agent.reply(later, SheetAnswer.QUESTION, "why?")
    agent.reply(later, SheetAnswer.ACCEPTED)
    one, two = reviewed(shelved, agent)
    assert (one.agreement, two.agreement) == (Agreement.AGREES, Agreement.AGREES)
    assert one.record.billed_ms < two.record.billed_ms
    assert [said.record.answer for said in two.answers] == [
        SheetAnswer.QUESTION, SheetAnswer.ACCEPTED,
    ]  # fmt: skip
    assert one.overlaps == two.digest


def test_one_that_says_something_else_differs(shelved: Shelved, agent: ScriptedAgent) -> None:
    agent.sum_up(FIRST, LAST, billed_ms=1)
    (found,) = reviewed(shelved, agent)
    assert found.agreement is Agreement.DIFFERS


def test_a_statement_of_another_agreement_is_no_head_of_this_ones_chain(
    shelved: Shelved, agent: ScriptedAgent
) -> None:
    """A session that was opened elsewhere adds no time: only whose it is tells it apart."""
    other = ScriptedAgent(agent.verifier, terms=agent.terms, engagement=bytes(range(16)))
    other.open_session()
    other.send()
    agent.sum_up(FIRST, LAST, head=other.state.head)
    (found,) = reviewed(shelved, agent)
    assert found.agreement is Agreement.UNCHECKED
    assert "not in the chain here" in found.why


def test_what_was_accepted_beside_is_found_also_in_timesheets_of_other_weeks(
    shelved: Shelved, agent: ScriptedAgent
) -> None:
    whole = agent.sum_up(FIRST, LAST)
    agent.reply(whole, SheetAnswer.ACCEPTED)
    after = LAST + timedelta(days=1)
    agent.sum_up(LAST, after, replaces=whole.digest)
    again = agent.sum_up(FIRST, FIRST)
    shelved.fill(agent.verifier, agent)
    agreed, reach = shelved.agreed(agent)
    day = day_number(FIRST)
    found = shelved.sheets.of_days(agreed, FIRST, FIRST, reach).acceptances
    assert found[again.digest].elsewhere == (AcceptedDays(whole.digest, (day,), (day,)),)
    assert found[whole.digest].left_behind == (day,)


def test_only_those_with_a_day_of_the_week_are_shown(
    shelved: Shelved, agent: ScriptedAgent
) -> None:
    agent.sum_up(FIRST - timedelta(days=7), FIRST - timedelta(days=1))
    agent.sum_up(LAST + timedelta(days=1), LAST + timedelta(days=9))
    inside = agent.sum_up(FIRST - timedelta(days=30), LAST)
    (found,) = reviewed(shelved, agent)
    assert found.digest == inside.digest


def test_too_long_ones_and_too_many_are_not_judged(
    shelved: Shelved, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.sum_up(FIRST, LAST)
    agent.verifier.now += 1
    agent.sum_up(FIRST, LAST)
    monkeypatch.setattr(sheetreview, "MOST_JUDGED", 1)
    one, two = reviewed(shelved, agent)
    assert (one.agreement, two.agreement) == (Agreement.UNCHECKED, Agreement.AGREES)
    monkeypatch.setattr(sheetreview, "MOST_JUDGED", 2)
    monkeypatch.setattr("workseal_verifier.services.diaries.MOST_IN_WEEK", 1)
    one, two = reviewed(shelved, agent)
    # What was judged once is judged for ever.
    assert (one.agreement, two.agreement) == (Agreement.UNCHECKED, Agreement.AGREES)
    assert "workseal verify" in one.why


def test_of_very_many_the_newest_are_read_and_the_rest_is_told_of(
    shelved: Shelved, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sums up each day, or asks again and again, hides no later timesheet by that."""
    early = agent.sum_up(FIRST, LAST)
    for _ in range(3):
        agent.verifier.now += 1
        agent.reply(early, SheetAnswer.QUESTION, "and again?")
    late = agent.sum_up(FIRST, LAST, replaces=early.digest)
    agent.reply(late, SheetAnswer.ACCEPTED)
    monkeypatch.setattr(sheetreview, "MOST_SHEETS", 6)
    shelved.fill(agent.verifier, agent)
    agreed, reach = shelved.agreed(agent)
    whole = shelved.sheets.of_days(agreed, FIRST, LAST, reach)
    assert ([one.digest for one in whole.sheets], whole.older) == (
        [early.digest, late.digest], False,
    )  # fmt: skip
    assert [one.digest for one in shelved.sheets.listed(agreed, reach).sheets] == [
        early.digest, late.digest,
    ]  # fmt: skip
    monkeypatch.setattr(sheetreview, "MOST_SHEETS", 5)
    newest = shelved.sheets.of_days(agreed, FIRST, LAST, reach)
    assert ([one.digest for one in newest.sheets], newest.older) == ([late.digest], True)
    assert newest.sheets[0].answer == whole.sheets[1].answer
    assert newest.sheets[0].agreement is Agreement.AGREES


@pytest.mark.parametrize("number", range(4))
def test_drawn_timesheets_are_judged_as_in_their_bundle(tmp_path: Path, number: int) -> None:
    """Most of them are false in one field; each page judges as everybody's own tool does."""
    story = summed_up(number, 12)
    zone = ZoneInfo(story.agent.terms.zone)
    report = examine_bundle(story.bundle().encode(), story.policy, zone=zone)
    assert report.totals is not None, report.first_problem
    shelved = Shelved(tmp_path / "verifier.db").fill(story.verifier, story.agent)
    agreed, reach = shelved.agreed(story.agent)
    for told in report.timesheets:
        days = (date_of(told.record.first), date_of(told.record.last))
        found = shelved.sheets.of_days(agreed, *days, reach).sheets
        (own,) = [one for one in found if one.digest == told.digest]
        assert own == told
    shelved.close()


def test_timesheets_are_judged_one_question_at_a_time(
    shelved: Shelved, agent: ScriptedAgent
) -> None:
    agent.sum_up(FIRST, LAST)
    shelved.fill(agent.verifier, agent)
    taken = [shelved.diaries._waiting.acquire(blocking=False) for _ in range(4)]
    assert all(taken)
    with pytest.raises(RefusedError) as refused:
        reviewed(shelved, agent)
    assert refused.value.reason is Reason.BUSY
    shelved.diaries._waiting.release(4)
    (found,) = reviewed(shelved, agent)
    assert found.agreement is Agreement.AGREES


def test_one_that_is_too_long_is_read_once(
    shelved: Shelved, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.sum_up(FIRST, LAST)
    monkeypatch.setattr(diaries, "MOST_IN_WEEK", 1)
    (found,) = reviewed(shelved, agent)
    assert (found.agreement, "too many" in found.why) == (Agreement.UNCHECKED, True)
    monkeypatch.setattr(shelved.diaries, "work_of_days", lambda *_: pytest.fail("read again"))
    assert reviewed(shelved, agent) == [found]
