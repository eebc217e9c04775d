"""`workseal answer`: the client accepts a timesheet, asks about it, or objects to it.

Rule: what is accepted was checked: the bundle holds under the client's own policy, and the
timesheet says what its statements say.
"""

import argparse
import time
from collections.abc import Iterator

from workseal_protocol.accepted import acceptances_of
from workseal_protocol.cli.files import require_new, write_new
from workseal_protocol.cli.inputs import read_bundle_bytes, read_policy
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.server import address_of, submit
from workseal_protocol.cli.sheetlines import days_text, sheet_text
from workseal_protocol.cli.text import plain
from workseal_protocol.cli.verification import examine_for_user
from workseal_protocol.keys import Role, Signer
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.records import SheetAnswer, TimesheetAnswer, sign
from workseal_protocol.terms import Terms
from workseal_protocol.timesheets import Agreement, SheetFinding, sheet_days
from workseal_protocol.verify import Report

_SHORTEST = 8


def answer(options: argparse.Namespace) -> int:
    """Sign an answer to one timesheet of a bundle, and send it or write it to a file."""
    said, text = _said(options)
    if options.out is None and options.send is None:
        raise CommandError("name --send URL, --out FILE, or both")
    if options.out is not None:
        require_new(options.out)
    address = None if options.send is None else address_of(options.send)
    signer = read_signer(options.key)
    policy = read_policy(options.policy)
    report, _ = examine_for_user(read_bundle_bytes(options.bundle), policy)
    terms, found = _sheet(report, options.timesheet)
    _require_client(report, signer)
    if said is SheetAnswer.ACCEPTED:
        _require_acceptable(report, found)
    try:
        record = TimesheetAnswer(
            engagement=found.record.engagement,
            claimed_at=time.time_ns() // 1_000_000,
            timesheet=found.digest,
            answer=said,
            text=text,
        )
    except ValueError as error:
        raise CommandError(f"the answer cannot be made: {error}") from error
    statement = sign(record, signer)
    if options.out is not None:
        write_new(options.out, statement.encode())
    print(plain(sheet_text(found.record, terms)))
    for line in (*_beside(report, found), *_grown(report, found)):
        print(line)
    if address is not None:
        submit(address, signer, statement, TlogPolicy.parse(terms.log_policy))
        print(f"{said.name.lower()}; the answer is in the log: {statement.digest}")
    else:
        print(f"{said.name.lower()}; the answer is written, and in no log yet")
    return HOLDS


def _said(options: argparse.Namespace) -> tuple[SheetAnswer, str | None]:
    for said, text in (
        (SheetAnswer.QUESTION, options.question),
        (SheetAnswer.OBJECTION, options.object),
    ):
        if text is not None:
            return said, text
    return SheetAnswer.ACCEPTED, None


def _sheet(report: Report, name: str) -> tuple[Terms, SheetFinding]:
    if not report.holds or report.terms is None:
        problem = report.first_problem
        raise CommandError(f"the bundle does not hold: step {problem}", DOES_NOT_HOLD)
    return report.terms, sheet_named(report, name)


def sheet_named(report: Report, name: str) -> SheetFinding:
    """Find the one timesheet whose digest begins with these digits."""
    if len(name) < _SHORTEST:
        raise CommandError(f"name the timesheet by at least {_SHORTEST} of its digits")
    found = [one for one in report.timesheets if str(one.digest).startswith(name.lower())]
    if len(found) != 1:
        raise CommandError(f"expected one timesheet of this name in the bundle, found {len(found)}")
    return found[0]


def _require_client(report: Report, signer: Signer) -> None:
    keys, at = report.keys, report.tree_size
    own = signer.public_key.thumbprint
    if keys is None or at is None or Role.CLIENT not in keys.roles_of(own, at):
        raise CommandError("this key is not the client's in this bundle: nobody would count it")


def _require_acceptable(report: Report, found: SheetFinding) -> None:
    if found.replaced_by is not None:
        raise CommandError(
            f"the timesheet was replaced by {str(found.replaced_by)[:12]}", DOES_NOT_HOLD
        )
    if found.agreement is not Agreement.AGREES:
        raise CommandError(
            f"the timesheet cannot be accepted: {found.agreement} ({found.why})", DOES_NOT_HOLD
        )
    for other in acceptances_of(report.timesheets)[found.digest].elsewhere:
        if other.counting:
            raise CommandError(
                f"some of its days are accepted already, in {str(other.sheet)[:12]}:"
                f" {days_text(other.counting)}",
                DOES_NOT_HOLD,
            )


def _beside(report: Report, found: SheetFinding) -> Iterator[str]:
    """Say what was accepted before of the same days, and of those that it takes the place of."""
    acceptances = acceptances_of(report.timesheets)
    for one in acceptances[found.digest].elsewhere:
        yield f"accepted before, in {str(one.sheet)[:12]}: {days_text(one.days)}"
    for other in report.timesheets:
        left = acceptances[other.digest].left_behind
        if left and other.replaced_by == found.digest:
            yield (
                f"it replaces {str(other.digest)[:12]}, of which these accepted days are not among"
                f" its own and go on counting there: {days_text(left)}"
            )


def _grown(report: Report, found: SheetFinding) -> Iterator[str]:
    """Say of which of its days the record says something else by now: no answer is about that."""
    terms, totals, record = report.terms, report.totals, found.record
    # In another zone than that of the terms these are other days.
    if terms is None or totals is None or report.zone != terms.zone:
        return
    rows = (row for row in sheet_days(totals.days) if record.first <= row.day <= record.last)
    other = sorted({row.day for row in {*rows} ^ {*record.days}})
    if found.agreement is Agreement.AGREES and other:
        yield f"it has not the hours that came to these days after it was made: {days_text(other)}"
