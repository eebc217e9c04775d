"""`timesheet` and `timesheets`: what you sum up for your client, and what they answered."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.clock import SystemClock
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, SendState
from workseal_agent.timesheets import draw_up, keep, logged_statements, of_home
from workseal_protocol.cli.sheetlines import answer_text, sheet_text
from workseal_protocol.cli.text import exact, plain
from workseal_protocol.records import Timesheet
from workseal_protocol.records.timesheets import MAX_SHEET_DAYS
from workseal_protocol.timesheets import date_of, day_written

_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")
_STATES = {
    SendState.UNSENT: phrase("waits to be sent"),
    SendState.HELD: phrase("waits to be sent"),
    SendState.RECEIPTED: phrase("logged"),
    SendState.PARKED: phrase("refused by the verifier"),
}


@app.command("timesheet")
def make_timesheet(
    context: typer.Context,
    *,
    week: Annotated[
        str | None, typer.Option(help="Like 2026-W48; the last whole week if nothing is named.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="Like 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Like 2026-11-30.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
) -> None:
    """Sum up some days from the log, sign that, and send it to your client."""
    home = home_of(context)
    engagement = home.engagement()
    zone = zone_of(engagement)
    days = _checked(*_days(week, first, last, zone), zone)
    record = draw_up(home.ledger, engagement, zone, *days, now_ms=SystemClock().wall_ms())
    _show(record, engagement)
    if not yes and not confirmed("Sign and send it?"):
        raise AgentError("nothing was signed")
    statement = keep(home.open_ledger, engagement, record, home.signer)
    if home.records(engagement) is not None:
        say(
            phrase(
                "timesheet {digest} is signed; the recording process sends it",
                digest=str(statement.digest)[:12],
            )
        )
        return
    sent = home.send_now()
    number = str(statement.digest)[:12]
    if sent:
        say(phrase("timesheet {number} is in the log", number=number))
    else:
        say(
            phrase(
                "timesheet {number} is signed, and waits to be sent (`workseal-agent send`)",
                number=number,
            )
        )


@app.command("timesheets")
def list_timesheets(context: typer.Context) -> None:
    """List your timesheets, and what your client answered."""
    home = home_of(context)
    engagement = home.engagement()
    client = home.client(engagement.url, signer=home.signer)
    try:
        rows = of_home(home.ledger, engagement, logged_statements(client, engagement))
    finally:
        client.close()
    for row in rows:
        say(f"{str(row.digest)[:12]}  {sheet_text(row.record, engagement.terms)}")
        state = _STATES[row.state]
        if row.replaced:
            state = phrase("{state}, replaced by a later one", state=state)
        say(phrase("  {state}", state=state))
        for one in row.answers:
            say(f"  {plain(answer_text(one))}")
        if not row.answers:
            say("  not answered")
    if not rows:
        say("no timesheet yet: `workseal-agent timesheet`")


def _show(record: Timesheet, engagement: Engagement) -> None:
    say(sheet_text(record, engagement.terms))
    for one in record.days:
        recorded = one.working + one.off_screen + one.sealed
        told = exact(recorded)
        if one.late_declared:
            told = phrase(
                "{recorded}, and {late} declared late",
                recorded=told,
                late=exact(one.late_declared),
            )
        say(phrase("  {day}  {told}", day=date_of(one.day), told=told))
    if record.replaces is not None:
        say(
            phrase(
                "it replaces your timesheet {replaces} of the same days",
                replaces=str(record.replaces)[:12],
            )
        )
        say("what your client accepted there no longer counts then: they have to answer again")


def zone_of(engagement: Engagement) -> ZoneInfo:
    """Return the zone in whose days the terms count, or raise `AgentError`."""
    name = engagement.terms.zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise AgentError(
            phrase("this machine does not know {name}, in whose days is counted", name=name)
        ) from error


def _days(
    week: str | None, first: str | None, last: str | None, zone: ZoneInfo
) -> tuple[date, date]:
    if week is not None:
        if first is not None or last is not None:
            raise UsageProblem("name a week, or --from and --to")
        return _week(week)
    if first is None and last is None:
        today = _today(zone)
        monday = today - timedelta(days=today.weekday() + 7)
        return monday, monday + timedelta(days=6)
    if first is None or last is None:
        raise UsageProblem("--from and --to go together")
    begin, end = read_day(first), read_day(last)
    if end < begin:
        raise UsageProblem("--to lies before --from")
    return begin, end


def _checked(first: date, last: date, zone: ZoneInfo) -> tuple[date, date]:
    """Require days that a timesheet can be about."""
    if not date_of(0) <= first <= _today(zone):
        raise UsageProblem("a timesheet begins on a day since 1970 that has begun")
    if (last - first).days >= MAX_SHEET_DAYS:
        raise UsageProblem(phrase("a timesheet has at most {most} days", most=MAX_SHEET_DAYS))
    return first, last


def _today(zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(SystemClock().wall_ms() / 1000, tz=zone).date()


def _week(text: str) -> tuple[date, date]:
    try:
        if _WEEK.fullmatch(text) is None:
            raise ValueError(text)  # noqa: TRY301 - one sentence for both
        monday = date.fromisocalendar(int(text[:4]), int(text[6:]), 1)
        return monday, monday + timedelta(days=6)
    except (ValueError, OverflowError) as error:
        raise UsageProblem("a week is written like 2026-W48") from error


def read_day(text: str) -> date:
    """Read a day as it is written on the command line."""
    try:
        return day_written(text)
    except ValueError as error:
        raise UsageProblem("a day is written like 2026-11-23") from error
