"""The figures of some days of a verified record, as an attestation gives them: a pure fold.

Rule: only what the log had at a size counts, so that whoever verifies a later bundle of the same
engagement finds the same.
"""

from collections.abc import Iterable
from datetime import date, tzinfo

from workseal_protocol.attestation.claim import Hours
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import CHAINED, SheetAnswer
from workseal_protocol.terms import Terms, WorkClass
from workseal_protocol.timesheets import Agreement, SheetFinding, date_of, timesheets_of
from workseal_protocol.totals import totals_of
from workseal_protocol.verify import Report


def terms_of(report: Report) -> Terms:
    """Return the terms of a report that holds, or raise `VerificationError`."""
    if not report.holds or report.terms is None:
        raise VerificationError(f"the bundle does not hold: step {report.first_problem}")
    return report.terms


def figures_of(
    report: Report, zone: tzinfo, first: date, last: date, *, size: int
) -> tuple[Hours, Digest]:
    """Sum up the days [first, last] as of a tree of `size`; also give the head of the chain then.

    Raises `VerificationError` when the report does not hold, tells less than that, or when `zone`
    is not that of its terms.
    """
    terms = terms_of(report)
    if report.tree_size is None or report.tree_size < size:
        raise VerificationError("the bundle is older than the checkpoint of the attestation")
    if str(zone) != terms.zone:
        raise VerificationError(f"the days are those of {terms.zone}, which is not known here")
    entries = [entry for entry in report.entries if entry.index < size]
    chained = [entry for entry in entries if entry.record.KIND in CHAINED]
    if not chained:
        raise VerificationError("the log had no work of the record then")
    days = [one for one in totals_of(terms, entries, zone).days if first <= one.day <= last]
    sums = {kind: sum(one.worked_ms[kind] for one in days) for kind in WorkClass}
    hours = Hours(
        working=sums[WorkClass.WORKING],
        off_screen=sums[WorkClass.OFF_SCREEN],
        sealed=sums[WorkClass.SEALED],
        late_declared=sums[WorkClass.LATE_DECLARED],
        offline=sum(one.offline_ms for one in days),
        accepted=_accepted(timesheets_of(terms, entries, zone), first, last),
    )
    return hours, chained[-1].digest


def _accepted(sheets: Iterable[SheetFinding], first: date, last: date) -> int:
    """Add up recorded time of accepted timesheets of these days alone, each day once."""
    days: dict[int, int] = {}
    for one in sheets:
        within = first <= date_of(one.record.first) and date_of(one.record.last) <= last
        accepted = one.answer is not None and one.answer.answer is SheetAnswer.ACCEPTED
        counts = one.agreement is Agreement.AGREES and one.replaced_by is None
        if within and accepted and counts:
            for row in one.record.days:
                days.setdefault(row.day, row.working + row.off_screen + row.sealed)
    return sum(days.values())
