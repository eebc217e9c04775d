"""The figures of some days of a verified record, as an attestation gives them: a pure fold.

Rule: only what the log had at a size counts, so that whoever verifies a later bundle of the same
engagement finds the same. How much of it is offline also hangs on the reader's policy and on the
checkpoints and tokens of the bundle; what no reader can grade as online is told apart.
docs/spec/attestation.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from workseal_protocol.accepted import acceptances_of
from workseal_protocol.attestation.claim import Hours
from workseal_protocol.days import worked_shares
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import CHAINED
from workseal_protocol.terms import Terms, WorkClass
from workseal_protocol.timesheets import Agreement, SheetFinding, day_number, timesheets_of
from workseal_protocol.totals import totals_of
from workseal_protocol.verify import Outcome, Report
from workseal_protocol.window import Entry, Grade


class NotReachedError(VerificationError):
    """Say why something cannot be judged, though nothing is false."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold the hours of some days as a report grades them, and the head of the chain then.

    `surely_offline` is the part of the offline hours that is offline for every reader.
    """

    hours: Hours
    head: Digest
    surely_offline: int


def terms_of(report: Report) -> Terms:
    """Return the terms of a report that holds, or raise `VerificationError`."""
    problem = report.first_problem
    if problem is None and report.terms is not None:
        return report.terms
    why = f"the bundle does not hold: step {problem}"
    if problem is not None and problem.outcome is Outcome.NOT_REACHED:
        raise NotReachedError(why)
    raise VerificationError(why)


def figures_of(report: Report, zone: tzinfo, first: date, last: date, *, size: int) -> Figures:
    """Sum up the days [first, last] as of a tree of `size`.

    Raises `VerificationError` when the report does not hold or has no work of then, and
    `NotReachedError` when it cannot tell: it ends before that, or `zone` is not that of its terms.
    """
    terms = terms_of(report)
    if report.tree_size is None or report.tree_size < size:
        raise NotReachedError("the bundle is older than the checkpoint of the attestation")
    if str(zone) != terms.zone:
        raise NotReachedError(f"the days are those of {terms.zone}, which is not known here")
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
    return Figures(hours, chained[-1].digest, _surely_offline(entries, zone, first, last))


def _surely_offline(entries: Sequence[Entry], zone: tzinfo, first: date, last: date) -> int:
    """Add up what has no value of the operator: no cosignature and no token makes it online."""
    return sum(
        part
        for entry in entries
        if entry.grade is Grade.OFFLINE
        for day, _, part in worked_shares(entry.record, zone)
        if first <= day <= last
    )


def _accepted(sheets: Sequence[SheetFinding], first: date, last: date) -> int:
    """Add up recorded time of the accepted rows of these days that count: each day does once."""
    acceptances = acceptances_of(sheets)
    begin, end = day_number(first), day_number(last)
    accepted = 0
    for one in sheets:
        if one.agreement is not Agreement.AGREES:
            continue
        counting = acceptances[one.digest].counting
        accepted += sum(
            row.working + row.off_screen + row.sealed
            for row in one.record.days
            if row.day in counting and begin <= row.day <= end
        )
    return accepted
