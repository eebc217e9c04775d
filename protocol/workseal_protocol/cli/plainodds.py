"""What a sample can miss, in words for lay people beside the exact figure.

Rule: a rounded figure is never smaller than the exact one, which stands beside it.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Final

from workseal_protocol.dispute import missed_of
from workseal_protocol.records import Stratum

# How many percent of false frames the sentence about a sample asks about.
QUESTION: Final = 20
_TEN_THOUSAND: Final = 10_000
# Above it a sample that shows nothing false says little of the rest: a fifth.
_LITTLE: Final = _TEN_THOUSAND // 5


def plain_odds(strata: Sequence[Stratum], size: int) -> tuple[str, ...]:
    """Say what a sample can miss so that nobody has to calculate; nothing where it shows none."""
    asked = missed_of(tuple(strata), size, QUESTION)
    if asked is None:
        return ()
    false, missed = asked.false, asked.times
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
