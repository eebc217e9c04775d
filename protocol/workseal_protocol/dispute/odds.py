"""What the size of a sample means, in exact numbers: integers and fractions, no rounding but one.

Rule: the figures hold for the worst way in which false frames can lie among the strata, and for
frames that can still be shown; withdrawn ones are counted beside.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import comb

from workseal_protocol.dispute.sampling import allocate
from workseal_protocol.records import Holding, Stratum


def miss_of(total: int, false: int, drawn: int) -> Fraction:
    """Return the chance that none of the drawn frames is false: C(N-b, n) / C(N, n)."""
    return Fraction(comb(total - false, drawn), comb(total, drawn))


def worst_miss(strata: Sequence[tuple[int, int]], false: int) -> Fraction:
    """Return the greatest chance to miss all of `false` frames, wherever they lie.

    `strata` are pairs of frames and drawn frames. One more false frame multiplies the chance of
    its stratum by (N-b-n)/(N-b), which falls with b: the largest factor first is the worst.
    """
    if not 0 <= false <= sum(total for total, _ in strata):
        raise ValueError("more false frames than frames")
    placed = [0] * len(strata)
    miss = Fraction(1)
    for _ in range(false):
        factors = [
            Fraction(max(total - put - drawn, 0), total - put) if total > put else Fraction(-1)
            for (total, drawn), put in zip(strata, placed, strict=True)
        ]
        worst = max(range(len(factors)), key=factors.__getitem__)
        miss *= factors[worst]
        placed[worst] += 1
    return miss


def least_sample(total: int, false: int, chance: Fraction) -> int:
    """Return the smallest sample of one stratum that meets a false frame with at least a chance."""
    if not 1 <= false <= total or not 0 <= chance <= 1:
        raise ValueError("expected at least one false frame and a chance of 0 to 1")
    return next(n for n in range(total + 1) if 1 - miss_of(total, false, n) >= chance)


def meaning(strata: Sequence[Stratum], size: int, percent: int) -> str:
    """Say in one sentence what a sample can miss, if so many percent of the frames were false."""
    wanted = allocate([one.count for one in strata], size)
    rows = tuple(zip(strata, wanted, strict=True))
    kept = [(one.count, drawn) for one, drawn in rows if one.holding is Holding.KEPT]
    total, looked = sum(each for each, _ in kept), sum(each for _, each in kept)
    if not total:
        return f"All {size} drawn frames were withdrawn before: the sample shows nothing."
    false = -(-total * percent // 100)
    ten_thousandths = -(-worst_miss(kept, false) * 10_000 // 1)
    return (
        f"{looked} of {total} frames are looked at. If {false} of them ({percent} %) were false,"
        f" wherever they lie, all of these would be missed at most {ten_thousandths} times in"
        f" 10,000. {size - looked} further drawn frames were withdrawn before."
    )
