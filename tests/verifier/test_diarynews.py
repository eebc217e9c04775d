"""What came tells of which time it is about, or that all is to be folded anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.acting import ScriptedAgent
from support.scripted import begin
from support.shelved import Shelved
from support.simulator import ROUND_MS, START, Simulator
from workseal_protocol.records import DeclarationForm, Segment, SegmentState
from workseal_verifier.services import diarynews
from workseal_verifier.services.diarynews import Span, spans_of
from workseal_verifier.store.diaryrows import Came, DiaryRowStore


@pytest.fixture
def agent() -> ScriptedAgent:
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone="UTC", capture_rate=65_536))
    verifier.now = START + ROUND_MS
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    return agent


@pytest.fixture
def shelved(tmp_path: Path, agent: ScriptedAgent) -> Iterator[Shelved]:
    made = Shelved(tmp_path / "verifier.db").fill(agent.verifier, agent)
    yield made
    made.close()


def came(shelved: Shelved, agent: ScriptedAgent, since: int) -> list[Came]:
    shelved.fill(agent.verifier, agent)
    rows = DiaryRowStore(shelved.database)
    return rows.came(agent.engagement, since=since, below=2**40, most=99)


def spans(shelved: Shelved, agent: ScriptedAgent, since: int) -> list[Span] | None:
    return spans_of(shelved.records, came(shelved, agent, since))


def test_a_withdrawal_is_about_its_segment(shelved: Shelved, agent: ScriptedAgent) -> None:
    frame = agent.frames[-1]
    segment = next(record for one, record in agent.made if one.digest == frame.segment)
    assert isinstance(segment, Segment)
    size = shelved.published.size
    agent.withdraw(frame)
    assert spans(shelved, agent, size) == [(segment.begin, segment.end)]


def test_a_description_is_about_its_own_time(shelved: Shelved, agent: ScriptedAgent) -> None:
    at = agent.verifier.now
    agent.work(ROUND_MS, SegmentState.OFF_SCREEN)
    agent.send()
    shelved.fill(agent.verifier, agent)
    size = shelved.published.size
    agent.declare(DeclarationForm.LIVE, at, agent.verifier.now, ROUND_MS)
    assert spans(shelved, agent, size) == [(at, agent.verifier.now)]


def test_what_says_nothing_of_time_is_about_none(shelved: Shelved, agent: ScriptedAgent) -> None:
    size = shelved.published.size
    agent.close_session()
    assert [one.kind for one in came(shelved, agent, size)] == ["session.close"]
    assert spans(shelved, agent, size) == []


def test_in_doubt_it_is_about_all(
    shelved: Shelved, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = shelved.published.size
    agent.withdraw(agent.frames[0])
    told = came(shelved, agent, size)
    with monkeypatch.context() as patched:
        patched.setattr(shelved.records, "by_digest", lambda _: None)
        assert spans_of(shelved.records, told) is None
    monkeypatch.setattr(diarynews, "MOST_READ", 0)
    assert spans_of(shelved.records, told) is None
