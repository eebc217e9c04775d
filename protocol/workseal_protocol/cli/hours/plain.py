"""Hours as CSV (RFC 4180) and as JSON: for spreadsheets and for programs."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from workseal_protocol.cli.activitylines import activity_value
from workseal_protocol.cli.hours.sheet import CLASSES, Sheet, recorded_of
from workseal_protocol.cli.labellines import labels_value
from workseal_protocol.cli.text import plain
from workseal_protocol.timesheets import SheetFinding

_HOUR_MS = 3_600_000
# Where a formula begins. Where numbers have a comma, spreadsheets cut at semicolons, quotes or not;
# and some take the wide signs for the others.
_FORMULA = re.compile("(^ *|; *)(?=[=+@\uff1d\uff0b\uff0d\uff20-])")


def day_table(sheet: Sheet) -> bytes:
    """Write one row for each day; durations are milliseconds, and `hours` repeats the recorded."""
    names = [f"{name.replace('-', '_')}_ms" for name in CLASSES.values()]
    head = ["day", "zone", *names, "recorded_ms", "offline_ms", "billed_ms", "hours"]
    return _csv(head, _day_rows(sheet))


def span_table(sheet: Sheet) -> bytes:
    """Write one row for each interval with worked time, in the zone's own time."""
    head = ["begin", "end", "state", "grade", "worked_ms", "hours", "reason"]
    return _csv(head, _span_rows(sheet))


def project_table(sheet: Sheet) -> bytes:
    """Write one row for each day and project; an empty project is time without a label."""
    names = [f"{name.replace('-', '_')}_ms" for name in CLASSES.values()]
    head = ["day", "zone", "project", *names, "recorded_ms", "hours"]
    return _csv(head, _project_rows(sheet))


def as_json(sheet: Sheet, *, spans: bool) -> bytes:
    """Write everything as one object; `spans` adds the intervals."""
    billed = sheet.billed
    value: dict[str, Any] = {
        "engagement": sheet.engagement.hex(),
        "zone": str(sheet.zone),
        "first": sheet.first.isoformat(),
        "last": sheet.last.isoformat(),
        "recorded_ms": sheet.recorded_ms,
        "late_declared_ms": sheet.late_ms,
        "by_grade": {str(grade): ms for grade, ms in sheet.by_grade.items()},
        "days": [
            {
                "day": day.day.isoformat(),
                "worked_ms": {name: day.worked_ms[kind] for kind, name in CLASSES.items()},
                "offline_ms": day.offline_ms,
                "billed_ms": sheet.billed_day(day),
            }
            for day in sheet.days
        ],
        "activity": activity_value(sheet.activity),
        "labels": labels_value(sheet.labelled),
        "billed": {"ms": billed.ms, "amount_minor": billed.amount, "currency": billed.currency},
        "rate_minor_per_hour": sheet.terms.rate_minor_per_hour,
        "known_by_ms": sheet.known_by_ms,
        "proof": {
            "bundle_sha256": str(sheet.bundle),
            "log": sheet.origin,
            "size": sheet.tree_size,
        },
        "not_proven": list(sheet.not_proven),
    }
    if sheet.timesheet is not None:
        value["timesheet"] = _timesheet_value(sheet.timesheet)
    if spans:
        value["intervals"] = [
            {
                "begin_ms": span.begin,
                "end_ms": span.end,
                "state": str(span.state),
                "grade": None if span.grade is None else str(span.grade),
                "worked_ms": span.worked_ms,
                "reason": span.reason,
            }
            for span in sheet.spans
        ]
    return json.dumps(value, indent=2).encode() + b"\n"


def _timesheet_value(found: SheetFinding) -> dict[str, Any]:
    said = found.answer
    return {
        "statement": str(found.digest),
        "answer": None if said is None else said.answer.name.lower(),
        "text": None if said is None else said.text,
        "answered_ms": None if said is None else said.claimed_at,
    }


def _day_rows(sheet: Sheet) -> Iterator[list[str]]:
    for day in sheet.days:
        classes = [str(day.worked_ms[kind]) for kind in CLASSES]
        recorded = recorded_of(day)
        yield [
            day.day.isoformat(),
            str(sheet.zone),
            *classes,
            str(recorded),
            str(day.offline_ms),
            str(sheet.billed_day(day)),
            _decimal(recorded),
        ]


def _project_rows(sheet: Sheet) -> Iterator[list[str]]:
    for row in sheet.labelled.projects:
        recorded = recorded_of(row)
        yield [
            row.day.isoformat(),
            str(sheet.zone),
            "" if row.name is None else _cell(row.name),
            *(str(row.worked_ms[kind]) for kind in CLASSES),
            str(recorded),
            _decimal(recorded),
        ]


def _cell(name: str) -> str:
    """Make a freelancer's words harmless for a spreadsheet: a formula becomes text."""
    return _FORMULA.sub(r"\1'", plain(name))


def _span_rows(sheet: Sheet) -> Iterator[list[str]]:
    for span in sheet.spans:
        yield [
            sheet.local(span.begin).isoformat(timespec="milliseconds"),
            sheet.local(span.end).isoformat(timespec="milliseconds"),
            str(span.state),
            "" if span.grade is None else str(span.grade),
            str(span.worked_ms),
            _decimal(span.worked_ms),
            span.reason,
        ]


def _decimal(ms: int) -> str:
    """Write hours with four digits, rounded down: a figure to read; milliseconds add up."""
    whole, rest = divmod(ms * 10_000 // _HOUR_MS, 10_000)
    return f"{whole}.{rest:04}"


def _csv(head: Sequence[str], rows: Iterator[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()
