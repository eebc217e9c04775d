"""What a sample can miss, in words for lay people beside the exact figure.

Rule: a rounded figure is never smaller than the exact one, which stands beside it.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final

from workseal_protocol.dispute import shares_of, worst_miss
from workseal_protocol.records import Holding, Stratum

# How many percent of false frames the sentence about a sample asks about.
QUESTION: Final = 20
_TEN_THOUSAND: Final = 10_000
# Above it a sample that shows nothing false says little of the rest: a fifth.
_LITTLE: Final = _TEN_THOUSAND // 5


def plain_odds(strata: Sequence[Stratum], size: int) -> tuple[str, ...]:
    """Say what a sample can miss so that nobody has to calculate; nothing where it shows none."""
    total = sum(one.count for one in strata if one.holding is Holding.KEPT)
    if not total:
        return ()
    false, missed = _missed(tuple(strata), size)
    are, them = ("is", "it") if false == 1 else ("are", "them all")
    told = f"In plain words: if {false} {are} false, a look at all drawn ones would"
    if not missed:
        return (f"{told} not miss {them}.",)
    told = f"{told} miss {them} {often(missed)} ({missed:,} in 10,000)."
    if missed <= _LITTLE:
        return (told,)
    return (told, "So few frames tell little: that none of them is false says little of the rest.")


def often(in_ten_thousand: int) -> str:
    """Write a chance, given in ten thousandths, so that it is never too small."""
    if 2 * in_ten_thousand <= _TEN_THOUSAND:
        times = _TEN_THOUSAND // in_ten_thousand
        return "up to one time in two" if times == 2 else f"up to once in {times:,} times"
    tenths = ceil(Fraction(in_ten_thousand, _TEN_THOUSAND // 10))
    if tenths == 6:
        return "more than one time in two"
    return "nine times in ten or more" if tenths == 10 else f"up to {tenths} times in ten"


# At the most frames it takes half a second, and a page is looked at often.
@lru_cache(maxsize=256)
def _missed(strata: tuple[Stratum, ...], size: int) -> tuple[int, int]:
    """Give how many false frames `meaning` asks about, and how often it says they are missed."""
    shares = shares_of([one.count for one in strata], size)
    frozen = sum(one.count for one in strata)
    kept = [
        (one.count, whole + Fraction(rest, frozen))
        for one, (whole, rest) in zip(strata, shares, strict=True)
        if one.holding is Holding.KEPT
    ]
    total = sum(frames for frames, _ in kept)
    false = max((2 * total * QUESTION + 100) // 200, 1)
    return false, ceil(worst_miss(kept, false) * _TEN_THOUSAND)
