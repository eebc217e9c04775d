"""The totals of a report, for a person and for a program: real time and billed time side by side.

Rule: a day, a week and the whole are each billed by the terms alone, as the record's sums are: the
figures of every program that shows hours.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.cli.text import exact
from workseal_protocol.days import DayTotal, weeks_of
from workseal_protocol.terms import Terms, WorkClass, amount_text, money_sentences
from workseal_protocol.totals import LimitExceeded, Totals
from workseal_protocol.verify import Report


def totals_lines(report: Report) -> Iterator[str]:
    """Write every sum for a person, and then each week with its days."""
    totals, terms = report.totals, report.terms
    if totals is None or terms is None:
        return
    yield from _sums_lines(totals)
    yield f"Billed by the terms  {_billed_text(totals.billed)}"
    yield "  (a view; the worked time above is the record)"
    yield from (f"  {sentence}" for sentence in money_sentences(terms))
    yield from map(limit_line, totals.exceeded)
    for monday, days in weeks_of(totals.days):
        yield f"  Week of {monday} ({report.zone})  {_hours_text(terms, days)}"
        yield from (f"    {day.day}  {_hours_text(terms, [day])}" for day in days)


def limit_line(limit: LimitExceeded) -> str:
    """Write a limit that was passed for a person; times in hours and minutes."""
    name, found, allowed = limit.limit, str(limit.found), str(limit.allowed)
    if limit.week is not None:
        # Weekly limits are of time.
        name = name.replace(" ms ", " time ")
        found, allowed = exact(limit.found), exact(limit.allowed)
    week = f" in the week of {limit.week}" if limit.week else ""
    return f"LIMIT PASSED         {name}: {found}, agreed {allowed}{week}"


def totals_value(report: Report) -> dict[str, Any] | None:
    """Write every sum for a program."""
    totals, terms = report.totals, report.terms
    if totals is None or terms is None:
        return None
    return {
        "worked_ms": totals.worked_ms,
        "by_state": {_words(state.name): ms for state, ms in totals.by_state.items()},
        "by_grade": {str(grade): ms for grade, ms in totals.by_grade.items()},
        "late_declared_ms": totals.late_declared_ms,
        "captured": totals.captured,
        "missed": totals.missed,
        "sealed": totals.sealed,
        "due_outside": totals.due_outside,
        "stepped_over": totals.stepped_over,
        "frames": totals.frames,
        "withdrawn": totals.withdrawn,
        "expired": totals.expired,
        "days": [{"day": day.day.isoformat()} | _hours_value(terms, [day]) for day in totals.days],
        "weeks": [
            {"week": monday.isoformat()} | _hours_value(terms, days)
            for monday, days in weeks_of(totals.days)
        ],
        "billed": {
            "ms": totals.billed.ms,
            "amount_minor": totals.billed.amount,
            "currency": totals.billed.currency,
            "rules": list(money_sentences(terms)),
        },
        "exceeded": [
            {
                "limit": limit.limit,
                "allowed": limit.allowed,
                "found": limit.found,
                "week": limit.week.isoformat() if limit.week else None,
            }
            for limit in totals.exceeded
        ],
    }


def _sums_lines(totals: Totals) -> Iterator[str]:
    yield f"Worked, recorded     {exact(totals.worked_ms)}"
    for state, ms in totals.by_state.items():
        if ms:
            yield f"  {_words(state.name):<18} {exact(ms)}"
    yield f"Declared late        {exact(totals.late_declared_ms)} (beside the recorded time)"
    yield "How it is known      " + ", ".join(
        f"{grade} {exact(ms)}" for grade, ms in totals.by_grade.items() if ms
    )
    yield (
        f"Captures             {totals.captured} taken, {totals.missed} missed, {totals.sealed} in"
        f" sealed time, {totals.due_outside} due outside recorded work"
        f" ({totals.stepped_over} stepped over)"
    )
    kept = f" ({totals.expired} after the days that the terms ask for)" if totals.expired else ""
    yield f"Frames               {totals.frames} committed, {totals.withdrawn} withdrawn{kept}"


def _hours_text(terms: Terms, days: Sequence[DayTotal]) -> str:
    late = sum(day.late_ms for day in days)
    beside = f", {exact(late)} declared late" if late else ""
    recorded = exact(sum(day.recorded_ms for day in days))
    return f"{recorded} recorded{beside}; billed {_billed_text(billed_of(terms, days))}"


def _billed_text(billed: Billed) -> str:
    return f"{exact(billed.ms)}, {amount_text(billed.amount, billed.currency)}"


def _hours_value(terms: Terms, days: Sequence[DayTotal]) -> dict[str, Any]:
    billed = billed_of(terms, days)
    return {
        "worked_ms": _classes_value(days),
        "offline_ms": sum(day.offline_ms for day in days),
        "billed_ms": billed.ms,
        "amount_minor": billed.amount,
    }


def _classes_value(days: Sequence[DayTotal]) -> Mapping[str, int]:
    return {_words(kind.name): sum(day.worked_ms[kind] for day in days) for kind in WorkClass}


def _words(name: str) -> str:
    return name.lower().replace("_", "-")
