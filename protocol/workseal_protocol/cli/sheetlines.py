"""The timesheets of a report, for a person and for a program."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from workseal_protocol.accepted import Acceptance, ChangedDays, acceptances_of, changed_days
from workseal_protocol.cli.labellines import names_value, sheet_label_lines
from workseal_protocol.cli.text import count, exact, instant
from workseal_protocol.digest import Digest
from workseal_protocol.labels import Labelled
from workseal_protocol.records import SheetAnswer, SheetDay, Timesheet, TimesheetAnswer
from workseal_protocol.terms import Terms, amount_text
from workseal_protocol.timesheets import date_of, sheet_days
from workseal_protocol.verify import Report

_MOST_DAYS: Final = 7
_UNCHANGED: Final = ChangedDays((), 0)
_ANSWERS: Final = {
    SheetAnswer.ACCEPTED: "the client accepts",
    SheetAnswer.QUESTION: "the client asks",
    SheetAnswer.OBJECTION: "the client objects",
}


def sheet_lines(report: Report) -> Iterator[str]:
    """Write each timesheet for a person: its figures, whether they hold, and the answer."""
    if report.terms is None:
        return
    acceptances = acceptances_of(report.timesheets)
    changed = _changed(report, acceptances)
    for one in report.timesheets:
        yield f"Timesheet {str(one.digest)[:12]}  {sheet_text(one.record, report.terms)}"
        why = f": {one.why}" if one.why else ""
        yield f"  {one.agreement}{why}"
        if one.replaced_by is not None:
            yield f"  replaced by {str(one.replaced_by)[:12]}"
        yield from (f"  {line}" for line in accepted_lines(acceptances[one.digest]))
        yield from (f"  {line}" for line in changed_lines(changed.get(one.digest, _UNCHANGED)))
        if one.overlaps is not None:
            yield f"  COUNTS TWICE: it has hours of days that {str(one.overlaps)[:12]} has too"
        labelled = report.labelled_sheets.get(one.digest)
        yield from (f"  {line}" for line in sheet_label_lines(labelled))
        # All of them: whoever says something else later does not unsay what was said.
        yield from (f"  {answer_text(answer.record)}" for answer in one.answers)
        if not one.answers:
            yield "  not answered"


def accepted_lines(found: Acceptance) -> Iterator[str]:
    """Write which days of a timesheet were accepted elsewhere, and which still count in it."""
    for one in found.elsewhere:
        yield f"ACCEPTED in {str(one.sheet)[:12]} as well: {days_text(one.days)}"
        if one.counting:
            yield f"  and counting there: {days_text(one.counting)}"
    if found.left_behind:
        yield (
            f"STILL COUNTING here, accepted and not among the days of what replaced it:"
            f" {days_text(found.left_behind)}"
        )
    if found.accepted_again:
        yield (
            "ACCEPTED AGAIN later in another timesheet, and so not counting here:"
            f" {days_text(found.accepted_again)}"
        )


def changed_lines(days: ChangedDays) -> Iterator[str]:
    """Write the accepted days of which the record says something else by now."""
    for one in days.told:
        accepted, recorded = one.accepted, one.recorded
        time = 0 if accepted is None else _recorded_of(accepted)
        late = 0 if accepted is None else accepted.late_declared
        beside = f", and {exact(late)} of {exact(recorded.late_declared)} declared late"
        yield (
            f"OTHER HOURS by now than were accepted: {date_of(recorded.day)},"
            f" {exact(time)} of {exact(_recorded_of(recorded))}"
            f"{beside if late != recorded.late_declared else ''}"
        )
    if days.more:
        yield f"  and of {count(days.more, 'more day')}"


def days_text(days: Sequence[int]) -> str:
    """Write days; of many the first ones, and how many there are."""
    told = ", ".join(date_of(day).isoformat() for day in days[:_MOST_DAYS])
    left = len(days) - _MOST_DAYS
    return f"{told} and {count(left, 'more day')}" if left > 0 else told


def sheet_text(record: Timesheet, terms: Terms) -> str:
    """Write a timesheet's own figures on one line."""
    recorded = sum(map(_recorded_of, record.days))
    late = sum(one.late_declared for one in record.days)
    beside = f", {exact(late)} declared late" if late else ""
    cost = amount_text(record.amount, terms.currency)
    days = f"{date_of(record.first)} to {date_of(record.last)}"
    return f"{days}: {exact(recorded)} recorded{beside}; billed {exact(record.billed_ms)}, {cost}"


def _recorded_of(day: SheetDay) -> int:
    return day.working + day.off_screen + day.sealed


def _changed(
    report: Report, acceptances: Mapping[Digest, Acceptance]
) -> Mapping[Digest, ChangedDays]:
    """Find what changed; in another zone than that of the terms these are other days."""
    if report.terms is None or report.totals is None or report.zone != report.terms.zone:
        return {}
    return changed_days(report.timesheets, acceptances, sheet_days(report.totals.days))


def sheets_value(report: Report) -> list[dict[str, Any]]:
    """Write the timesheets for a program."""
    acceptances = acceptances_of(report.timesheets)
    return [
        {
            "timesheet": str(one.digest),
            "first": date_of(one.record.first).isoformat(),
            "last": date_of(one.record.last).isoformat(),
            "billed_ms": one.record.billed_ms,
            "amount_minor": one.record.amount,
            "agreement": str(one.agreement),
            "why": one.why,
            "answers": [
                {
                    "statement": str(answer.digest),
                    "answer": answer.record.answer.name.lower(),
                    "text": answer.record.text,
                }
                for answer in one.answers
            ],
            "replaced_by": None if one.replaced_by is None else str(one.replaced_by),
            "overlaps": None if one.overlaps is None else str(one.overlaps),
        }
        | _accepted_value(acceptances[one.digest])
        | names_value(report.labelled_sheets.get(one.digest, Labelled()))
        for one in report.timesheets
    ]


def _accepted_value(found: Acceptance) -> dict[str, Any]:
    return {
        "accepted_elsewhere": [
            {
                "timesheet": str(one.sheet),
                "days": _days_value(one.days),
                "counting": _days_value(one.counting),
            }
            for one in found.elsewhere
        ],
        "left_behind": _days_value(found.left_behind),
        "accepted_again": _days_value(found.accepted_again),
    }


def _days_value(days: Sequence[int]) -> list[str]:
    return [date_of(day).isoformat() for day in days]


def answer_text(answer: TimesheetAnswer) -> str:
    """Write what a client answered, and when by their own clock."""
    words = f": {answer.text}" if answer.text else ""
    return f"{instant(answer.claimed_at)} {_ANSWERS[answer.answer]}{words}"
