"""What a program that knows docs/spec alone says of bundles, and a report in the same form."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).parents[1] / "oracles" / "spec_totals.py"
_CLASSES = ("working", "off-screen", "sealed", "late-declared")
_ACTIVITY = ("worked_ms", "opened_ms", "observed_ms", "input_ms", "synthetic_ms", "untold_ms")


def spec_says(bundles: Sequence[Path]) -> list[dict[str, Any]]:
    """Run the program, which imports nothing of ours."""
    command = [sys.executable, "-I", str(PROGRAM), *map(str, bundles)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def in_its_form(told: Mapping[str, Any]) -> dict[str, Any]:
    """Write a report's value, of Python or of the page, as that program does."""
    totals, labels = told["totals"], told["labels"]
    days = {one["day"]: _classes(one["worked_ms"]) for one in totals["days"]}
    return {
        "days": days,
        "billed_days": {one["day"]: _billed(one) for one in totals["days"]},
        "billed_weeks": {one["week"]: _billed(one) for one in totals["weeks"]},
        "accepted": {one["timesheet"]: _accepted(one) for one in told["timesheets"]},
        "classes": [*_classes(totals["by_state"] | {"late-declared": totals["late_declared_ms"]})],
        "billed": [totals["billed"]["ms"], totals["billed"]["amount_minor"]],
        "frames": totals["frames"],
        "withdrawn": totals["withdrawn"],
        "activity": {
            one["day"] or str(one["begin_ms"]): [one[name] for name in _ACTIVITY]
            for one in told["activity"]
        },
        "labels": [_named(labels["projects"], "project"), _named(labels["tags"], "tag")],
        "timesheets": {
            one["timesheet"]: [_named(one["projects"], "project"), _named(one["tags"], "tag")]
            for one in told["timesheets"]
            if one["projects"]
        },
    }


def _billed(row: Mapping[str, Any]) -> list[int]:
    return [row["billed_ms"], row["amount_minor"]]


def _accepted(sheet: Mapping[str, Any]) -> list[Any]:
    elsewhere = {
        one["timesheet"]: [one["days"], one["counting"]] for one in sheet["accepted_elsewhere"]
    }
    return [elsewhere, sheet["left_behind"], sheet["accepted_again"]]


def _classes(worked: Mapping[str, int]) -> list[int]:
    return [worked[name] for name in _CLASSES]


def _named(rows: Iterable[Mapping[str, Any]], what: str) -> dict[str, list[int]]:
    return {
        "no label" if one[what] is None else one[what]: _classes(one["worked_ms"]) for one in rows
    }
