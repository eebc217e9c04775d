"""Today: the state and the reason of every minute, the true total, and what can be done now."""

import re
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workseal_agent.day import Day, Way, day_at, read_day, running_ms
from workseal_agent.ledger import Engagement
from workseal_agent.pages.dayline import (
    classes_of,
    has_another_length,
    hours_of,
    pictures_of,
    row_of,
)
from workseal_agent.pages.deeds import MAX_MEMO
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.guard import LIVE
from workseal_agent.pages.refusals import FormError
from workseal_agent.pages.render import clock, desk_of, page, span, total
from workseal_agent.pages.words import say
from workseal_agent.pages.wrongs import wrongs_of
from workseal_protocol.billing import billed_of
from workseal_protocol.terms import Granularity
from workseal_protocol.timesheets import day_written

_MINUTE_MS = 60_000
_MOMENT = re.compile(r"[0-9]{1,15}")
# Days whose neighbours every calendar has.
_FIRST_YEAR, _LAST_YEAR = 1970, 9_000
# More in one line are shown in the gallery.
_MOST_PICTURES = 60


def routes() -> list[BaseRoute]:
    """Return the routes of the day."""
    return [
        Route("/today", _today),
        Route("/today/minute", _minute),
        Route(LIVE, _live),
    ]


def _today(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.engagement()
    if engagement is None:
        return page(request, "nothing.html", place="today")
    now_ms = desk.clock.wall_ms()
    running = desk.recorded(engagement)
    zone = desk.zone(engagement)
    day = _read(desk, engagement, running, request.query_params.get("day"), now_ms, zone)
    counts = desk.ledger.counts(engagement.id)
    today = day_at(now_ms, day.zone)
    return page(
        request,
        "today.html",
        place="today",
        day=day,
        day_named=_named(day.day, day.zone),
        is_today=day.day == today,
        named=has_another_length(day),
        before=day.day - timedelta(days=1),
        after=day.day + timedelta(days=1) if day.day < today else None,
        hours=hours_of(day),
        rows=[row_of(one) | {"pictures": pictures_of(day, one)} for one in day.stretches],
        most_pictures=_MOST_PICTURES,
        classes=classes_of(day),
        seen=_seen(engagement, day, _of_the_client(desk, engagement, running, day, now_ms)),
        state=running["state"] if running else "stopped",
        elsewhere=_elsewhere(desk, running),
        wrong=wrongs_of(desk, engagement, running),
        counts=counts,
        max_memo=MAX_MEMO,
    )


def _minute(request: Request) -> Response:
    """Explain one minute: what is known of it, and from where."""
    desk = desk_of(request)
    engagement = desk.need()
    running = desk.recorded(engagement)
    now_ms = desk.clock.wall_ms()
    zone = desk.zone(engagement)
    day = _read(desk, engagement, running, request.query_params.get("day"), now_ms, zone)
    at_ms = _minute_of(day, request.query_params.get("at", ""), request.query_params.get("ms"))
    parts = [
        row_of(one, at_ms, at_ms + _MINUTE_MS)
        for one in day.stretches
        if one.begin_ms < at_ms + _MINUTE_MS and one.end_ms > at_ms
    ]
    return page(
        request,
        "minute.html",
        place="today",
        day=day,
        at_ms=at_ms,
        until_ms=at_ms + _MINUTE_MS,
        named=has_another_length(day),
        parts=parts,
        worked_ms=sum(part["worked_ms"] for part in parts),
        notes=_remarks(desk, engagement, at_ms),
        pictures=[one for one in day.captures if at_ms <= one.captured_ms < at_ms + _MINUTE_MS],
        by_day=engagement.terms.granularity is Granularity.DAY,
        in_log=all(part["way"] is Way.LOGGED for part in parts if part["worked_ms"]),
    )


def _remarks(desk: Desk, engagement: Engagement, at_ms: int) -> list[str] | None:
    """Say the agent's own remarks about a minute; None while they are locked."""
    notes = desk.notes(engagement, at_ms, at_ms + _MINUTE_MS)
    if notes is None:
        return None
    told = (
        say(f"note.{note.code.name.lower()}", span=span(abs(note.value)), count=note.value)
        for note in notes
    )
    return list(dict.fromkeys(told))


def _live(request: Request) -> Response:
    """Tell the state in figures, for the page that is open."""
    desk = desk_of(request)
    engagement = desk.engagement()
    if engagement is None:
        return JSONResponse({"state": "stopped"})
    now_ms = desk.clock.wall_ms()
    running = desk.recorded(engagement)
    zone = desk.zone(engagement)
    day = day_at(now_ms, zone)
    worked_ms = desk.signed_ms(engagement, day, zone) + running_ms(running, day, zone, now_ms)
    counts = desk.ledger.counts(engagement.id)
    state = running["state"] if running else "stopped"
    return JSONResponse(
        {
            # Of a page that is open over midnight, or on a journey, no figure is of this day.
            "day": _named(day, zone),
            "state": state,
            "said": say(f"state.{state}"),
            "worked": total(worked_ms, desk.settings.display),
            "exact": say("today.exact", span=span(worked_ms)),
            "unsent": say("today.unsent", count=counts.unsent),
            # What cannot be told in figures is read anew.
            "version": f"{state} {counts.parked} {len(wrongs_of(desk, engagement, running))}",
        }
    )


def _named(day: date, zone: ZoneInfo) -> str:
    return f"{day.isoformat()} {zone.key}"


def _elsewhere(desk: Desk, recorded: dict[str, Any] | None) -> str | None:
    """Return the engagement that is recorded instead of the one that is shown."""
    running = None if recorded else desk.running()
    return running["engagement"] if running else None


def _read(
    desk: Desk,
    engagement: Engagement,
    running: dict[str, Any] | None,
    text: str | None,
    now_ms: int,
    zone: ZoneInfo,
) -> Day:
    try:
        day = day_written(text) if text else day_at(now_ms, zone)
    except ValueError as error:
        raise FormError(say("problem.day")) from error
    if not _FIRST_YEAR < day.year < _LAST_YEAR:
        raise FormError(say("problem.day"))
    return read_day(desk.ledger, engagement, running, day, now_ms, zone)


def _of_the_client(
    desk: Desk, engagement: Engagement, running: dict[str, Any] | None, day: Day, now_ms: int
) -> Day:
    """Return the day of the same date in the agreement's zone, where the client counts it."""
    if day.zone.key == engagement.terms.zone:
        return day
    zone = ZoneInfo(engagement.terms.zone)
    return read_day(desk.ledger, engagement, running, day.day, now_ms, zone)


def _minute_of(day: Day, text: str, ms: str | None) -> int:
    """Return the beginning of a minute of the day: written as 09:05, or as its moment.

    A time of day that comes twice is the first one; the moment tells them apart.
    """
    if ms is not None and _MOMENT.fullmatch(ms) and day.begin_ms <= int(ms) < day.end_ms:
        return day.begin_ms + (int(ms) - day.begin_ms) // _MINUTE_MS * _MINUTE_MS
    for at_ms in range(day.begin_ms, day.end_ms, _MINUTE_MS):
        if clock(at_ms, day.zone) == text:
            return at_ms
    raise FormError(say("problem.minute"))


def _seen(engagement: Engagement, day: Day, counted: Day) -> dict[str, Any]:
    """Say what the client can see of the day as the client counts it, by the terms."""
    terms = engagement.terms
    total = counted.total(counted.seen)
    logged = day.total(day.seen)
    known = sum(logged.worked_ms.values()) if logged else 0
    billed = billed_of(terms, [total] if total else [])
    return {
        "worked_ms": total.recorded_ms if total else 0,
        "late_ms": total.late_ms if total else 0,
        "by_day": terms.granularity is Granularity.DAY,
        "billed_ms": billed.ms,
        "amount": billed.amount,
        "currency": billed.currency,
        "offline_ms": total.offline_ms if total else 0,
        "behind_ms": max(0, day.worked_ms + day.late_ms - known),
        "zone": None if counted is day else counted.zone.key,
    }
