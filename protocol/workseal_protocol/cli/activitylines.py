"""Opened activity of a report, for a person and for a program: beside the true time, never a rate.

Rules: every line has its denominator, and says what was not opened. The rows are those that the
terms let the client see.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any, Final

from workseal_protocol.activity import ActivityShare
from workseal_protocol.cli.text import count, duration, exact, instant_in

ABOUT: Final = (
    "Activity, as far as the freelancer opened it. It corroborates; no time depends on it:"
    " thinking looks like absence, and a script looks like work."
)
MAX_ROWS: Final = 40  # on a screen; `--json` has every one


def activity_lines(rows: Sequence[ActivityShare], zone: tzinfo) -> Iterator[str]:
    """Write activity for a person, in a zone's time; nothing if none was opened."""
    if not rows:
        return
    yield ABOUT
    for row in rows[:MAX_ROWS]:
        yield f"  {row_text(row, zone)}"
    if len(rows) > MAX_ROWS:
        yield f"  and {count(len(rows) - MAX_ROWS, 'more row')}; --json has every one"


def row_text(row: ActivityShare, zone: tzinfo) -> str:
    """Write one row: when, and its figures."""
    return f"{_place(row, zone)}  {_figures(row)}"


def _figures(row: ActivityShare) -> str:
    if not row.opened_ms:
        return f"{exact(row.worked_ms)} worked, nothing of it opened"
    observed, worked = exact(row.observed_ms), exact(row.worked_ms)
    parts = [f"input in {duration(row.input_ms)} of {observed} observed, in {worked} worked"]
    closed = row.worked_ms - row.opened_ms
    if closed:
        parts.append(f"{exact(closed)} of it not opened")
    if row.synthetic_ms:
        parts.append(f"some input synthetic in {exact(row.synthetic_ms)}")
    if row.untold_ms:
        parts.append(f"not told whether synthetic in {exact(row.untold_ms)}")
    return "; ".join(parts)


def activity_value(rows: Sequence[ActivityShare]) -> list[dict[str, Any]]:
    """Write activity for a program."""
    return [
        {
            "day": None if row.day is None else row.day.isoformat(),
            "begin_ms": row.begin,
            "end_ms": row.end,
            "worked_ms": row.worked_ms,
            "opened_ms": row.opened_ms,
            "observed_ms": row.observed_ms,
            "input_ms": row.input_ms,
            "synthetic_ms": row.synthetic_ms,
            "untold_ms": row.untold_ms,
        }
        for row in rows
    ]


def _place(row: ActivityShare, zone: tzinfo) -> str:
    if row.begin is None or row.end is None:
        return str(row.day)
    return f"{instant_in(row.begin, zone)} to {instant_in(row.end, zone)}"
