"""What is billed: each day rounded as the terms say, the amount once."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import make_terms
from support.worked import TIMER, millis, plain, total
from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.days import HOUR_MS, DayTotal
from workseal_protocol.terms import RoundingMode, WorkClass

DAY_MS = 24 * HOUR_MS


def days_of(*worked: int, kind: WorkClass = WorkClass.WORKING) -> tuple[DayTotal, ...]:
    return tuple(
        DayTotal(
            date(2026, 3, 2) + timedelta(days=number),
            {one: ms if one is kind else 0 for one in WorkClass},
            0,
        )
        for number, ms in enumerate(worked)
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (RoundingMode.DOWN, 6 * 60_000),
        (RoundingMode.NEAREST, 12 * 60_000),
        (RoundingMode.UP, 18 * 60_000),
    ],
)
def test_each_day_is_rounded_as_the_terms_say(mode: RoundingMode, expected: int) -> None:
    terms = make_terms(rounding_ms=360_000, rounding_mode=mode)
    # 6 min + 2 min 59 s 999 ms, and 3 min: the first is rounded down, the second up, if to nearest.
    billed = billed_of(terms, days_of(539_999, 180_000))
    assert billed.ms == expected


def test_every_day_of_a_month_is_billed() -> None:
    terms = make_terms(**TIMER, rounding_ms=0)
    days = [millis(2026, 3, day, 9) for day in range(1, 32)]
    totals = total(terms, [plain(begin, 1_000) for begin in days])
    assert len(totals.days) == 31
    assert totals.billed.ms == totals.worked_ms == 31_000


def test_the_amount_is_rounded_once_to_the_nearest_minor_unit() -> None:
    terms = make_terms(rate_minor_per_hour=6_500)
    # 0.5 of a minor unit is 276,923.08 ms of 3,600,000 at this rate: 277 ms is just above.
    assert billed_of(terms, days_of(276)) == Billed(276, 0, "EUR")
    assert billed_of(terms, days_of(277)) == Billed(277, 1, "EUR")
    assert billed_of(terms, days_of(HOUR_MS, HOUR_MS // 2)).amount == 9_750


@pytest.mark.parametrize("kind", WorkClass)
def test_each_class_is_worth_what_the_terms_say(kind: WorkClass) -> None:
    worth = {one: 10 * one for one in WorkClass}
    terms = make_terms(worth_percent=worth)
    assert billed_of(terms, days_of(HOUR_MS, kind=kind)).ms == HOUR_MS * 10 * kind // 100


def test_without_rounding_it_is_billed_to_the_millisecond() -> None:
    for mode in RoundingMode:
        terms = make_terms(rounding_ms=0, rounding_mode=mode)
        assert billed_of(terms, days_of(1_234_567, 1)).ms == 1_234_568


@given(st.lists(st.integers(0, DAY_MS), max_size=5), st.integers(0, HOUR_MS))
def test_billing_is_within_one_step_a_day(worked: list[int], step: int) -> None:
    for mode in RoundingMode:
        terms = make_terms(rounding_ms=step, rounding_mode=mode)
        billed = billed_of(terms, days_of(*worked)).ms
        assert abs(billed - sum(worked)) <= max(step, 1) * len(worked)
