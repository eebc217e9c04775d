"""What a milestone says is what the statements say, in one spelling, and nothing else is read."""

from array import array
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.scripted import ScriptedAgent, begin, first_day, second_day
from support.simulator import Simulator
from workseal_protocol.chain import ChainReplay, ChainState
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_verifier.services import milestones
from workseal_verifier.services.milestones import (
    Part,
    encode_state,
    is_due,
    parse_state,
    rows_since,
)
from workseal_verifier.store.schema import STATE_BYTES, STATEMENT_BYTES


@pytest.fixture(scope="module")
def told() -> ScriptedAgent:
    """A chain with everything in it: frames, a tombstone, late work, sessions, one of them open."""
    verifier = Simulator(b"milestones")
    agent = begin(verifier)
    first_day(verifier, agent, back_dated=False)
    second_day(verifier, agent)
    agent.open_session()
    agent.work(40_000)
    return agent


def remembered(past: ChainReplay) -> dict[str, Any]:
    spans = {
        name: (one.begins, one.ends, one.seqs, one.sums)
        for name in ("recorded", "attended", "late")
        for one in [getattr(past, name)]
    }
    found = {name: getattr(past, name) for name in ("length", "frames", "withdrawn", "sessions")}
    return spans | found


def begun(state: ChainState) -> ChainState:
    """Give the same chain before its first statement."""
    return ChainState.start(state.engagement, state.terms, state.head, agreed_at=state.agreed_at)


def restored(state: ChainState, every: int, monkeypatch: pytest.MonkeyPatch) -> ChainState:
    monkeypatch.setattr(milestones, "EVERY", every)
    rows = rows_since(state, 0, 99)
    assert [(one.since, one.reach) for one in rows][:2] == [(0, every), (every, 2 * every)]
    assert {(one.position, one.state) for one in rows[:-1]} == {(None, None)}
    after = begun(state)
    for row in rows:
        Part.parse(row.past, row.since, row.reach).add_to(after.past)
    assert rows[-1].position == 99
    assert rows[-1].state is not None
    return parse_state(rows[-1].state, after, rows[-1].reach)


@pytest.mark.parametrize("every", [1, 3, 7])
def test_a_chain_is_what_its_milestones_say(
    told: ScriptedAgent, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = told.state
    assert state.past.frames
    assert state.past.withdrawn
    assert len(state.past.sessions) > 1
    assert state.past.late.seqs
    assert len(state.past.attended.seqs) < len(state.past.recorded.seqs)
    assert state.session is not None
    after = restored(state, every, monkeypatch)
    assert after == state
    assert remembered(after.past) == remembered(state.past)


def test_a_chain_between_sessions_has_none(
    told: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = replace(told.state, session=None)
    assert restored(state, 5, monkeypatch) == state


def test_what_a_chain_knows_already_is_not_added_again(told: ScriptedAgent) -> None:
    past, reach = told.state.past, told.state.next_seq
    for known in range(reach + 1):
        again = past.until(known)
        Part.of(past, 0, reach).add_to(again)
        assert remembered(again) == remembered(past)


def test_a_milestone_is_due_after_so_many_statements(told: ScriptedAgent) -> None:
    state = replace(told.state, next_seq=300)
    assert is_due(state, 300 - milestones.EVERY)
    assert not is_due(state, 301 - milestones.EVERY)


def test_a_long_chain_without_any_is_written_over_some_ticks(
    told: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milestones, "EVERY", 2)
    monkeypatch.setattr(milestones, "MOST_AT_ONCE", 3)
    state, since, rows = told.state, 0, []
    while since < state.next_seq:
        some = rows_since(state, since, 99)
        assert len(some) <= 3
        rows += some
        since = some[-1].reach
    assert [one.state is None for one in rows] == [True] * (len(rows) - 1) + [False]
    assert rows[-1].reach == state.next_seq


def test_a_part_is_as_small_as_its_column() -> None:
    past = ChainReplay()
    past.length = 64
    frames = STATEMENT_BYTES // 34 // 8
    for seq in range(64):
        segment = Digest.of(b"segment", bytes([seq]))
        names = (Digest.of(bytes([seq]), number.to_bytes(2)) for number in range(frames))
        past.frames.update((name, (seq, segment)) for name in names)
    rows = milestones._parts(bytes(16), past, 0, 64)
    assert len(rows) == 8
    assert max(len(one.past) for one in rows) <= STATEMENT_BYTES
    again = ChainReplay()
    for row in rows:
        Part.parse(row.past, row.since, row.reach).add_to(again)
    assert remembered(again) == remembered(past)


def test_a_state_fits_its_column(told: ScriptedAgent) -> None:
    session = told.state.session
    assert session is not None
    largest = 2**53 - 1
    wide = replace(
        session,
        first_round=largest,
        rounds=largest,
        segments=largest,
        worked=largest,
        captured=largest,
        missed=largest,
        known=(largest, bytes(32)),
        drawn=(largest, bytes(32)),
    )
    state = replace(told.state, session=wide, anchor_size=largest, last_end=largest)
    encoded = encode_state(state)
    assert len(encoded) <= STATE_BYTES
    assert parse_state(encoded, told.state, told.state.next_seq) == state


PART = Part(
    since=4,
    reach=9,
    begins=array("q", [10, 30]),
    ends=array("q", [20, 40]),
    seqs=array("q", [4, 6]),
    worked=array("q", [9, 0]),
    attended=b"\x01\x00",
    late=((1, 2, 5),),
    frames=((4, Digest.of(b"s"), (Digest.of(b"f"), Digest.of(b"g"))),),
    withdrawn=((Digest.of(b"f"), 7),),
    sessions=((bytes(16), 8),),
)
_TWO = array("q", [4, 6]).tobytes()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (1, b""),
        (1, _TWO[:-1]),
        (1, array("q", [30, 10]).tobytes()),
        (1, array("q", [-1, 30]).tobytes()),
        (2, array("q", [9, 40]).tobytes()),
        (3, array("q", [6, 4]).tobytes()),
        (3, array("q", [4, 4]).tobytes()),
        (3, array("q", [3, 6]).tobytes()),
        (3, array("q", [4, 9]).tobytes()),
        (4, array("q", [-1, 0]).tobytes()),
        (5, b"\x01\x02"),
        (5, b"\x01"),
        (6, [[1, 2]]),
        (6, [[1, 2, 9]]),
        (6, [[1, 2, 6], [3, 4, 5]]),
        (7, [[4, bytes(32), b""]]),
        (7, [[4, bytes(32), bytes(31)]]),
        (7, [[4, bytes(31), bytes(32)]]),
        (7, [[9, bytes(32), bytes(32)]]),
        (8, [[bytes(31), 7]]),
        (8, [["x", 7]]),
        (8, [[bytes(32), bytes(1)]]),
        (9, [[bytes(15), 8]]),
        (9, [8]),
        (10, 0),
    ],
)
def test_refuses_another_part(key: int, value: Value) -> None:
    encoded = PART.encode()
    assert Part.parse(encoded, 4, 9) == PART
    fields = decode(encoded)
    assert isinstance(fields, dict)
    with pytest.raises(MalformedError):
        Part.parse(encode(fields | {key: value}), 4, 9)


@pytest.mark.parametrize("key", range(1, 10))
def test_refuses_a_part_that_lacks_something(key: int) -> None:
    fields = decode(PART.encode())
    assert isinstance(fields, dict)
    del fields[key]
    with pytest.raises(MalformedError):
        Part.parse(encode(fields), 4, 9)


@pytest.mark.parametrize("key", [10, 11, 12])
def test_refuses_a_session_with_half_a_value(told: ScriptedAgent, key: int) -> None:
    fields = decode(encode_state(told.state))
    assert isinstance(fields, dict)
    session = fields[7]
    assert isinstance(session, dict)
    assert {10, 11, 12, 13} <= set(session)
    del session[key]
    with pytest.raises(MalformedError):
        parse_state(encode(fields), told.state, told.state.next_seq)


@given(st.binary(max_size=200), st.integers(0, 2**16), st.integers(0, 255))
def test_only_malformed_leaves_a_parser(data: bytes, place: int, byte: int) -> None:
    encoded = PART.encode()
    place %= len(encoded)
    for one in (data, encoded[:place] + bytes([byte]) + encoded[place + 1 :]):
        try:
            read = Part.parse(one, 4, 9)
        except MalformedError:
            continue
        assert read.encode() == one
