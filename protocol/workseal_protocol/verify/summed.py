"""Step 13: the sums are what the segments say, and the limits of the terms are told."""

from workseal_protocol.accepted import acceptances_of
from workseal_protocol.diary import diary_of
from workseal_protocol.errors import VerificationError
from workseal_protocol.timesheets import Agreement, timesheets_of
from workseal_protocol.totals import totals_of
from workseal_protocol.verify.case import Case
from workseal_protocol.verify.possessed import possessions


def check_totals(case: Case) -> str:
    """Compare closing sums, and fold the totals and the diary."""
    # (13) What closing statements say is what their segments say: found by the chain's fold.
    problem = case.chain_problems.get(13)
    if problem is not None:
        raise VerificationError(problem)
    # (13) Totals and limits, recomputed; a limit that was passed is told, and proves nothing false.
    case.totals = totals_of(case.terms, case.entries, case.zone)
    case.diary = diary_of(case.entries)
    # (13) A timesheet that differs is told like a limit: the record stands, a summary was wrong.
    case.timesheets = timesheets_of(case.terms, case.entries, case.zone)
    # (13) So are statements of possession: whether frames are still held changes no hour.
    case.possessions = possessions(case)
    exceeded = len(case.totals.exceeded)
    differing = sum(one.agreement is Agreement.DIFFERS for one in case.timesheets)
    overlapping = sum(one.overlaps is not None for one in case.timesheets)
    acceptances = acceptances_of(case.timesheets).values()
    again = sum(bool(one.accepted_again) for one in acceptances)
    remarks = [
        f"{what}: {number}"
        for what, number in (
            ("limits of the terms exceeded", exceeded),
            ("timesheets that differ from the record", differing),
            ("timesheets that overlap", overlapping),
            ("timesheets with days that were accepted again in another", again),
            ("statements of possession that do not hold", case.possessions.failing),
            ("drawn frames that are lost", case.possessions.lost),
            ("weeks without a statement of possession", len(case.possessions.missed)),
        )
        if number
    ]
    return ", ".join(remarks)
