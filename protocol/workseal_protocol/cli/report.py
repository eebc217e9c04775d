"""A report as lines for a person, and as one value for a program.

Rules: the steps come first, what is not proven comes always; figures are shown only as far as the
steps that give them held. Both views show the same numbers.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Any, Final

from workseal_protocol.cli.activitylines import activity_lines, activity_value
from workseal_protocol.cli.heldlines import held_lines, held_value
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.cli.labellines import label_lines, labels_value
from workseal_protocol.cli.openings import openings_lines, openings_value
from workseal_protocol.cli.sheetlines import sheet_lines, sheets_value
from workseal_protocol.cli.text import count, exact, instant, instant_in
from workseal_protocol.cli.totalslines import totals_lines, totals_value
from workseal_protocol.days import cut_days
from workseal_protocol.diary import DiaryState, Span
from workseal_protocol.terms import Granularity
from workseal_protocol.verify import Outcome, Report, Step
from workseal_protocol.window import Window

MAX_SPANS: Final = 40  # on a screen; `--json` has every span

_GAPS: Final = frozenset({DiaryState.PAUSED, DiaryState.NO_SESSION})
_MARKS: Final = {Outcome.HOLDS: "ok  ", Outcome.FAILS: "FAIL", Outcome.NOT_REACHED: "-   "}


def report_lines(report: Report) -> Iterator[str]:
    """Write the report for a person."""
    zone = zone_named(report.zone) or UTC
    yield from (step_line(step) for step in report.steps)
    yield ""
    yield _verdict(report)
    if report.engagement is not None:
        yield f"Engagement {report.engagement.hex()}"
    if report.origin is not None:
        yield _log_line(report)
    if report.window is not None:
        yield _window_line(report.window)
    if report.totals is not None:
        yield ""
        yield from totals_lines(report)
    if report.diary:
        yield ""
        yield from _diary_lines(report, zone)
    for lines in (
        activity_lines(report.activity, zone),
        label_lines(report.labelled),
        sheet_lines(report),
        held_lines(report),
        openings_lines(report, zone),
    ):
        yield from _section(lines)
    yield ""
    yield "Not proven, whatever the steps say:"
    yield from (f"  - {sentence}" for sentence in report.not_proven)


def _section(lines: Iterator[str]) -> Iterator[str]:
    """Write an empty line and then these, if there are any."""
    for number, line in enumerate(lines):
        if number == 0:
            yield ""
        yield line


def report_value(report: Report) -> dict[str, Any]:
    """Write the report for a program; times are Unix milliseconds."""
    contents = report.bundle.contents if report.bundle else None
    return {
        "holds": report.holds,
        "malformed": report.malformed,
        "steps": [
            {"number": one.number, "name": one.name, "outcome": str(one.outcome), "why": one.why}
            for one in report.steps
        ],
        "engagement": report.engagement.hex() if report.engagement else None,
        "statements": len(contents.statements) if contents else None,
        "log": {
            "origin": report.origin,
            "size": report.tree_size,
            "witnesses": list(report.witnesses),
            "independent": list(report.independent),
        },
        "window": _window_value(report.window),
        "zone": report.zone,
        "totals": totals_value(report),
        "diary": [
            {
                "begin_ms": span.begin,
                "end_ms": span.end,
                "state": str(span.state),
                "reason": span.reason,
                "worked_ms": span.worked_ms,
                "grade": str(span.grade) if span.grade else None,
            }
            for span in report.diary
        ],
        "activity": activity_value(report.activity),
        "labels": labels_value(report.labelled),
        "timesheets": sheets_value(report),
        "possession": held_value(report),
        "opened": openings_value(report),
        "not_proven": list(report.not_proven),
    }


def step_line(step: Step) -> str:
    """Write one step with its outcome, and why."""
    outcome = f"{step.number:2d} {_MARKS[step.outcome]} {step.name}: {step.outcome}"
    return f"{outcome} ({step.why})" if step.why else outcome


def _verdict(report: Report) -> str:
    if report.holds:
        return f"HOLDS: all {len(report.steps)} steps hold under your policy."
    problem = report.first_problem
    if report.malformed or problem is None:
        return "MALFORMED: this is not a bundle that can be judged."
    return f"DOES NOT HOLD: step {problem.number} ({problem.name}) {problem.outcome}."


def _log_line(report: Report) -> str:
    witnesses = count(len(report.witnesses), "witness", "witnesses")
    independent = len(report.independent)
    return (
        f"Log {report.origin}, {report.tree_size} entries, cosigned by {witnesses}; "
        f"{count(independent, 'independent witness', 'independent witnesses')}"
        " by your policy"
    )


def _window_line(window: Window) -> str:
    lower = "nothing bounds it" if window.lower is None else instant(window.lower)
    upper = "nothing bounds it" if window.upper is None else instant(window.upper)
    return (
        f"Signed not before: {lower} ({window.lower_source}); "
        f"all of it existed by: {upper} ({window.upper_source})"
    )


def _diary_lines(report: Report, zone: tzinfo) -> Iterator[str]:
    # What was worked has the figures of the totals; what was not has no other than its length.
    sums: Counter[DiaryState] = Counter()
    uncounted = 0
    for span in report.diary:
        length = span.end - span.begin
        counted = length if span.state in _GAPS else span.worked_ms
        sums[span.state] += counted
        uncounted += length - counted
    told = [f"{state} {exact(ms)}" for state, ms in sums.items()]
    if uncounted:
        told.append(f"not counted within worked spans {exact(uncounted)}")
    yield "Diary: " + ", ".join(told)
    if report.terms is not None and report.terms.granularity is Granularity.DAY:
        yield "  (the terms show worked time by day; --json has every span)"
        return
    yield f"  (times of {report.zone}, with the offset from UTC; work is cut at midnight)"
    lines = [line for span in report.diary for line in _span_lines(span, zone)]
    yield from lines[:MAX_SPANS]
    if len(lines) > MAX_SPANS:
        yield f"  and {count(len(lines) - MAX_SPANS, 'more span')}; --json has every one"


def _span_lines(span: Span, zone: tzinfo) -> Iterator[str]:
    """Cut a span with worked time at the midnights, so that the lines add up to the days above."""
    if not span.worked_ms:
        yield _span_line(span.begin, span.end, zone, f"{span.state}: {span.reason}")
        return
    for _, begin, end in cut_days(span.begin, span.end, zone):
        worked = exact(span.worked_between(begin, end))
        yield _span_line(begin, end, zone, f"{span.state}, worked {worked}: {span.reason}")


def _span_line(begin: int, end: int, zone: tzinfo, told: str) -> str:
    return f"  {instant_in(begin, zone)} to {instant_in(end, zone)}  {told}"


def _window_value(window: Window | None) -> dict[str, Any] | None:
    if window is None:
        return None
    return {
        "lower_ms": window.lower,
        "upper_ms": window.upper,
        "lower_source": str(window.lower_source),
        "upper_source": str(window.upper_source),
    }
