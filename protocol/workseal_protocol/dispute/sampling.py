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


def allocate(counts: Sequence[int], size: int) -> tuple[int, ...]:
    """Divide a sample over strata in proportion; what is left goes to the largest remainders.

    Of equal remainders the earlier stratum has the first.
    """
    total = sum(counts)
    if not 0 <= size <= total:
        raise ValueError(f"a sample of {total} frames has at most {total}, not {size}")
    shares = [divmod(size * count, total) for count in counts]
    order = sorted(range(len(counts)), key=lambda place: (-shares[place][1], place))
    extra = frozenset(order[: size - sum(whole for whole, _ in shares)])
    return tuple(whole + (place in extra) for place, (whole, _) in enumerate(shares))


def draw_places(seed: bytes, strata: Sequence[Stratum], size: int) -> tuple[int, ...]:
    """Return the drawn places in the canonical order, ascending."""
    drawn: list[int] = []
    begin = 0
    for stratum, wanted in zip(strata, allocate([one.count for one in strata], size), strict=True):
        places = range(begin, begin + stratum.count)
        drawn += sorted(places, key=lambda place: _place_hash(seed, place))[:wanted]
        begin += stratum.count
    return tuple(sorted(drawn))


def _place_hash(seed: bytes, place: int) -> bytes:
    return sha256(Tag.PLACE, seed, place.to_bytes(8, "big"))
