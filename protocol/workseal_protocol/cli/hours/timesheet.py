"""One timesheet as the days of a file: which days these are, and what the client said to them.

Rule: what is written is the record's; a timesheet that the record has left behind, or another one
has taken the place of, is refused.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from workseal_protocol.accepted import Acceptance, acceptances_of
from workseal_protocol.cli.answering import sheet_named
from workseal_protocol.cli.hours.sheet import Sheet
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.sheetlines import answer_text, days_text
from workseal_protocol.cli.text import count, plain
from workseal_protocol.timesheets import Agreement, SheetFinding, date_of, sheet_days
from workseal_protocol.verify import Report

# Earlier timesheets with the same days that are named.
_MOST_NAMED: Final = 3


def timesheet_named(report: Report, name: str) -> tuple[SheetFinding, Acceptance]:
    """Find a timesheet that stands for its days, and what was accepted beside it."""
    found = sheet_named(report, name)
    beside = acceptances_of(report.timesheets)[found.digest]
    require_standing(found, beside)
    return found, beside


def require_standing(found: SheetFinding, beside: Acceptance) -> None:
    """Refuse one that the record or another timesheet has taken the place of."""
    if found.agreement is not Agreement.AGREES:
        raise CommandError(
            f"the timesheet cannot be used: {found.agreement} ({found.why})", DOES_NOT_HOLD
        )
    if found.replaced_by is not None:
        raise CommandError(
            f"the timesheet was replaced by {str(found.replaced_by)[:12]}", DOES_NOT_HOLD
        )
    for other in beside.elsewhere:
        if other.counting:
            raise CommandError(
                f"some of its days were accepted in {str(other.sheet)[:12]} and count there:"
                f" {days_text(other.counting)}",
                DOES_NOT_HOLD,
            )
    if beside.accepted_again:
        raise CommandError(
            "some of its days were accepted again later in another timesheet, and count here no"
            f" more: {days_text(beside.accepted_again)}",
            DOES_NOT_HOLD,
        )


def days_of(found: SheetFinding) -> tuple[date, date]:
    """Return the first and the last day of a timesheet."""
    return date_of(found.record.first), date_of(found.record.last)


def said_of(found: SheetFinding, beside: Acceptance, sheet: Sheet) -> str:
    """Say what the client answered; raises where the record says something else by now."""
    said = (found.record.days, found.record.billed_ms, found.record.amount)
    # The rows too: what is worth nothing, or is rounded away, changes no sum.
    if said != (sheet_days(sheet.days), sheet.billed.ms, sheet.billed.amount):
        raise CommandError(
            "the record of these days grew after the timesheet: make a new one first",
            DOES_NOT_HOLD,
        )
    answer = "not answered" if found.answer is None else answer_text(found.answer)
    # The client's words among them: a paper holds no character that no line can show.
    return " ".join((plain(f"Timesheet {found.digest}, {answer}."), *_accepted_before(beside)))


def said_of_days(report: Report, first: date, last: date) -> str:
    """Say what was said of days that somebody picked: each timesheet that stands for one of them.

    Who picks days instead of a timesheet must not leave out by it what the client answered.
    """
    sheets = [
        one
        for one in report.timesheets
        if one.replaced_by is None and days_of(one)[0] <= last and first <= days_of(one)[1]
    ]
    told = [
        f"Timesheet {str(one.digest)[:12]} has days of these:"
        f" {'not answered' if one.answer is None else answer_text(one.answer)}."
        for one in sheets[:_MOST_NAMED]
    ]
    if len(sheets) > _MOST_NAMED:
        told.append(f"So have {count(len(sheets) - _MOST_NAMED, 'more timesheet')}.")
    return plain(" ".join(told) or "The record has no timesheet of these days.")


def _accepted_before(beside: Acceptance) -> Iterator[str]:
    """Say which days the client accepted in timesheets that this one takes the place of."""
    for other in beside.elsewhere[:_MOST_NAMED]:
        yield (
            f"Accepted before in timesheet {str(other.sheet)[:12]}, and maybe billed by it:"
            f" {days_text(other.days)}."
        )
    more = len(beside.elsewhere) - _MOST_NAMED
    if more > 0:
        yield f"Others of its days in {count(more, 'more timesheet')}."
