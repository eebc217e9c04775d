"""The capture lottery: two committed hash chains, and the draw that both parties can recompute.

Rules: each side commits to the head of its chain before the first round; one value belongs to each
round, revealed in order; a value has exactly one predecessor, so nobody can choose. The draw of a
round depends on nothing else: not on the screen, the input, the session or earlier draws.
docs/spec/schedule.md
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from workseal_protocol.digest import DIGEST_BYTES, Digest, Tag, sha256
from workseal_protocol.errors import VerificationError

# Twelve days of one-second rounds: no honest chain is longer, and no check costs more hashes.
MAX_CHAIN = 1 << 20
MAX_ROUND = 2**53 - 1
# Capture rates are numerators over this.
RATE_SCALE = 1 << 16
ENGAGEMENT_BYTES = 16


class ChainSide(Enum):
    """Say whose hash chain; the value is the tag of its steps."""

    VERIFIER = Tag.VERIFIER_CHAIN
    AGENT = Tag.AGENT_CHAIN


def build_chain(side: ChainSide, last: bytes, count: int) -> tuple[bytes, ...]:
    """Return the values of `count` consecutive rounds, first round first, from the random last one.

    The head to commit to is `chain_head` of the first value.
    """
    _require_value(last)
    if not 1 <= count <= MAX_CHAIN:
        raise ValueError(f"a chain has 1 to {MAX_CHAIN} values")
    # Without calls of ours between: a day of one-second rounds has 86,400 values.
    tag, hashed = bytes(side.value), hashlib.sha256
    values = [last]
    for _ in range(count - 1):
        values.append(hashed(tag + values[-1]).digest())
    return tuple(reversed(values))


def chain_head(side: ChainSide, first: bytes) -> Digest:
    """Return the head of the chain whose first value this is."""
    return Digest(step_back(side, first, 1))


def step_back(side: ChainSide, value: bytes, steps: int) -> bytes:
    """Return the value `steps` rounds earlier."""
    _require_value(value)
    if not 0 <= steps <= MAX_CHAIN:
        raise ValueError(f"a chain has at most {MAX_CHAIN} steps")
    for _ in range(steps):
        value = sha256(side.value, value)
    return value


def verify_value(  # noqa: PLR0913 - one call names the whole claim
    side: ChainSide,
    *,
    head: Digest,
    first_round: int,
    count: int,
    round: int,  # noqa: A002 - the word of the specification
    value: bytes,
    known: tuple[int, bytes] | None = None,
) -> None:
    """Check that the value belongs to the round under the committed head, or `VerificationError`.

    `known` is a round and value that this function has already accepted under the same head; with
    the value of the round before, a check costs one hash.
    """
    if not 1 <= count <= MAX_CHAIN:
        raise VerificationError(f"a chain has 1 to {MAX_CHAIN} values")
    if not first_round <= round < first_round + count:
        raise VerificationError("the round lies outside the committed chain")
    if len(value) != DIGEST_BYTES:
        raise VerificationError("a chain value has 32 bytes")
    if known is None:
        good = step_back(side, value, round - first_round + 1) == head.raw
    else:
        good = _agrees(side, known, round, value)
    if not good:
        raise VerificationError(f"the {side.name.lower()} value is not the committed one")


class CommittedChain(Protocol):
    """Tell of a logged commitment: which rounds of which length, and the head of their chain."""

    @property
    def period_ms(self) -> int:
        """Give the length of a round."""
        ...

    @property
    def first_round(self) -> int:
        """Give the first round."""
        ...

    @property
    def count(self) -> int:
        """Give the number of rounds."""
        ...

    @property
    def head(self) -> Digest:
        """Give the head."""
        ...


def covers(chain: CommittedChain, period_ms: int, number: int) -> bool:
    """Say whether a commitment has a value for a round of this length."""
    first = chain.first_round
    return chain.period_ms == period_ms and first <= number < first + chain.count


def is_committed(
    chains: Iterable[CommittedChain], period_ms: int, number: int, value: bytes
) -> bool | None:
    """Say whether a value is what the verifier committed to for a round; None: nothing covers it.

    Where several commitments cover the round, the value must be that of each: nobody may choose.
    It is hashed back once, past the head of each.
    """
    heads = {
        (number - one.first_round + 1, one.head) for one in chains if covers(one, period_ms, number)
    }
    if not heads:
        return None
    if len(value) != DIGEST_BYTES:
        return False
    back, behind = value, 0
    for steps, head in sorted(heads, key=lambda one: one[0]):
        back, behind = step_back(ChainSide.VERIFIER, back, steps - behind), steps
        if back != head.raw:
            return False
    return True


def was_released(
    chains: Iterable[CommittedChain], period_ms: int, number: int, value: bytes
) -> bool:
    """Say whether a value is what the verifier committed to; what nothing covers is not.

    For whoever has all commitments; who may lack some asks `is_committed`.
    """
    return is_committed(chains, period_ms, number, value) is True


def _agrees(side: ChainSide, known: tuple[int, bytes], number: int, value: bytes) -> bool:
    known_round, known_value = known
    # The round after: nearly always.
    if known_round + 1 == number:
        return sha256(side.value, value) == known_value
    if known_round <= number:
        return step_back(side, value, number - known_round) == known_value
    return step_back(side, known_value, known_round - number) == value


def round_start(round: int, round_ms: int) -> int:  # noqa: A002 - the word of the specification
    """Return when a round begins, in Unix milliseconds."""
    if round_ms < 1:
        raise ValueError("a round lasts at least one millisecond")
    return round * round_ms


def round_at(ms: int, round_ms: int) -> int:
    """Return the round in which a moment (Unix milliseconds) lies."""
    if round_ms < 1:
        raise ValueError("a round lasts at least one millisecond")
    return ms // round_ms


@dataclass(frozen=True, slots=True)
class Draw:
    """Say whether a capture is due in a round, and how far into the round (milliseconds)."""

    due: bool
    offset_ms: int


def draw(
    *,
    agent_value: bytes,
    verifier_value: bytes | None,
    engagement: bytes,
    round: int,  # noqa: A002 - the word of the specification
    rate: int,
    round_ms: int,
) -> Draw:
    """Draw a round; without the verifier's value (offline) under a tag of its own.

    The rate is a numerator over 65,536. The offset is uniform over the round up to a bias below
    `round_ms / 2**64`.
    """
    due, offset_ms = drawn_offset(agent_value, verifier_value, engagement, round, rate, round_ms)
    return Draw(due=due, offset_ms=offset_ms)


def drawn_offset(
    agent_value: bytes,
    verifier_value: bytes | None,
    engagement: bytes,
    round: int,  # noqa: A002 - the word of the specification
    rate: int,
    round_ms: int,
) -> tuple[bool, int]:
    """Draw as `draw` does, into a plain pair."""
    if len(agent_value) != DIGEST_BYTES:
        raise ValueError("a chain value has 32 bytes")
    if len(engagement) != ENGAGEMENT_BYTES:
        raise ValueError("an engagement has 16 bytes")
    if not 0 <= rate <= RATE_SCALE:
        raise ValueError(f"a capture rate lies between 0 and {RATE_SCALE}")
    if not 0 <= round <= MAX_ROUND:
        raise ValueError("a round number does not fit in 53 bits")
    if round_ms < 1:
        raise ValueError("a round lasts at least one millisecond")
    number = round.to_bytes(8)
    if verifier_value is None:
        drawn = sha256(Tag.DRAW_OFFLINE, agent_value, engagement, number)
    elif len(verifier_value) != DIGEST_BYTES:
        raise ValueError("a chain value has 32 bytes")
    else:
        drawn = sha256(Tag.DRAW, verifier_value, agent_value, engagement, number)
    return int.from_bytes(drawn[:2]) < rate, int.from_bytes(drawn[8:16]) % round_ms


def _require_value(value: bytes) -> None:
    if len(value) != DIGEST_BYTES:
        raise ValueError("a chain value has 32 bytes")
