"""What the diary reads of a log, in each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.acting import ScriptedAgent
from support.scripted import begin
from support.shelved import Shelved
from support.simulator import ROUND_MS, START, Simulator, seeded
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.records import Segment
from workseal_protocol.statement import Kind
from workseal_verifier.store.diaryrows import DiaryRowStore, Whose

LONGEST = 7 * 86_400_000


@pytest.fixture
def agent() -> ScriptedAgent:
    """Give eight rounds of work, sent two by two, with a frame in each and one withdrawn."""
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(capture_rate=65_536))
    verifier.now = START + ROUND_MS
    agent.open_session()
    for _ in range(4):
        agent.work(2 * ROUND_MS)
        agent.send()
    agent.withdraw(agent.frames[3])
    return agent


@pytest.fixture
def shelved(where: Path | str, agent: ScriptedAgent) -> Iterator[Shelved]:
    made = Shelved(where).fill(agent.verifier, agent)
    yield made
    made.close()


def whose(agent: ScriptedAgent) -> Whose:
    return Whose(agent.engagement, agent.terms.freelancer.thumbprint.raw)


def segments(agent: ScriptedAgent) -> list[Segment]:
    return [record for _, record in agent.made if isinstance(record, Segment)]


def test_work_is_read_by_the_time_that_it_claims(shelved: Shelved, agent: ScriptedAgent) -> None:
    rows = DiaryRowStore(shelved.database)
    third = segments(agent)[2]
    size = shelved.published.size

    def found(begin: int, end: int, *, below: int = size, most: int = 99) -> list[int | None]:
        read = rows.work(whose(agent), begin, end, longest_ms=LONGEST, below=below, most=most)
        assert [one.position for one in read] == sorted(one.position for one in read)
        return [one.begin_ms for one in read]

    assert found(third.begin, third.end) == [third.begin]
    assert found(third.end, third.end) == []
    assert found(third.begin - 1, third.end + 1) == [one.begin for one in segments(agent)[1:4]]
    assert len(found(0, 2**48)) == 8
    assert len(found(0, 2**48, most=3)) == 3
    place = agent.verifier.places[agent.made[-2][0].digest]
    assert len(found(0, 2**48, below=place)) < 8


def test_nothing_of_another_engagement_or_worker_is_read(
    shelved: Shelved, agent: ScriptedAgent
) -> None:
    rows = DiaryRowStore(shelved.database)
    own = whose(agent)
    for other in (Whose(bytes(16), own.worker), Whose(own.engagement, bytes(32))):
        assert rows.work(other, 0, 2**48, longest_ms=LONGEST, below=2**40, most=9) == []
        assert rows.reach(other, below=2**40) is None
    frames = [frame.raw for one in segments(agent) for frame in one.frames]
    assert rows.withdrawals(bytes(16), frames, below=2**40) == []
    assert rows.came(bytes(16), since=0, below=2**40, most=9) == []


def test_withdrawals_are_found_by_their_frames(shelved: Shelved, agent: ScriptedAgent) -> None:
    rows = DiaryRowStore(shelved.database)
    frames = [frame.raw for one in segments(agent) for frame in one.frames]
    many = [*(seeded(b"", number) for number in range(1_000)), *frames]
    (found,) = rows.withdrawals(agent.engagement, many, below=2**40)
    assert found.digest == agent.made[-1][0].digest
    assert rows.withdrawals(agent.engagement, frames, below=found.position) == []


def test_reach_and_what_came_since(shelved: Shelved, agent: ScriptedAgent) -> None:
    rows = DiaryRowStore(shelved.database)
    told = segments(agent)
    assert rows.reach(whose(agent), below=2**40) == (told[0].begin, told[-1].end)
    last = agent.verifier.places[agent.made[-1][0].digest]
    (came,) = rows.came(agent.engagement, since=last, below=2**40, most=9)
    assert (came.kind, came.begin_ms) == (Kind.TOMBSTONE.value, None)
    assert len(rows.came(agent.engagement, since=0, below=2**40, most=3)) == 3


def test_each_position_has_its_first_checkpoint_once(
    shelved: Shelved, agent: ScriptedAgent
) -> None:
    rows = DiaryRowStore(shelved.database)
    sizes = sorted(agent.verifier.checkpoints)
    places = sorted(agent.verifier.places.values())
    wanted = sorted({min(size for size in sizes if size > place) for place in places})
    found = [SignedCheckpoint.parse(one).checkpoint.size for one in rows.covering(places)]
    assert found == wanted
    assert rows.covering([sizes[-1]]) == []
