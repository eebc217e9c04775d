from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.cli.workdays import end_of_day, last_day

BERLIN = ZoneInfo("Europe/Berlin")


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("now", "days", "expected"),
    [
        pytest.param(
            ms(2026, 11, 23, 12), 1, date(2026, 11, 24), id="the day itself is not counted"
        ),
        pytest.param(ms(2026, 11, 27, 12), 1, date(2026, 11, 30), id="over a weekend"),
        pytest.param(ms(2026, 11, 28, 12), 1, date(2026, 11, 30), id="asked on a Saturday"),
        pytest.param(ms(2026, 11, 23, 12), 10, date(2026, 12, 7), id="two weeks"),
        pytest.param(ms(2026, 11, 23, 23, 30), 1, date(2026, 11, 25), id="tomorrow in the zone"),
    ],
)
def test_counts_weekdays_of_the_zone(now: int, days: int, expected: date) -> None:
    assert last_day(now, days, BERLIN) == expected


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 100))
def test_never_less_time_than_the_terms_give(now: int, days: int) -> None:
    deadline = end_of_day(last_day(now, days, UTC), UTC)
    assert deadline - now >= days * 86_400_000 - 1


def test_a_day_ends_with_its_last_millisecond_in_its_zone() -> None:
    assert end_of_day(date(2026, 11, 23), BERLIN) == ms(2026, 11, 23, 23) - 1
