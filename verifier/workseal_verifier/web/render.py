"""Pages out of templates: figures in one form, nothing that a browser may keep."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from workseal_protocol.cli.text import plain
from workseal_protocol.terms.plain import amount_text
from workseal_protocol.timesheets import day_written
from workseal_verifier.api.access import site_of
from workseal_verifier.api.pageform import HEADERS, HTML
from workseal_verifier.api.values import PRIVATE
from workseal_verifier.errors import Reason, RefusedError

FOLDER: Final = Path(str(files("workseal_verifier.web")))
# Days whose weeks and neighbours every calendar has.
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9_000
_STATES: Final[Mapping[str, str]] = {
    "working": "Working",
    "off-screen": "Away from the screen",
    "sealed": "Sealed",
    "late-declared": "Declared afterwards",
    "paused": "Paused",
    "no-session": "Not recorded",
}


def page(request: Request, template: str, /, **values: Any) -> Response:
    """Render one page."""
    text = written(template, url=site_of(request).origin, **values)
    return Response(text, headers={**HEADERS, **PRIVATE}, media_type=HTML)


def written(template: str, /, **values: Any) -> str:
    """Write a page as text."""
    return _environment().get_template(template).render(values)


def read_day(text: str) -> date:
    """Read a day of an address."""
    try:
        day = day_written(text)
    except ValueError:
        day = date.min
    if not _FIRST_YEAR < day.year < _LAST_YEAR:
        raise RefusedError(Reason.MALFORMED, "of: a day is written like 2026-11-29")
    return day


def clock(ms: int, zone: tzinfo, *, seconds: bool = False) -> str:
    """Write a moment as the time of day in a zone."""
    return _local(ms, zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(ms: int, zone: tzinfo) -> str:
    """Write a moment with its day and its distance from UTC: an hour may come twice."""
    written = _local(ms, zone).strftime("%a %-d %b %Y, %H:%M:%S (UTC%z)")
    # A line never ends after a minus, as it may after a hyphen.
    return written.replace("-", "\N{MINUS SIGN}")


def instant(ms: int, zone: tzinfo) -> str:
    """Write a moment to the minute; one that no calendar has is written as what it is."""
    try:
        return _local(ms, zone).strftime("%a %-d %b %Y, %H:%M")
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms after 1970"


def iso(ms: int, zone: tzinfo) -> str:
    """Write the day of a moment as addresses of pages have it."""
    return _local(ms, zone).date().isoformat()


def day(ms: int) -> str:
    """Write the day of a moment in UTC."""
    return instant(ms, UTC).rpartition(",")[0] or instant(ms, UTC)


def days(first: date, last: date) -> str:
    """Write the days from one to another as people say them."""
    written = f"{last.day} {last:%b %Y}"
    if first == last:
        return written
    begin = f"{first.day} {first:%b}" if first.year == last.year else f"{first.day} {first:%b %Y}"
    return f"{begin} to {written}"


def span(ms: int) -> str:
    """Write a duration as people say it, to the second and never rounded up."""
    seconds = ms // 1000
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return f"{hours} h {minutes:02} min {rest:02} s"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def hms(ms: int) -> str:
    """Write a duration for a table: hours, minutes and seconds."""
    seconds = ms // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def hours(ms: int) -> str:
    """Write whole hours."""
    return f"{ms // 3_600_000} h"


def state(name: str) -> str:
    """Name a state for people."""
    return _STATES[name]


def _local(ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": clock,
        "day": day,
        "days": days,
        "hms": hms,
        "hours": hours,
        "instant": instant,
        "iso": iso,
        "moment": moment,
        "money": amount_text,
        # Other people's words: nothing of them moves, hides or turns what stands beside them.
        "plain": plain,
        "span": span,
        "state": state,
    }
    return environment
