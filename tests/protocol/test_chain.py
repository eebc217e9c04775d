from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import digest
from support.scripted import ScriptedAgent, begin, first_day, second_day
from support.simulator import START, Simulator
from workseal_protocol.chain import (
    LAST_INSTANT,
    ChainError,
    ChainState,
    OpenSession,
    Rule,
    advance,
    check_closing,
    check_schedule,
    check_timing,
    owed_instant,
)
from workseal_protocol.chain.replay import Spans
from workseal_protocol.keys import SeedSigner
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.records import (
    Acceptance,
    Anchor,
    Capture,
    ChainedRecord,
    Declaration,
    DeclarationForm,
    Record,
    Segment,
    SegmentState,
    SessionClose,
    SessionOpen,
    Tombstone,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Level

T = TypeVar("T", bound=Record)


@dataclass(frozen=True)
class Changed:
    """Name one record of the valid chain, and what to make of it."""

    kind: type[Any]
    number: int
    change: Callable[[Any], Any]


def nth(kind: type[T], number: int, change: Callable[[T], T]) -> Changed:
    return Changed(kind, number, change)


def run() -> tuple[Simulator, ScriptedAgent]:
    """Tell both days to a verifier that keeps the rules."""
    verifier = Simulator()
    agent = begin(verifier)
    first_day(verifier, agent, back_dated=False)
    second_day(verifier, agent)
    return verifier, agent


@cache
def items() -> tuple[ChainState, list[tuple[Statement, ChainedRecord]]]:
    """Give the start of a valid chain and everything that follows."""
    _, agent = run()
    chained: list[tuple[Statement, ChainedRecord]] = []
    start: ChainState | None = None
    for statement, record in agent.made:
        match record:
            case Acceptance():
                start = ChainState.start(
                    record.engagement,
                    record.terms,
                    statement.digest,
                    agreed_at=record.claimed_at,
                )
            case SessionOpen() | Segment() | SessionClose() | Tombstone() | Declaration():
                chained.append((statement, record))
            case _:
                pass
    if start is None:
        raise ValueError("no acceptance")
    return start, chained


@cache
def states() -> list[ChainState]:
    start, chained = items()
    found = [start]
    for statement, record in chained:
        found.append(advance(found[-1], statement, record))
    return found


def refuse(changed: Changed, rule: Rule, step: int) -> ChainError:
    """Advance to the record, and find the changed one refused."""
    _, chained = items()
    places = [n for n, (_, record) in enumerate(chained) if isinstance(record, changed.kind)]
    place = places[changed.number]
    statement, record = chained[place]
    with pytest.raises(ChainError) as caught:
        advance(states()[place], statement, changed.change(record))
    assert (caught.value.rule, caught.value.step) == (rule, step)
    assert str(caught.value).startswith(f"{rule}: ")
    return caught.value


def set_to(**changes: Any) -> Callable[[T], T]:
    return lambda record: replace(record, **changes)


def test_follows_a_whole_chain() -> None:
    found = states()
    assert [state.next_seq for state in found] == list(range(len(found)))
    assert found[-1].session is None
    assert found[-1].anchor_size > found[1].anchor_size > 0


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        pytest.param(
            nth(Segment, 2, set_to(engagement=bytes(16))), Rule.ENGAGEMENT, id="other engagement"
        ),
        pytest.param(nth(Segment, 2, set_to(seq=2)), Rule.SEQUENCE, id="number used before"),
        pytest.param(nth(Segment, 2, set_to(seq=9)), Rule.SEQUENCE, id="number skipped"),
        pytest.param(nth(SessionOpen, 0, set_to(seq=1)), Rule.SEQUENCE, id="first is not 0"),
        pytest.param(nth(Segment, 2, set_to(prev=digest(1))), Rule.LINK, id="other predecessor"),
        pytest.param(
            nth(SessionOpen, 0, set_to(prev=digest(1))), Rule.LINK, id="not from the acceptance"
        ),
        pytest.param(
            nth(Segment, 8, set_to(anchor=Anchor(digest(1), 1))), Rule.ANCHOR, id="anchor back"
        ),
        pytest.param(nth(Segment, 2, set_to(session=bytes(16))), Rule.SESSION, id="other session"),
        pytest.param(
            nth(SessionClose, 0, set_to(session=bytes(16))), Rule.SESSION, id="closes another"
        ),
        pytest.param(
            nth(Tombstone, 0, set_to(frame=digest(1))), Rule.TOMBSTONE, id="unknown frame"
        ),
        pytest.param(
            nth(Tombstone, 0, set_to(segment=digest(1))), Rule.TOMBSTONE, id="other segment"
        ),
    ],
)
def test_step_07_refuses(changed: Changed, rule: Rule) -> None:
    refuse(changed, rule, 7)


def test_step_07_refuses_a_session_in_a_session() -> None:
    verifier = Simulator()
    agent = begin(verifier)
    agent.open_session()
    with pytest.raises(ChainError, match="while another one is open"):
        agent.open_session()


def test_step_07_refuses_a_session_that_was_opened_before() -> None:
    session = next(one.session for _, one in items()[1] if isinstance(one, SessionOpen))
    error = refuse(nth(SessionOpen, 1, set_to(session=session)), Rule.SESSION, 7)
    assert "opened twice" in str(error)


def test_step_07_refuses_work_without_a_session() -> None:
    start, chained = items()
    statement, record = next(one for one in chained if isinstance(one[1], Segment))
    first = replace(record, seq=0, prev=start.head)
    with pytest.raises(ChainError, match="no session is open"):
        advance(start, statement, first)


def test_step_07_refuses_a_frame_that_was_committed_before() -> None:
    first, second, *_ = captured()
    frames = next(one.frames for _, one in items()[1] if isinstance(one, Segment) and one.frames)
    assert first < second
    refuse(nth(Segment, second, set_to(frames=frames)), Rule.FRAME, 7)


def test_step_07_refuses_a_second_withdrawal() -> None:
    verifier, agent = run()
    frame = agent.frames[0]
    agent.withdraw(frame)
    agent.frames.append(frame)
    with pytest.raises(ChainError, match="withdrawn twice"):
        agent.withdraw(frame)
    assert verifier.chains[agent.engagement].next_seq == agent.state.next_seq - 1


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        pytest.param(
            nth(Segment, 5, lambda one: replace(one, round=one.round + 9999)),
            Rule.ROUND,
            id="round after the session's",
        ),
        pytest.param(
            nth(Segment, 5, lambda one: replace(one, round=one.round - 1)),
            Rule.BOUNDS,
            id="round before its own",
        ),
        pytest.param(
            nth(Segment, 5, lambda one: replace(one, round=one.round - 2)),
            Rule.ROUND,
            id="round before the last",
        ),
        pytest.param(
            nth(Segment, 2, lambda one: replace(one, end=one.end + 1)),
            Rule.BOUNDS,
            id="end after the round",
        ),
        pytest.param(
            nth(Segment, 2, lambda one: replace(one, begin=one.begin - 1)),
            Rule.BOUNDS,
            id="begin before the round",
        ),
        pytest.param(
            nth(Segment, 7, lambda one: replace(one, worked=one.end - one.begin + 11)),
            Rule.WORKED,
            id="more work than time",
        ),
        pytest.param(
            nth(Segment, 2, lambda one: replace(one, worked=10_001)),
            Rule.WORKED,
            id="more work than the round",
        ),
        pytest.param(
            nth(Segment, 7, lambda one: replace(one, begin=one.begin - 2_001)),
            Rule.OVERLAP,
            id="begin before the last end",
        ),
        pytest.param(
            nth(Declaration, 0, lambda one: replace(one, form=DeclarationForm.LATE)),
            Rule.OVERLAP,
            id="late over recorded",
        ),
        pytest.param(
            nth(Declaration, 1, lambda one: replace(one, form=DeclarationForm.LIVE)),
            Rule.DECLARATION,
            id="live over nothing",
        ),
        pytest.param(
            nth(Declaration, 0, lambda one: replace(one, begin=one.begin - 1)),
            Rule.DECLARATION,
            id="live over work on the screen",
        ),
        pytest.param(
            nth(Declaration, 0, lambda one: replace(one, end=one.end + 1, claimed_at=one.end + 1)),
            Rule.DECLARATION,
            id="live beyond the last segment",
        ),
        pytest.param(
            nth(Declaration, 1, lambda one: replace(one, claimed_at=one.end - 1)),
            Rule.DECLARATION,
            id="late time to come",
        ),
        pytest.param(
            nth(
                Declaration,
                1,
                lambda one: replace(
                    one, end=one.begin + 8 * 86_400_000, claimed_at=one.begin + 8 * 86_400_000
                ),
            ),
            Rule.DECLARATION,
            id="more than a week",
        ),
        pytest.param(
            nth(Declaration, 1, lambda one: replace(one, begin=one.end - 4 * 86_400_000)),
            Rule.TERMS,
            id="before the acceptance",
        ),
        pytest.param(
            nth(SessionOpen, 0, set_to(first_round=LAST_INSTANT // 10_000)),
            Rule.ROUND,
            id="after every calendar",
        ),
    ],
)
def test_step_08_refuses(changed: Changed, rule: Rule) -> None:
    refuse(changed, rule, 8)


def test_step_08_allows_the_rounding_of_two_clocks() -> None:
    place, (statement, record) = next(
        (n, one) for n, one in enumerate(items()[1]) if isinstance(one[1], Segment)
    )
    assert isinstance(record, Segment)
    allowed = replace(record, worked=record.end - record.begin + 10)
    assert advance(states()[place], statement, allowed).round_worked == 7_010


def test_step_08_refuses_late_time_declared_twice() -> None:
    verifier, agent = run()
    agent.pause(7_200_000)
    end = verifier.now - 3_600_000
    agent.declare(DeclarationForm.LATE, end - 60_000, end, 60_000)
    with pytest.raises(ChainError, match="declared already"):
        agent.declare(DeclarationForm.LATE, end - 30_000, end + 30_000, 60_000)


def test_step_08_refuses_to_record_time_that_was_declared() -> None:
    verifier, agent = run()
    agent.pause(3_600_000 - verifier.now % 10_000)
    agent.open_session()
    now = verifier.now
    verifier.now += 20_000
    agent.declare(DeclarationForm.LATE, now, now + 10_000, 10_000)
    verifier.now = now
    agent.work(10_000)
    with pytest.raises(ChainError, match="covers time that was declared"):
        agent.send()


def test_step_08_late_declarations_may_touch_what_was_recorded() -> None:
    verifier, agent = run()
    agent.open_session()
    agent.work(10_000)
    agent.send()
    end = verifier.now
    agent.pause(60_000)
    agent.declare(DeclarationForm.LATE, end, end + 30_000, 30_000)
    agent.declare(DeclarationForm.LATE, end + 30_000, end + 60_000, 30_000)
    assert verifier.chains[agent.engagement].next_seq == agent.state.next_seq


def captured() -> list[int]:
    _, chained = items()
    segments = [one for _, one in chained if isinstance(one, Segment)]
    return [n for n, one in enumerate(segments) if one.capture is Capture.CAPTURED]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        pytest.param(
            nth(Segment, 3, set_to(activity=None)), Rule.ACTIVITY, id="activity is lacking"
        ),
        pytest.param(
            nth(Segment, 3, set_to(agent_value=bytes(32))), Rule.AGENT_VALUE, id="agent value"
        ),
        pytest.param(
            nth(Segment, 3, set_to(agent_value=digest(3).raw)), Rule.AGENT_VALUE, id="other"
        ),
        pytest.param(
            nth(Segment, captured()[0], set_to(capture=Capture.NONE, frames=())),
            Rule.CAPTURE,
            id="capture hidden",
        ),
        pytest.param(
            nth(Segment, 0, set_to(capture=Capture.MISSED)), Rule.CAPTURE, id="missed nothing"
        ),
        pytest.param(
            nth(Segment, captured()[0], set_to(verifier_value=None)),
            Rule.CAPTURE,
            id="offline, to have another draw",
        ),
    ],
)
def test_step_09_refuses(changed: Changed, rule: Rule) -> None:
    refuse(changed, rule, 9)


@pytest.mark.parametrize("level", [Level.TIMER, Level.ACTIVITY])
def test_step_09_knows_no_captures_below_the_level_of_frames(level: Level) -> None:
    _, agent = run_without_frames(level)
    segments = [one for _, one in agent.made if isinstance(one, Segment)]
    assert all(one.capture is Capture.NONE for one in segments)
    assert all(owed_instant(agent.terms, agent.engagement, one) is None for one in segments)


def run_without_frames(level: Level) -> tuple[Simulator, ScriptedAgent]:
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(level=level, capture_rate=0))
    first_day(verifier, agent, back_dated=False)
    return verifier, agent


def test_step_09_refuses_activity_that_the_terms_do_not_ask_for() -> None:
    verifier = Simulator()
    terms = verifier.terms(level=Level.TIMER, capture_rate=0)

    def twist(record: Record, signer: SeedSigner) -> tuple[Record, SeedSigner]:
        if isinstance(record, Segment):
            return replace(record, activity=digest(1)), signer
        return record, signer

    agent = begin(verifier, terms=terms, twist=twist)
    agent.open_session()
    agent.work(10_000)
    with pytest.raises(ChainError, match="do not ask for"):
        agent.send()


@pytest.mark.parametrize("name", ["segments", "worked", "captured", "missed"])
@pytest.mark.parametrize("difference", [-1, 1])
def test_step_13_refuses_a_closing_with_other_sums(name: str, difference: int) -> None:
    def change(record: SessionClose) -> SessionClose:
        return replace(record, **{name: getattr(record, name) + difference})

    error = refuse(nth(SessionClose, 0, change), Rule.CLOSING, 13)
    assert error.detail.startswith(name)


def test_no_step_takes_a_session_for_granted() -> None:
    found, (_, chained) = states(), items()
    segment = next(n for n, (_, one) in enumerate(chained) if isinstance(one, Segment))
    closing = next(n for n, (_, one) in enumerate(chained) if isinstance(one, SessionClose))
    for place, check in (
        (segment, check_timing),
        (segment, check_schedule),
        (closing, check_closing),
    ):
        with pytest.raises(ChainError, match="no session"):
            check(replace(found[place], session=None), chained[place][1])


# --- the fold itself ---


def test_a_refused_statement_leaves_the_state_usable() -> None:
    start, chained = items()
    state = start
    for statement, record in chained:
        with pytest.raises(ChainError):
            advance(state, statement, replace(record, seq=record.seq + 1))
        state = advance(state, statement, record)
    assert state == states()[-1]


@given(st.data())
def test_an_older_state_can_be_advanced_again(data: st.DataObject) -> None:
    _, chained = items()
    found = states()
    place = data.draw(st.integers(0, len(chained) - 1))
    again = found[place]
    for (statement, record), expected in zip(chained[place:], found[place + 1 :], strict=True):
        again = advance(again, statement, record)
        assert again == expected
    assert again.past.frames == found[-1].past.frames
    assert list(again.past.recorded) == list(found[-1].past.recorded)
    assert again.past.withdrawn == found[-1].past.withdrawn
    assert again.past is not found[-1].past


def test_the_past_is_shared_and_not_copied_as_the_chain_grows() -> None:
    found = states()
    assert all(state.past is found[0].past for state in found)


def test_a_long_session_costs_one_hash_for_each_round() -> None:
    # The agent's value is checked against the one before it, not against the head.
    rounds = 3_000
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(capture_rate=0))
    values = build_chain(ChainSide.AGENT, bytes(32), rounds)
    state = agent.state
    first = START // 10_000
    known = OpenSession(bytes(16), digest(0), chain_head(ChainSide.AGENT, values[0]), first, rounds)
    state = replace(state, session=known, anchor_size=0)
    for number, value in enumerate(values):
        at = (first + number) * 10_000
        record = Segment(
            engagement=state.engagement,
            seq=state.next_seq,
            prev=state.head,
            anchor=Anchor(digest(1), 1),
            claimed_at=at,
            session=bytes(16),
            round=first + number,
            begin=at,
            end=at + 10_000,
            worked=10_000,
            state=SegmentState.WORKING,
            agent_value=value,
            activity=digest(2),
            notes=digest(3),
        )
        state = advance(state, sign(record, verifier.people.freelancer), record)
        assert state.session is not None
        assert state.session.known == (first + number, value)
    assert len(state.past.recorded.begins) == rounds


def test_every_rule_has_its_step() -> None:
    assert {rule.step for rule in Rule} == {7, 8, 9, 13}


def test_what_is_signed_is_what_is_read() -> None:
    for statement, record in items()[1]:
        assert read_record(statement) == record


@given(
    st.lists(st.integers(0, 100), max_size=20, unique=True),
    st.integers(0, 100),
    st.integers(0, 20),
)
def test_spans_find_what_shares_time(edges: list[int], begin: int, length: int) -> None:
    edges.sort()
    spans = Spans()
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    for seq, (low, high) in enumerate(pairs):
        spans.add(low, high, seq)
    end = begin + length
    expected = [n for n, (low, high) in enumerate(pairs) if low < end and high > begin]
    assert list(spans.touching(begin, end)) == expected
