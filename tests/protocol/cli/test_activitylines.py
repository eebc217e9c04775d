from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from support.examined import vector
from workseal_protocol.activity import ActivityShare
from workseal_protocol.cli.activitylines import (
    ABOUT,
    MAX_ROWS,
    activity_lines,
    activity_value,
    row_text,
)


@pytest.fixture(scope="module")
def rows() -> tuple[ActivityShare, ...]:
    return vector("valid-labels")[1].activity


def test_says_what_activity_is_worth_and_every_denominator(rows: tuple[ActivityShare, ...]) -> None:
    about, first, _ = activity_lines(rows, UTC)
    assert about == ABOUT
    assert "no time depends on it" in about
    assert first == (
        "  2026-03-02  input in 0 h 00 min 13 s of 0 h 00 min 27.999 s observed,"
        " in 0 h 00 min 44.001 s worked; 0 h 00 min 16.002 s of it not opened;"
        " not told whether synthetic in 0 h 00 min 27.999 s"
    )


def test_no_rate_is_made_of_it(rows: tuple[ActivityShare, ...]) -> None:
    assert not [line for line in activity_lines(rows, UTC) if "%" in line or "score" in line]


def test_a_stretch_of_which_nothing_was_opened_has_no_input_to_tell_of() -> None:
    row = next(row for row in vector("valid")[1].activity if not row.opened_ms)
    assert row_text(row, ZoneInfo("Europe/Berlin")) == (
        "2026-03-02 10:01:09.000 +01:00 to 2026-03-02 10:02:03.000 +01:00"
        "  0 h 00 min 54.000 s worked, nothing of it opened"
    )


def test_long_records_end_with_how_many_more(rows: tuple[ActivityShare, ...]) -> None:
    *_, last = activity_lines((rows[0],) * (MAX_ROWS + 2), UTC)
    assert last == "  and 2 more rows; --json has every one"


def test_a_program_gets_every_figure(rows: tuple[ActivityShare, ...]) -> None:
    row = replace(rows[0], synthetic_ms=5)
    (value,) = activity_value([row])
    assert value == {
        "day": "2026-03-02", "begin_ms": None, "end_ms": None, "worked_ms": 44_001,
        "opened_ms": 27_999, "observed_ms": 27_999, "input_ms": 13_000, "synthetic_ms": 5,
        "untold_ms": 27_999,
    }  # fmt: skip
    assert "some input synthetic in 0 h 00 min 00.005 s" in row_text(row, UTC)


def test_nothing_opened_is_no_line() -> None:
    assert list(activity_lines((), UTC)) == []
