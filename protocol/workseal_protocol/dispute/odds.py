"""What the size of a sample means, in exact numbers: integers and fractions, no rounding but one.

Rule: the figures hold for the worst way in which false frames can lie among the strata, and for
frames that can still be shown; withdrawn ones are counted beside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from heapq import heapify, heapreplace
from math import ceil, comb, prod

from workseal_protocol.dispute.sampling import shares_of
from workseal_protocol.records import Holding, Stratum


def miss_of(total: int, false: int, drawn: int) -> Fraction:
    """Return the chance that none of the drawn frames is false: C(N-b, n) / C(N, n)."""
    return Fraction(comb(total - false, drawn), comb(total, drawn))


def stratum_miss(frames: int, false: int, share: Fraction) -> Fraction:
    """Return the most that a stratum adds as a factor to the chance that no false frame is drawn.

    `share` is how many are drawn on average: its whole part surely, one more with the chance of
    what is left of it. The factors of several strata may be multiplied, because it makes one more
    in another stratum less likely, never likelier (docs/spec/sampling.md).
    """
    whole = int(share)
    if false > frames - whole:
        return Fraction(0)
    miss = miss_of(frames, false, whole)
    rest = share - whole
    return miss * (1 - rest * Fraction(false, frames - whole)) if rest else miss


def worst_miss(strata: Sequence[tuple[int, Fraction]], false: int) -> Fraction:
    """Return a chance to miss all of `false` frames that no way in which they lie exceeds.

    `strata` are pairs of frames and how many are drawn on average. One more false frame multiplies
    the chance of its stratum by a factor that falls with each: the largest factor first is the
    worst.
    """
    if not 0 <= false <= sum(frames for frames, _ in strata):
        raise ValueError("more false frames than frames")
    placed = [0] * len(strata)
    waiting = [(-_next_factor(*one, 0), place) for place, one in enumerate(strata)]
    heapify(waiting)
    for _ in range(false):
        place = waiting[0][1]
        placed[place] += 1
        heapreplace(waiting, (-_next_factor(*strata[place], placed[place]), place))
    chances = (stratum_miss(n, put, share) for (n, share), put in zip(strata, placed, strict=True))
    return prod(chances, start=Fraction(1))


def _next_factor(frames: int, share: Fraction, false: int) -> Fraction:
    """Return what one more false frame multiplies the chance by; -1 where none fits."""
    whole = int(share)
    if false >= frames:
        return Fraction(-1)
    if false >= frames - whole:
        return Fraction(0)
    rest = share - whole
    parts = (frames - whole) * rest.denominator
    return Fraction(
        (frames - false - whole) * (parts - (false + 1) * rest.numerator),
        (frames - false) * (parts - false * rest.numerator),
    )


def least_sample(total: int, false: int, chance: Fraction) -> int:
    """Return the smallest sample of one stratum that meets a false frame with at least a chance."""
    if not 1 <= false <= total or not 0 <= chance <= 1:
        raise ValueError("expected at least one false frame and a chance of 0 to 1")
    return next(n for n in range(total + 1) if 1 - miss_of(total, false, n) >= chance)


def meaning(strata: Sequence[Stratum], size: int, percent: int, places: Sequence[int] = ()) -> str:
    """Say in one sentence what a sample can miss, if so many percent of the frames were false.

    `places` are the drawn ones: they tell how many were withdrawn before the freeze.
    """
    frozen = sum(one.count for one in strata)
    asked = missed_of(tuple(strata), size, percent)
    if asked is None:
        return f"All {frozen} frozen frames were withdrawn before: the sample shows nothing."
    total, false = asked.kept, asked.false
    # The share is that of the number that is said.
    share = (200 * false + total) // (2 * total)
    gone = sum(place >= total for place in places)
    return (
        f"{size} of {frozen} frozen frames are drawn by lot. If {false} of the {total} that were"
        f" not withdrawn before ({share} %) were false, wherever they lie, and each drawn one is"
        f" looked at, all of these would be missed at most {asked.times} times in 10,000."
        + (f" {gone} of the drawn ones were withdrawn before." if gone else "")
    )


@dataclass(frozen=True, slots=True)
class Missed:
    """Hold that all of `false` of the `kept` frames are missed `times` in 10,000 at most."""

    kept: int
    false: int
    times: int


# Asked each time that somebody looks at a case; at the most frames it takes half a second.
@lru_cache(maxsize=256)
def missed_of(strata: tuple[Stratum, ...], size: int, percent: int) -> Missed | None:
    """Return how often a sample misses all, if so many percent were false; None of no frames.

    The number of false frames is the nearest, one at least; the figure is rounded up.
    """
    shares = shares_of([one.count for one in strata], size)
    frozen = sum(one.count for one in strata)
    kept = [
        (one.count, whole + Fraction(rest, frozen))
        for one, (whole, rest) in zip(strata, shares, strict=True)
        if one.holding is Holding.KEPT
    ]
    total = sum(frames for frames, _ in kept)
    if not total:
        return None
    false = max((2 * total * percent + 100) // 200, 1)
    return Missed(total, false, ceil(worst_miss(kept, false) * 10_000))
