"""Many segments at once come to the same state as one after another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.scripted import Story, tell_story
from workseal_protocol.chain import ChainState, SegmentRun, follow
from workseal_protocol.chain.replay import Spans
from workseal_protocol.records import ChainedRecord, Segment, SessionOpen
from workseal_protocol.statement import Statement


@pytest.fixture(scope="module")
def story() -> Story:
    return tell_story()


def chained(story: Story) -> list[tuple[Statement, ChainedRecord]]:
    made = story.agent.made
    return [(one, record) for one, record in made if isinstance(record, ChainedRecord)]


def begun(story: Story) -> ChainState:
    return ChainState.start(
        story.agent.engagement, story.agent.terms, story.agent.made[0][0].digest, agreed_at=0
    )


def one_by_one(state: ChainState, told: list[tuple[Statement, ChainedRecord]]) -> ChainState:
    for statement, record in told:
        known = (record.round, record.agent_value) if isinstance(record, Segment) else None
        state = follow(state, statement.digest, record, known=known)
    return state


def many_at_once(state: ChainState, told: list[tuple[Statement, ChainedRecord]]) -> ChainState:
    run: SegmentRun | None = None
    for statement, record in told:
        run = SegmentRun(state) if run is None else run
        if run.take(statement.digest, statement.encode()):
            assert isinstance(record, Segment)
            continue
        state, run = one_by_one(run.state, [(statement, record)]), None
    return state if run is None else run.state


def memory(state: ChainState) -> tuple[object, ...]:
    past = state.past
    spans = [
        (list(one), one.worked(range(len(one.begins))))
        for one in (past.recorded, past.attended, past.late)
    ]
    return past.length, spans, past.frames, past.withdrawn, past.sessions


def test_the_state_and_its_memory_are_those_of_one_after_another(story: Story) -> None:
    told = chained(story)
    assert sum(isinstance(record, Segment) for _, record in told) > 10
    for end in range(len(told) + 1):
        slow, fast = one_by_one(begun(story), told[:end]), many_at_once(begun(story), told[:end])
        assert slow == fast
        assert memory(slow) == memory(fast)


def test_a_run_that_took_nothing_is_the_state_before(story: Story) -> None:
    statement, record = next(one for one in chained(story) if isinstance(one[1], SessionOpen))
    run = SegmentRun(begun(story))
    assert not run.take(statement.digest, statement.encode())
    assert not run.take(statement.digest, b"")
    assert run.state == begun(story)
    # Without a session there is nothing to add a segment to.
    segment = next(one for one, told in chained(story) if isinstance(told, Segment))
    assert not run.take(segment.digest, segment.encode())
    assert record.seq == 0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=30))
def test_spans_are_in_order_whichever_comes_first(told: list[tuple[int, int]]) -> None:
    spans = Spans()
    for seq, (begin, length) in enumerate(told):
        spans.add(begin, begin + length, seq)
    wanted = [(begin, begin + length, seq) for seq, (begin, length) in enumerate(told)]
    # Of two that begin at once, the later one stands behind.
    assert list(spans) == sorted(wanted, key=lambda one: one[0])
