from zoneinfo import ZoneInfo

import pytest

from workseal_protocol.cli.text import (
    MAX_ERROR,
    bounded,
    count,
    duration,
    exact,
    instant,
    instant_in,
    plain,
)


def test_results_are_never_cut_and_errors_are() -> None:
    assert plain("x" * 10_000) == "x" * 10_000
    assert len(bounded("x" * 10_000)) == MAX_ERROR + 1
    assert bounded("\n" * MAX_ERROR) == "\\n" * MAX_ERROR


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (0, "0 h 00 min 00 s"),
        (999, "0 h 00 min 00 s"),
        (61_000, "0 h 01 min 01 s"),
        (3_599_999, "0 h 59 min 59 s"),
        (360_000_000, "100 h 00 min 00 s"),
    ],
)
def test_durations_are_never_rounded_up(ms: int, shown: str) -> None:
    assert duration(ms) == shown


def test_exact_durations_have_all_digits() -> None:
    assert exact(61_007) == "0 h 01 min 01.007 s"
    assert exact(0) == "0 h 00 min 00.000 s"


def test_instants_are_utc_to_the_millisecond() -> None:
    assert instant(1_795_424_400_007) == "2026-11-23 09:00:00.007Z"


def test_an_instant_beyond_the_calendar_is_still_told() -> None:
    assert instant(2**53 - 1) == f"{2**53 - 1} ms after 1970"
    assert instant_in(2**53 - 1, ZoneInfo("Asia/Tokyo")) == f"{2**53 - 1} ms after 1970"


@pytest.mark.parametrize(
    ("ms", "zone", "shown"),
    [
        # The hour that is told twice, told apart by its offset.
        (1_792_888_200_007, "Europe/Berlin", "2026-10-25 02:30:00.007 +02:00"),
        (1_792_891_800_007, "Europe/Berlin", "2026-10-25 02:30:00.007 +01:00"),
        (1_795_424_400_000, "America/New_York", "2026-11-23 04:00:00.000 -05:00"),
        (1_795_424_400_000, "Asia/Kolkata", "2026-11-23 14:30:00.000 +05:30"),
        (0, "Africa/Monrovia", "1969-12-31 23:15:30.000 -00:44:30"),
    ],
)
def test_a_zones_time_has_the_offset_of_its_moment(ms: int, zone: str, shown: str) -> None:
    assert instant_in(ms, ZoneInfo(zone)) == shown


def test_counts_have_their_noun() -> None:
    assert count(1, "entry", "entries") == "1 entry"
    assert count(0, "frame") == "0 frames"
