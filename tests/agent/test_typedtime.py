from zoneinfo import ZoneInfo

import pytest

from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.typedtime import read_instant

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-11-23T14:00", 1_795_438_800_000, id="in the zone"),
        pytest.param("2026-11-23 14:00:07", 1_795_438_807_000, id="with a space, to the second"),
        pytest.param("2026-11-23T14:00Z", 1_795_442_400_000, id="in UTC"),
        pytest.param("2026-11-23T14:00-05:30", 1_795_462_200_000, id="with its own distance"),
        pytest.param("2026-10-25T02:30+02:00", 1_792_888_200_000, id="the first of two"),
        pytest.param("2026-10-25T02:30+01:00", 1_792_891_800_000, id="the second of two"),
    ],
)
def test_a_time_is_one_moment(text: str, expected: int) -> None:
    assert read_instant(text, BERLIN) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("noon", "written like 2026-11-23T14:00", id="a word"),
        pytest.param("20261123", "this one is '20261123'", id="no time of day"),
        pytest.param("20261123T1400", "written like", id="run together"),
        pytest.param("2026-W48-1T14:00", "written like", id="a week"),
        pytest.param("2026-11-23", "written like", id="a day alone"),
        pytest.param("2026-11-23T14", "written like", id="an hour alone"),
        pytest.param("2026-11-23T14:00+01", "written like", id="a distance without minutes"),
        pytest.param("2026-11-23T25:00", "written like", id="no such hour"),
        pytest.param("2026-02-30T14:00", "written like", id="no such day"),
        pytest.param("\u0662\u0660\u0662\u0666-11-23T14:00", "written like", id="other digits"),
        pytest.param("x" * 5_000, "'x{40}'$", id="without end"),
        pytest.param("2026-03-29T02:30", "no 2026-03-29T02:30:00 in Europe/Berlin", id="skipped"),
        pytest.param("2026-10-25T02:30", r"02:30:00\+02:00 or .*02:30:00\+01:00", id="twice"),
        pytest.param("1969-12-31T14:00", "between 1970 and now", id="too early"),
        pytest.param("0001-01-01T00:00", "between 1970 and now", id="before all calendars"),
    ],
)
def test_refuses_what_is_no_moment(text: str, why: str) -> None:
    with pytest.raises(UsageProblem, match=why):
        read_instant(text, BERLIN)
