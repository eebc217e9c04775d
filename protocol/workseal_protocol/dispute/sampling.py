"""The sample: which frames are looked at, by a draw that nobody steers. docs/spec/sampling.md.

Rules: the frames are frozen before anybody can know the draw; each of three parties mixes in a
secret that it has committed to; the last input is a value of the beacon that was still to come when
the secrets were out, so whoever keeps a secret back learns nothing by it. One case, one draw.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from workseal_protocol.digest import DIGEST_BYTES, Digest, Tag, sha256
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_at
from workseal_protocol.merkle import leaf_hash, root_of
from workseal_protocol.records import Freeze, Holding, Stratum

HOUR_MS: Final = 3_600_000
# From the ruling on, secrets are taken for this long, and the beacon draws so much later.
REVEAL_MS: Final = 20 * HOUR_MS
WAIT_MS: Final = 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class FrozenFrame:
    """Name one frame of the disputed hours; frames of one day keep the order of the chain."""

    holding: Holding
    day: int
    segment: Digest
    frame: Digest

    def entry(self) -> bytes:
        """Return what the tree of a freeze hashes."""
        place = bytes((self.holding,)) + self.day.to_bytes(4, "big")
        return place + self.segment.raw + self.frame.raw


def canonical(frames: Iterable[FrozenFrame]) -> tuple[FrozenFrame, ...]:
    """Order frames that come in the order of the chain: kept before withdrawn, day by day."""
    return tuple(sorted(frames, key=lambda one: (one.holding, one.day)))


def strata_of(frames: Iterable[FrozenFrame]) -> tuple[Stratum, ...]:
    """Count frames in their canonical order, stratum by stratum; nothing is hashed."""
    return tuple(
        Stratum(holding, day, sum(1 for _ in group))
        for (holding, day), group in groupby(frames, key=lambda one: (one.holding, one.day))
    )


def freeze_frames(frames: Sequence[FrozenFrame]) -> Freeze:
    """Freeze frames in their canonical order; `ValueError` for none or for another order."""
    root = Digest(root_of([leaf_hash(one.entry()) for one in frames]))
    return Freeze(root, strata_of(frames))


def secret_commitment(case: Digest, role: Role, secret: bytes) -> bytes:
    """Commit to a secret of one party in one case."""
    if len(secret) != DIGEST_BYTES:
        raise ValueError("a secret has 32 bytes")
    return sha256(Tag.SECRET, case.raw, bytes((role,)), secret)


def sample_round(ruled_ms: int, round_ms: int) -> int:
    """Return the round whose value draws: the first that begins after secrets and wait."""
    return round_at(ruled_ms + REVEAL_MS + WAIT_MS, round_ms) + 1


def sample_seed(
    *,
    case: Digest,
    freeze: Freeze,
    number: int,
    value: bytes,
    secrets: Mapping[Role, bytes],
) -> bytes:
    """Return the seed of the draw; `number` and `value` are those of the beacon's round."""
    parts = [bytes((role,)) + secrets[role] for role in sorted(secrets)]
    return sha256(
        Tag.SAMPLE,
        case.raw,
        freeze.root.raw,
        freeze.count.to_bytes(8, "big"),
        number.to_bytes(8, "big"),
        value,
        bytes((len(parts),)),
        *parts,
    )


def shares_of(counts: Sequence[int], size: int) -> tuple[tuple[int, int], ...]:
    """Divide a sample in proportion: whole parts and remainders, these of the sum of the counts."""
    total = sum(counts)
    if not 0 <= size <= total:
        raise ValueError(f"a sample of {total} frames has at most {total}, not {size}")
    return tuple(divmod(size * count, total) for count in counts)


def allocate(seed: bytes, counts: Sequence[int], size: int) -> tuple[int, ...]:
    """Divide a sample over strata: to each its whole part, and what is left by lot.

    A stratum has one more with the chance that its remainder is, so that every frame is drawn with
    the same chance, and nobody can reckon which days are left out.
    """
    shares = shares_of(counts, size)
    more = _one_more(seed, [rest for _, rest in shares], sum(counts))
    return tuple(whole + (place in more) for place, (whole, _) in enumerate(shares))


def _one_more(seed: bytes, remainders: Sequence[int], total: int) -> frozenset[int]:
    """Draw the strata that have one more, each with the chance remainder / total.

    Two at a time draw which of them carries on for both: dependent rounding, whose outcomes are
    negatively correlated (Srinivasan 2001, "Distributions on level-sets"). Their sum is a multiple
    of the total, so the last one leaves nothing.
    """
    chosen: set[int] = set()
    bearer = weight = 0
    for place, remainder in enumerate(remainders):
        if not weight or not remainder:
            bearer, weight = (place, remainder) if remainder else (bearer, weight)
            continue
        both = weight + remainder
        if both < total:
            kept = _lot(seed, place, both) < weight
            bearer, weight = (bearer if kept else place), both
        else:
            kept = _lot(seed, place, 2 * total - both) < total - remainder
            chosen.add(bearer if kept else place)
            bearer, weight = (place if kept else bearer), both - total
    return frozenset(chosen)


def _lot(seed: bytes, place: int, below: int) -> int:
    """Draw a number from 0 to below - 1: the hash as a binary fraction, so many times."""
    lot = sha256(Tag.SHARE, seed, place.to_bytes(8, "big"))
    return int.from_bytes(lot, "big") * below >> 8 * DIGEST_BYTES


def draw_places(seed: bytes, strata: Sequence[Stratum], size: int) -> tuple[int, ...]:
    """Return the drawn places in the canonical order, ascending."""
    drawn: list[int] = []
    begin = 0
    shares = allocate(seed, [one.count for one in strata], size)
    for stratum, wanted in zip(strata, shares, strict=True):
        places = range(begin, begin + stratum.count)
        drawn += sorted(places, key=lambda place: _place_hash(seed, place))[:wanted]
        begin += stratum.count
    return tuple(sorted(drawn))


def _place_hash(seed: bytes, place: int) -> bytes:
    return sha256(Tag.PLACE, seed, place.to_bytes(8, "big"))
