"""What worked time is billed at: a view that the terms declare, beside the true figures.

Rules: integers only; each day is rounded, and the amount once. docs/spec/totals.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workseal_protocol.days import HOUR_MS, DayTotal
from workseal_protocol.terms import RoundingMode, Terms


@dataclass(frozen=True, slots=True)
class Billed:
    """Hold what the terms make of the worked time: rounded milliseconds and minor units."""

    ms: int
    amount: int
    currency: str


def billed_of(terms: Terms, days: Sequence[DayTotal]) -> Billed:
    """Weigh each day by the worth of its classes, round it as the terms say, and add up."""
    grid = terms.rounding_ms or 1
    mode = terms.rounding_mode if terms.rounding_ms else RoundingMode.DOWN
    ms = 0
    for day in days:
        hundredths = sum(
            worked * terms.worth_percent[kind] for kind, worked in day.worked_ms.items()
        )
        ms += _rounded(hundredths, grid * 100, mode) * grid
    amount = _rounded(ms * terms.rate_minor_per_hour, HOUR_MS, RoundingMode.NEAREST)
    return Billed(ms, amount, terms.currency)


def _rounded(value: int, unit: int, mode: RoundingMode) -> int:
    if mode is RoundingMode.DOWN:
        return value // unit
    if mode is RoundingMode.UP:
        return -(-value // unit)
    return (2 * value + unit) // (2 * unit)
