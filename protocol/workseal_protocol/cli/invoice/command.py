"""The command: which bundle, which days or timesheet, whose details, which form."""

import argparse
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from workseal_protocol.accepted import Acceptance
from workseal_protocol.cli.files import read_typed, require_new, write_new_secret
from workseal_protocol.cli.hours.command import day_named
from workseal_protocol.cli.hours.sheet import Sheet, sheet_of
from workseal_protocol.cli.hours.timesheet import days_of, said_of, said_of_days, timesheet_named
from workseal_protocol.cli.inputs import read_bundle_bytes, read_policy, zone_named
from workseal_protocol.cli.invoice.details import Details, read_details, words_of
from workseal_protocol.cli.invoice.figures import Invoice
from workseal_protocol.cli.problem import HOLDS, CommandError
from workseal_protocol.cli.report import report_lines
from workseal_protocol.cli.text import bounded, plain
from workseal_protocol.cli.verification import examine_for_user, exit_code
from workseal_protocol.terms import amount_text
from workseal_protocol.timesheets import SheetFinding
from workseal_protocol.verify import Report

_LIBRARIES = ("facturx", "reportlab", "segno")


def invoice(options: argparse.Namespace) -> int:
    """Write an invoice over days of a bundle that holds, as the file's name ends."""
    require_new(options.out)
    form = options.out.suffix.lower()
    if form not in {".pdf", ".xml"}:
        raise CommandError("--out must end in .pdf or .xml")
    if any(find_spec(name) is None for name in _LIBRARIES):
        raise CommandError("an invoice needs the invoice extra: pip install 'workseal[invoice]'")
    first, last = day_named(options.first), day_named(options.last)
    if options.timesheet is not None and (first or last):
        raise CommandError("a timesheet has its own days: leave out --from and --to")
    if first is not None and last is not None and last < first:
        raise CommandError("--to lies before --from")
    details, corrected = _details(options.details), _corrected(options.corrects)
    policy = read_policy(options.policy)
    data = read_bundle_bytes(options.bundle)
    report, remarks = examine_for_user(data, policy)
    if not report.holds:
        for line in report_lines(report):
            print(plain(line), file=sys.stderr)
        return exit_code(report)
    named = None if options.timesheet is None else timesheet_named(report, options.timesheet)
    if named is not None:
        first, last = days_of(named[0])
    sheet = sheet_of(data, report, zone_named(report.zone) or UTC, first, last)
    made = Invoice(details, sheet, _agreed(report, named, sheet), corrected)
    write_new_secret(options.out, _written(made, form))
    print(f"net {amount_text(made.net_minor, made.currency)}, as workseal hours says;", end=" ")
    print(f"tax {amount_text(made.tax_minor, made.currency)};", end=" ")
    if made.prepaid_minor:
        print(f"paid before {amount_text(made.prepaid_minor, made.currency)};", end=" ")
    print(f"{made.total_name.lower()} {amount_text(made.due_minor, made.currency)}")
    print(f"{sheet.first} to {sheet.last}, written to {plain(str(options.out))}")
    print(made.own_word)
    for remark in (*_doubts(details, sheet), *remarks):
        print(plain(remark))
    return HOLDS


def _doubts(details: Details, sheet: Sheet) -> Iterator[str]:
    if details.issued < sheet.last:
        yield "its date lies before its last day of work: is the year right?"


def _agreed(report: Report, named: tuple[SheetFinding, Acceptance] | None, sheet: Sheet) -> str:
    """Say what the client answered, to the timesheet or to those that have these days."""
    if named is None:
        return said_of_days(report, sheet.first, sheet.last)
    return said_of(*named, sheet)


def _details(path: Path) -> Details:
    try:
        return read_details(tomllib.loads(read_typed(path, what="details"), parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"the details {path} are not TOML: {error}") from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CommandError(f"the details {path} do not fit: {bounded(str(error))}") from error


def _corrected(number: str | None) -> str | None:
    try:
        return None if number is None else words_of(number, "--corrects")
    except ValueError as error:
        raise CommandError(str(error)) from error


def _written(made: Invoice, form: str) -> bytes:
    from workseal_protocol.cli.invoice.einvoice import as_xml, with_xml  # noqa: PLC0415 - an extra

    xml = as_xml(made)
    if form == ".xml":
        return xml
    from workseal_protocol.cli.invoice.paper import as_pdf  # noqa: PLC0415 - an extra

    return with_xml(as_pdf(made), xml, made)
