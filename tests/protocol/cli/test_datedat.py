"""Nobody else's clock dates a statement far away from here."""

import pytest

from workseal_protocol.cli.acting.datedat import FURTHEST_MS, WRONG_CLOCK_MS, dated_at
from workseal_protocol.cli.problem import CommandError

NOW = 1_800_000_000_000
FAR = 253_000_000_000_000  # the year 9987


def test_the_own_clock_counts_until_it_is_wrong() -> None:
    assert dated_at(NOW, NOW + WRONG_CLOCK_MS) == NOW
    assert dated_at(NOW, NOW + WRONG_CLOCK_MS + 1) == NOW + WRONG_CLOCK_MS + 1
    assert dated_at(NOW, NOW - FURTHEST_MS) == NOW - FURTHEST_MS
    assert dated_at(NOW, NOW, NOW + 2_000) == NOW + 2_000


@pytest.mark.parametrize("told", [NOW + FURTHEST_MS + 1, NOW - FURTHEST_MS - 1, 0, FAR])
def test_a_verifier_dates_nothing_more_than_a_day_away(told: int) -> None:
    with pytest.raises(CommandError, match="more than a day apart") as refused:
        dated_at(NOW, told)
    assert refused.value.code == 1


@pytest.mark.parametrize("least", [NOW + FURTHEST_MS + 1, FAR])
def test_a_case_dates_nothing_more_than_a_day_ahead(least: int) -> None:
    with pytest.raises(CommandError, match="dated more than a day ahead"):
        dated_at(NOW, NOW, least)
