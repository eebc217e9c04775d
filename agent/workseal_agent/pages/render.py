"""Pages out of templates: texts by name, figures in one form, nothing that a browser may keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from workseal_agent.config import DisplaySettings, Hours
from workseal_agent.language import own, spoken
from workseal_agent.ledger import short_name
from workseal_agent.pages.asked import read_form
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.guard import FORM_FIELD
from workseal_agent.pages.words import say
from workseal_agent.refusal import refusal_told
from workseal_protocol.terms.plain import amount_text

FOLDER = Path(str(files("workseal_agent.pages")))
_NOON = 12
# In the order of the navigation: its address, and the name of its word.
PLACES = (
    ("/today", "today"),
    ("/pictures", "pictures"),
    ("/requests", "requests"),
    ("/agreement", "agreement"),
    ("/left", "left"),
    ("/machine", "machine"),
)


@dataclass(slots=True)
class Notices:
    """Hold what the next page tells at its top, once."""

    waiting: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Add a sentence."""
        self.waiting.append(text)

    def take(self) -> list[str]:
        """Return the sentences and forget them."""
        taken, self.waiting = self.waiting, []
        return taken


def desk_of(request: Request) -> Desk:
    """Return what the pages work with."""
    desk: Desk = request.app.state.desk
    return desk


def notices_of(request: Request) -> Notices:
    """Return what is to be told next."""
    notices: Notices = request.app.state.notices
    return notices


def page(
    request: Request, template: str, /, *, place: str, status: int = 200, **values: Any
) -> Response:
    """Render one page; `place` is the part of the navigation that it belongs to."""
    desk = desk_of(request)
    engagement = desk.engagement()
    shared = {
        "form": request.scope["workseal.session"].form,
        "place": place,
        "places": PLACES,
        "notices": notices_of(request).take(),
        "engagement": engagement,
        "engagements": desk.ledger.engagements(),
        "zone": desk.zone(engagement),
        "display": desk.settings.display,
        "unlocked_ms": desk.unlocked.left_ms(),
        "here": request.url.path,
    }
    text = _environment().get_template(template).render(shared | values)
    return HTMLResponse(text, status)


def bare(template: str, **values: Any) -> Response:
    """Render a page that belongs to nobody: the door."""
    return HTMLResponse(_environment().get_template(template).render(values))


def go(path: str, **query: object) -> Response:
    """Lead from a form that was done to the page that shows what it did."""
    asked = {name: value for name, value in query.items() if value is not None}
    return RedirectResponse(path + (f"?{urlencode(asked)}" if asked else ""), 303)


async def fields_of(request: Request) -> Mapping[str, list[str]]:
    """Read a form's fields; the guard has seen that it is one."""
    fields: dict[str, list[str]] = {}
    for name, value in read_form(await request.body()) or ():
        if name != FORM_FIELD:
            fields.setdefault(name, []).append(value)
    return fields


def clock(
    ms: int, zone: ZoneInfo, *, seconds: bool = False, hours: Hours = "24", named: bool = False
) -> str:
    """Write a moment as the time of day in a zone; `named` says which of two equal times it is."""
    local = _local(ms, zone)
    rest = local.strftime(":%M:%S" if seconds else ":%M")
    if hours == "12":
        named_half = say("figure.am" if local.hour < _NOON else "figure.pm")
        text = f"{local.hour % _NOON or _NOON}{rest} {named_half}"
    else:
        text = f"{local.hour:02}{rest}"
    return f"{text} {local.tzname()}" if named else text


def moment(ms: int, zone: ZoneInfo, *, hours: Hours = "24") -> str:
    """Write a moment with its day."""
    return say("date.moment", day=dated(_local(ms, zone)), time=clock(ms, zone, hours=hours))


def dated(when: date, form: str = "short_year") -> str:
    """Write a day in one of the forms of the texts, with its names in the owner's language."""
    return say(
        f"date.{form}",
        day=when.day,
        year=when.year,
        weekday=say(f"date.weekday_{when.isoweekday()}"),
        weekday_short=say(f"date.weekday_short_{when.isoweekday()}"),
        month=say(f"date.month_{when.month}"),
        month_short=say(f"date.month_short_{when.month}"),
    )


def day(ms: int, zone: ZoneInfo) -> str:
    """Write the day of a moment as addresses spell it."""
    return _local(ms, zone).date().isoformat()


def span(ms: int) -> str:
    """Write a duration as people say it, to the second and never rounded up."""
    seconds = ms // 1000
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    name = "span_hours" if hours else "span_minutes" if minutes else "span_seconds"
    return say(f"figure.{name}", hours=hours, minutes=minutes, seconds=rest)


def total(ms: int, display: DisplaySettings) -> str:
    """Write a total as its owner wants to read it: to the second, or whole minutes of it."""
    if display.totals == "second":
        return span(ms)
    hours, minutes = ms // 3_600_000, ms // 60_000 % 60
    name = "total_hours" if hours else "total_minutes"
    return say(f"figure.{name}", hours=hours, minutes=minutes)


@pass_context
def _clock(context: Context, ms: int, zone: ZoneInfo, **how: bool) -> str:
    return clock(ms, zone, hours=_display(context).hours, **how)


@pass_context
def _moment(context: Context, ms: int, zone: ZoneInfo) -> str:
    return moment(ms, zone, hours=_display(context).hours)


@pass_context
def _total(context: Context, ms: int) -> str:
    return total(ms, _display(context))


def _display(context: Context) -> DisplaySettings:
    display: DisplaySettings = context["display"]
    return display


def hms(ms: int) -> str:
    """Write a duration for a table: hours, minutes and seconds."""
    seconds = ms // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def size(count: int) -> str:
    """Write a number of bytes."""
    if count < 1024:
        return say("figure.bytes", count=count)
    value = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1024 or unit == "GiB":
            return f"{decimal(value)} {unit}"
    raise AssertionError


def decimal(value: float) -> str:
    """Write a number with one decimal place."""
    return f"{value:.1f}".replace(".", say("figure.point"))


def money(minor: int, currency: str) -> str:
    """Write an amount, with the point of the owner's language."""
    return amount_text(minor, currency).replace(".", say("figure.point"))


def typed(text: str) -> Markup:
    """Set off what is typed, which stands between backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )


# What opens, overrides, isolates and closes a direction of writing.
_TURNS = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def foreign(text: str) -> str:
    """Write somebody else's text, with what would have it run backwards spelled out."""
    return text.translate(_TURNS)


def _local(ms: int, zone: ZoneInfo) -> datetime:
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
    environment.globals |= {"t": say, "short": short_name, "spoken": spoken}
    environment.filters |= {
        "clock": _clock,
        "day": day,
        "dated": dated,
        "decimal": decimal,
        "foreign": foreign,
        "moment": _moment,
        "total": _total,
        # For a field of a form, which a browser shows in its own way.
        "minute": clock,
        "span": span,
        "typed": typed,
        "hms": hms,
        "refusal": lambda kept: own(refusal_told(kept)),
        "size": size,
        "money": money,
    }
    return environment
