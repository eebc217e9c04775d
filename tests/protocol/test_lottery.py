import hashlib
import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol import lottery
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.lottery import (
    MAX_CHAIN,
    ChainSide,
    Draw,
    build_chain,
    chain_head,
    draw,
    round_at,
    round_start,
    step_back,
    verify_value,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "frames" / "lottery.json"
ROUNDS = 20_000
RATE = 65_536 // 20
ROUND_MS = 30_000
ENGAGEMENT = bytes(range(16))

sides = st.sampled_from(ChainSide)
values = st.binary(min_size=32, max_size=32)
counts = st.integers(1, 40)


def chain_of(side: ChainSide, name: bytes, count: int) -> tuple[tuple[bytes, ...], Digest]:
    chain = build_chain(side, hashlib.sha256(name).digest(), count)
    return chain, chain_head(side, chain[0])


def draws(agent: bytes, verifier: bytes | None, first: int = 0) -> list[Draw]:
    """Draw all rounds, with values of chains named by their last ones."""
    agent_chain, _ = chain_of(ChainSide.AGENT, agent, ROUNDS)
    verifier_chain = (
        chain_of(ChainSide.VERIFIER, verifier, ROUNDS)[0] if verifier is not None else None
    )
    return [
        draw(
            agent_value=agent_chain[number],
            verifier_value=None if verifier_chain is None else verifier_chain[number],
            engagement=ENGAGEMENT,
            round=first + number,
            rate=RATE,
            round_ms=ROUND_MS,
        )
        for number in range(ROUNDS)
    ]


# --- chains ------------------------------------------------------------------


@given(sides, values, counts)
def test_each_value_is_the_hash_of_the_next(side: ChainSide, last: bytes, count: int) -> None:
    chain = build_chain(side, last, count)
    tag = b"workseal/v/v1" if side is ChainSide.VERIFIER else b"workseal/a/v1"
    assert len(chain) == count
    assert chain[-1] == last
    for earlier, later in pairwise(chain):
        assert earlier == hashlib.sha256(tag + later).digest()
    assert chain_head(side, chain[0]).raw == hashlib.sha256(tag + chain[0]).digest()


@given(sides, counts, st.data())
def test_accepts_every_value_of_a_chain(side: ChainSide, count: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, 2**40))
    chain, head = chain_of(side, b"x", count)
    at, known = data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, count - 1))
    for memo in (None, (first + known, chain[known])):
        verify_value(
            side,
            head=head,
            first_round=first,
            count=count,
            round=first + at,
            value=chain[at],
            known=memo,
        )


@given(counts, st.data())
def test_refuses_any_other_value(count: int, data: st.DataObject) -> None:
    side = data.draw(sides)
    chain, head = chain_of(side, b"x", count)
    at, known = data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, count - 1))
    changed = bytearray(chain[at])
    changed[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
    wrong = [bytes(changed), hashlib.sha256(b"grind").digest()]
    wrong += [value for number, value in enumerate(chain) if number != at]
    for value in wrong:
        for memo in (None, (5 + known, chain[known])):
            with pytest.raises(VerificationError):
                verify_value(
                    side,
                    head=head,
                    first_round=5,
                    count=count,
                    round=5 + at,
                    value=value,
                    known=memo,
                )


@pytest.mark.parametrize(
    ("number", "count", "value"),
    [
        pytest.param(9, 10, None, id="round before the chain"),
        pytest.param(20, 10, None, id="round after the chain"),
        pytest.param(10, 0, None, id="empty chain"),
        pytest.param(10, MAX_CHAIN + 1, None, id="chain that would cost too many hashes"),
        pytest.param(10, 10, bytes(31), id="short value"),
        pytest.param(10, 10, bytes(33), id="long value"),
    ],
)
def test_refuses_outside_the_committed_chain(number: int, count: int, value: bytes | None) -> None:
    chain, head = chain_of(ChainSide.AGENT, b"x", 10)
    with pytest.raises(VerificationError):
        verify_value(
            ChainSide.AGENT,
            head=head,
            first_round=10,
            count=count,
            round=number,
            value=value if value is not None else chain[0],
        )


def test_refuses_rounds_that_were_not_committed_although_the_hashes_fit() -> None:
    # The owner of a chain knows the head itself and may have made more values than it committed.
    chain, head = chain_of(ChainSide.AGENT, b"x", 20)
    for number, value in ((9, head.raw), (20, chain[10])):
        for known in (None, (10, chain[0])):
            with pytest.raises(VerificationError, match="outside"):
                verify_value(
                    ChainSide.AGENT,
                    head=head,
                    first_round=10,
                    count=10,
                    round=number,
                    value=value,
                    known=known,
                )


def test_refuses_the_value_of_the_other_side() -> None:
    chain, head = chain_of(ChainSide.AGENT, b"x", 10)
    with pytest.raises(VerificationError):
        verify_value(
            ChainSide.VERIFIER, head=head, first_round=0, count=10, round=3, value=chain[3]
        )


def test_a_run_costs_one_hash_for_each_value(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 500
    chain, head = chain_of(ChainSide.VERIFIER, b"x", count)
    hashes = 0

    def counting(*parts: bytes) -> bytes:
        nonlocal hashes
        hashes += 1
        return hashlib.sha256(b"".join(parts)).digest()

    monkeypatch.setattr(lottery, "sha256", counting)
    known = None
    for number, value in enumerate(chain):
        verify_value(
            ChainSide.VERIFIER,
            head=head,
            first_round=0,
            count=count,
            round=number,
            value=value,
            known=known,
        )
        known = (number, value)
    assert hashes == count


@pytest.mark.parametrize("count", [0, -1, MAX_CHAIN + 1])
def test_refuses_to_build_outside_the_limits(count: int) -> None:
    with pytest.raises(ValueError, match="values"):
        build_chain(ChainSide.AGENT, bytes(32), count)


def test_refuses_values_of_another_length() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        build_chain(ChainSide.AGENT, bytes(31), 2)
    with pytest.raises(ValueError, match="32 bytes"):
        step_back(ChainSide.AGENT, b"", 1)
    with pytest.raises(ValueError, match="steps"):
        step_back(ChainSide.AGENT, bytes(32), -1)


# --- rounds ------------------------------------------------------------------


@given(st.integers(0, 2**50), st.integers(1, 600_000))
def test_a_moment_lies_in_its_round(ms: int, round_ms: int) -> None:
    number = round_at(ms, round_ms)
    assert round_start(number, round_ms) <= ms < round_start(number + 1, round_ms)


def test_refuses_rounds_without_length() -> None:
    with pytest.raises(ValueError, match="millisecond"):
        round_start(1, 0)
    with pytest.raises(ValueError, match="millisecond"):
        round_at(1, 0)


# --- the draw ----------------------------------------------------------------


def test_rate_holds_over_many_rounds() -> None:
    expected = ROUNDS * RATE / 65_536
    sigma = math.sqrt(expected * (1 - RATE / 65_536))
    for verifier in (b"verifier", None):
        due = sum(one.due for one in draws(b"agent", verifier))
        assert abs(due - expected) < 5 * sigma


def test_memoryless_after_a_capture_and_after_a_long_gap() -> None:
    outcomes = [one.due for one in draws(b"agent", b"verifier")]
    after_capture = [later for earlier, later in pairwise(outcomes) if earlier]
    after_gap = [
        outcomes[number] for number in range(20, ROUNDS) if not any(outcomes[number - 20 : number])
    ]
    for sample in (after_capture, after_gap):
        rate = RATE / 65_536
        sigma = math.sqrt(len(sample) * rate * (1 - rate))
        assert len(sample) > 500
        assert abs(sum(sample) - len(sample) * rate) < 5 * sigma


def test_offsets_are_spread_over_the_round_whether_due_or_not() -> None:
    every = draws(b"agent", b"verifier")
    for sample in (every, [one for one in every if one.due]):
        offsets = [one.offset_ms for one in sample]
        assert min(offsets) >= 0
        assert max(offsets) < ROUND_MS
        sigma = ROUND_MS / math.sqrt(12 * len(offsets))
        assert abs(sum(offsets) / len(offsets) - ROUND_MS / 2) < 5 * sigma


def same_due(first: list[Draw], second: list[Draw]) -> int:
    return sum(a.due and b.due for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("agent", "verifier"),
    [
        pytest.param(b"another", b"verifier", id="agent"),
        pytest.param(b"agent", b"another", id="verifier"),
        pytest.param(b"agent", None, id="offline"),
    ],
)
def test_neither_side_knows_the_schedule_alone(agent: bytes, verifier: bytes | None) -> None:
    # With one side's values and any others for the rest, the schedule agrees only by chance.
    actual = draws(b"agent", b"verifier")
    guessed = draws(agent, verifier)
    chance = ROUNDS * (RATE / 65_536) ** 2
    assert abs(same_due(actual, guessed) - chance) < 5 * math.sqrt(chance)
    assert same_due(actual, actual) > 10 * chance


def test_every_input_changes_the_draw() -> None:
    base: dict[str, object] = {
        "agent_value": bytes(32),
        "verifier_value": bytes(32),
        "engagement": bytes(16),
        "round": 1,
    }
    changes: list[dict[str, object]] = [
        {"agent_value": b"\x01" * 32},
        {"verifier_value": b"\x01" * 32},
        {"verifier_value": None},
        {"engagement": b"\x01" * 16},
        {"round": 2},
    ]
    offsets = {
        draw(**{**base, **change}, rate=RATE, round_ms=2**40).offset_ms  # type: ignore[arg-type]
        for change in (base, *changes)
    }
    assert len(offsets) == 1 + len(changes)


@given(values, st.none() | values, st.integers(0, 2**53 - 1))
def test_rate_zero_never_captures_and_full_rate_always(
    agent: bytes, verifier: bytes | None, number: int
) -> None:
    for rate, due in ((0, False), (65_536, True)):
        drawn = draw(
            agent_value=agent,
            verifier_value=verifier,
            engagement=ENGAGEMENT,
            round=number,
            rate=rate,
            round_ms=ROUND_MS,
        )
        assert drawn.due is due


def test_due_is_strictly_below_the_rate() -> None:
    drawn = hashlib.sha256(
        b"workseal/cap/v1" + bytes(32) + bytes(32) + ENGAGEMENT + (5).to_bytes(8, "big")
    ).digest()
    border = int.from_bytes(drawn[:2], "big")
    for rate, due in ((border, False), (border + 1, True)):
        assert draw(
            agent_value=bytes(32),
            verifier_value=bytes(32),
            engagement=ENGAGEMENT,
            round=5,
            rate=rate,
            round_ms=ROUND_MS,
        ) == Draw(due, int.from_bytes(drawn[8:16], "big") % ROUND_MS)


@pytest.mark.parametrize(
    "change",
    [
        {"agent_value": bytes(31)},
        {"verifier_value": bytes(33)},
        {"engagement": bytes(15)},
        {"round": -1},
        {"round": 2**53},
        {"rate": -1},
        {"rate": 65_537},
        {"round_ms": 0},
    ],
)
def test_refuses_to_draw_outside_the_form(change: dict[str, object]) -> None:
    good: dict[str, object] = {
        "agent_value": bytes(32),
        "verifier_value": None,
        "engagement": bytes(16),
        "round": 0,
        "rate": RATE,
        "round_ms": ROUND_MS,
    }
    draw(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"has|lies|fit|lasts"):
        draw(**{**good, **change})  # type: ignore[arg-type]


# --- vectors -----------------------------------------------------------------


def test_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())
    assert {vector["side"] for vector in vectors["chains"]} == {"VERIFIER", "AGENT"}
    for vector in vectors["chains"]:
        side = ChainSide[vector["side"]]
        chain = build_chain(side, bytes.fromhex(vector["last"]), vector["count"])
        assert [value.hex() for value in chain] == vector["values"]
        assert str(chain_head(side, chain[0])) == vector["head"]
    assert {vector["due"] for vector in vectors["draws"]} == {True, False}
    for vector in vectors["draws"]:
        verifier = vector["verifier_value"]
        drawn = draw(
            agent_value=bytes.fromhex(vector["agent_value"]),
            verifier_value=None if verifier is None else bytes.fromhex(verifier),
            engagement=bytes.fromhex(vector["engagement"]),
            round=vector["round"],
            rate=vector["rate"],
            round_ms=vector["round_ms"],
        )
        assert drawn == Draw(vector["due"], vector["offset_ms"])
