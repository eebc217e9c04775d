"""The command: which bundle, which days, which form."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date
from importlib.util import find_spec

from workseal_protocol.cli.files import require_new, write_new_secret
from workseal_protocol.cli.hours.plain import as_json, day_table, project_table, span_table
from workseal_protocol.cli.hours.sheet import Sheet, sheet_of
from workseal_protocol.cli.hours.timesheet import days_of, said_of, timesheet_named
from workseal_protocol.cli.inputs import read_bundle_bytes, read_policy, zone_named
from workseal_protocol.cli.problem import HOLDS, CommandError
from workseal_protocol.cli.report import report_lines
from workseal_protocol.cli.text import count, exact, plain
from workseal_protocol.cli.verification import examine_for_user, exit_code
from workseal_protocol.terms import Granularity, amount_text
from workseal_protocol.timesheets import day_written
from workseal_protocol.verify import Report

_Form = Callable[[Sheet, bool], bytes]


def hours(options: argparse.Namespace) -> int:
    """Write the hours of a bundle that holds, in the form that the file's name ends with."""
    require_new(options.out)
    if options.by == "project" and options.out.suffix.lower() != ".csv":
        raise CommandError("--by project makes a .csv file; the other forms have projects anyway")
    write = _form("by project" if options.by == "project" else options.out.suffix.lower())
    first, last = day_named(options.first), day_named(options.last)
    if options.timesheet is not None and (first or last):
        raise CommandError("a timesheet has its own days: leave out --from and --to")
    if first is not None and last is not None and last < first:
        raise CommandError("--to lies before --from")
    policy = read_policy(options.policy)
    data = read_bundle_bytes(options.bundle)
    report, remarks = examine_for_user(data, policy)
    if not report.holds:
        for line in report_lines(report):
            print(plain(line), file=sys.stderr)
        return exit_code(report)
    sheet = _chosen(options.timesheet, data, report, first, last)
    if options.by == "project" and not sheet.labelled.projects:
        raise CommandError("no label of these days is opened in the bundle")
    spans = options.by == "interval" or (
        options.by is None and sheet.terms.granularity is Granularity.INTERVAL
    )
    # Who worked when is nobody else's business.
    write_new_secret(options.out, write(sheet, spans))
    billed = amount_text(sheet.billed.amount, sheet.billed.currency)
    print(f"{sheet.first} to {sheet.last}: {exact(sheet.recorded_ms)} recorded, billed {billed}")
    print(f"{count(len(sheet.days), 'day')} written to {plain(str(options.out))}")
    if sheet.said is not None:
        print(sheet.said)
    for remark in remarks:
        print(plain(remark))
    return HOLDS


def _chosen(
    timesheet: str | None, data: bytes, report: Report, first: date | None, last: date | None
) -> Sheet:
    if report.terms is not None and report.zone != report.terms.zone:
        raise CommandError(
            f"this machine does not know the zone {plain(report.terms.zone)}, in whose days the"
            " agreement counts and bills; the package tzdata has all zones: pip install tzdata"
        )
    zone = zone_named(report.zone) or UTC
    if timesheet is None:
        return sheet_of(data, report, zone, first, last)
    found, beside = timesheet_named(report, timesheet)
    sheet = sheet_of(data, report, zone, *days_of(found))
    return replace(sheet, timesheet=found, said=said_of(found, beside, sheet))


def _form(suffix: str) -> _Form:
    if suffix == "by project":
        return lambda sheet, _: project_table(sheet)
    if suffix == ".csv":
        return lambda sheet, spans: span_table(sheet) if spans else day_table(sheet)
    if suffix == ".json":
        return lambda sheet, spans: as_json(sheet, spans=spans)
    if suffix not in {".ics", ".pdf"}:
        raise CommandError("--out must end in .csv, .json, .ics or .pdf")
    if find_spec("icalendar" if suffix == ".ics" else "reportlab") is None:
        raise CommandError(f"a {suffix} file needs the hours extra: pip install 'workseal[hours]'")
    if suffix == ".ics":
        from workseal_protocol.cli.hours.calendar import as_calendar  # noqa: PLC0415 - an extra

        return lambda sheet, spans: as_calendar(sheet, spans=spans)
    from workseal_protocol.cli.hours.paper import as_pdf  # noqa: PLC0415 - an extra

    return lambda sheet, spans: as_pdf(sheet, spans=spans)


def day_named(text: str | None) -> date | None:
    """Read a day as a person writes it on the command line."""
    if text is None:
        return None
    try:
        return day_written(text)
    except ValueError as error:
        raise CommandError(f"a day is written 2026-11-23, found {text[:40]}") from error
