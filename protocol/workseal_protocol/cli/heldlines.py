"""What a report says of frames that are still held: for a person, and for a program."""

from collections.abc import Iterator
from typing import Any, Final

from workseal_protocol.cli.text import count
from workseal_protocol.possession import HeldFinding
from workseal_protocol.verify import Report

_NAMED: Final = 12  # weeks on a line; `--json` names every one
UNPROVEN: Final = (
    "not proven by it: that ciphertext opens to what was recorded, nor that a frame was whole"
    " before its week was committed to"
)


def held_lines(report: Report) -> Iterator[str]:
    """Write each statement of possession on a line, and what all of them leave open."""
    held = report.possessions
    yield from (_line(one) for one in held.findings)
    if held.missed:
        weeks = ", ".join(map(str, held.missed[:_NAMED]))
        more = f" and {len(held.missed) - _NAMED} more" if len(held.missed) > _NAMED else ""
        yield (
            f"No statement of possession in {_weeks(held.missed)} {weeks}{more}, in which work was"
            " recorded; no hour depends on it"
        )
    if held.findings:
        yield f"  ({UNPROVEN})"


def held_value(report: Report) -> dict[str, Any]:
    """Write them for a program."""
    return {
        "statements": [
            {
                "statement": str(one.digest),
                "week": one.week,
                "committed": one.record.count,
                "drawn": len(one.record.answers),
                "shown": one.shown,
                "lost": one.lost,
                "why": one.why,
            }
            for one in report.possessions.findings
        ],
        "weeks_without": list(report.possessions.missed),
    }


def _line(one: HeldFinding) -> str:
    head = f"Possession {str(one.digest)[:12]}  week {one.week}"
    if one.why:
        return f"{head}: DOES NOT HOLD: {one.why}; no hour depends on it"
    drawn = one.shown + one.lost
    said = f"{one.shown} of {drawn} drawn frames shown as ciphertext" if drawn else "none drawn"
    lost = f", {one.lost} LOST" if one.lost else ""
    return f"{head}: {said}{lost}; {count(one.record.count, 'frame')} committed to"


def _weeks(missed: tuple[int, ...]) -> str:
    return "week" if len(missed) == 1 else "weeks"
