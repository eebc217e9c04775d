"""Today: the state and the reason of every minute, the true total, and what can be done now."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workseal_agent.day import Day, Stretch, Way, day_at, read_day
from workseal_agent.language import own
from workseal_agent.ledger import CaptureRow, Engagement, SendState
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.guard import LIVE
from workseal_agent.pages.refusals import FormError
from workseal_agent.pages.render import (
    clock,
    desk_of,
    fields_of,
    go,
    notices_of,
    page,
    span,
    total,
)
from workseal_agent.pages.words import say
from workseal_protocol.diary import DiaryState
from workseal_protocol.terms import Granularity, WorkClass
from workseal_protocol.timesheets import day_written
from workseal_protocol.totals import billed_of

HOUR_MS = 3_600_000
_MINUTE_MS = 60_000
_DAY_MS = 24 * HOUR_MS
_MOMENT = re.compile(r"[0-9]{1,15}")
# Days whose neighbours every calendar has.
_FIRST_YEAR, _LAST_YEAR = 1970, 9_000
MAX_MEMO = 2_000
# More in one line are shown in the gallery.
_MOST_PICTURES = 60
_ACTS = frozenset({"pause", "resume", "stop", "working", "off-screen", "sealed"})
CLASSES = {
    WorkClass.WORKING: "working",
    WorkClass.OFF_SCREEN: "off-screen",
    WorkClass.SEALED: "sealed",
    WorkClass.LATE_DECLARED: "late-declared",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold a rectangle of the time line: seconds of its hour, and what it stands for."""

    left: int
    width: int
    name: str


@dataclass(frozen=True, slots=True)
class Shot:
    """Hold a picture on the time line: the second of its hour, and its number."""

    left: int
    number: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Hold one line of the time line."""

    begin_ms: int
    marks: tuple[Mark, ...]
    pictures: tuple[Shot, ...]
    worked_ms: int


def routes() -> list[BaseRoute]:
    """Return the routes of the day."""
    return [
        Route("/today", _today),
        Route("/today/minute", _minute),
        Route(LIVE, _live),
        Route("/act", _act, methods=["POST"]),
        Route("/engagement", _choose, methods=["POST"]),
        Route("/unlock", _unlock, methods=["POST"]),
        Route("/lock", _lock, methods=["POST"]),
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
        is_today=day.day == today,
        named=_has_another_length(day),
        before=day.day - timedelta(days=1),
        after=day.day + timedelta(days=1) if day.day < today else None,
        hours=hours_of(day),
        rows=[row_of(one) | {"pictures": _pictures(day, one)} for one in day.stretches],
        most_pictures=_MOST_PICTURES,
        classes=_classes(day),
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
        named=_has_another_length(day),
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
    day = _read(desk, engagement, running, None, now_ms, desk.zone(engagement))
    counts = desk.ledger.counts(engagement.id)
    state = running["state"] if running else "stopped"
    return JSONResponse(
        {
            "state": state,
            "said": say(f"state.{state}"),
            "worked": total(day.worked_ms, desk.settings.display),
            "exact": say("today.exact", span=span(day.worked_ms)),
            "unsent": say("today.unsent", count=counts.unsent),
            # What cannot be told in figures is read anew.
            "version": f"{state} {counts.parked} {len(wrongs_of(desk, engagement, running))}",
        }
    )


async def _act(request: Request) -> Response:
    """Pause, go on, stop, or change the kind of work, in the recording process."""
    fields = await fields_of(request)
    act = fields.get("act", [""])[0]
    desk = desk_of(request)
    engagement = desk.need()
    if act not in _ACTS:
        raise FormError(say("problem.unknown_act"))
    if act in {"pause", "resume", "stop"}:
        desk.tell(engagement, act)
    else:
        memo = fields.get("memo", [""])[0].strip() or None
        if memo is not None and (act != "off-screen" or len(memo) > MAX_MEMO):
            raise FormError(say("problem.memo", longest=MAX_MEMO))
        desk.tell(engagement, "mode", mode=act, memo=memo)
    notices_of(request).add(say(f"did.{act}"))
    return go("/today")


async def _choose(request: Request) -> Response:
    """Show another engagement."""
    wanted = (await fields_of(request)).get("engagement", [""])[0]
    desk = desk_of(request)
    if not any(one.id.hex() == wanted for one in desk.ledger.engagements()):
        raise FormError(say("problem.unknown_engagement"))
    desk.chosen = bytes.fromhex(wanted)
    return go("/today")


async def _unlock(request: Request) -> Response:
    """Open the vault for looking, and go back to where it was asked."""
    fields = await fields_of(request)
    await run_in_threadpool(desk_of(request).unlock, fields.get("passphrase", [""])[0])
    back = fields.get("back", ["/pictures"])[0]
    # Only a path of these pages: "//host" would be another place.
    return go(back if back.startswith("/") and not back.startswith("//") else "/pictures")


def _lock(request: Request) -> Response:
    desk_of(request).unlocked.forget()
    notices_of(request).add(say("did.lock"))
    return go("/pictures")


def row_of(
    stretch: Stretch, begin_ms: int | None = None, end_ms: int | None = None
) -> dict[str, Any]:
    """Say a stretch, or the part of it between two moments, in words."""
    begin = max(stretch.begin_ms, begin_ms or stretch.begin_ms)
    end = min(stretch.end_ms, end_ms or stretch.end_ms)
    length = stretch.end_ms - stretch.begin_ms
    return {
        "begin_ms": begin,
        "end_ms": end,
        "length_ms": end - begin,
        "worked_ms": stretch.worked_ms * (end - begin) // length,
        "name": name_of(stretch.state),
        "state": say(f"state.{name_of(stretch.state)}"),
        "reason": reason_of(stretch),
        "way": stretch.way,
    }


def name_of(state: DiaryState) -> str:
    """Return the name of a state as texts and styles spell it."""
    return state.value.replace(" ", "-")


def reason_of(stretch: Stretch) -> str:
    """Say why a stretch is what it is."""
    if stretch.state is DiaryState.LATE_DECLARED:
        return say("reason.late_declared")
    if stretch.way is not Way.LOGGED:
        known = name_of(stretch.state) if stretch.way is Way.NOTHING else stretch.way.value
        return say(f"reason.{known}")
    proved = stretch.grade.value if stretch.grade is not None else "unproved"
    sealed = say("reason.sealed") + " " if stretch.state is DiaryState.SEALED else ""
    return sealed + say(f"reason.{proved}")


def hours_of(day: Day) -> tuple[Hour, ...]:
    """Cut the day into hours, from the first to the last in which anything is told."""
    told = [one for one in day.stretches if one.state is not DiaryState.NO_SESSION]
    if not told:
        return ()
    first = (told[0].begin_ms - day.begin_ms) // HOUR_MS
    last = (told[-1].end_ms - 1 - day.begin_ms) // HOUR_MS
    return tuple(_hour(day, day.begin_ms + number * HOUR_MS) for number in range(first, last + 1))


def _hour(day: Day, begin: int) -> Hour:
    end = begin + HOUR_MS
    marks = []
    worked = 0
    for one in day.stretches:
        low, high = max(one.begin_ms, begin), min(one.end_ms, end)
        if low < high:
            left, right = (low - begin) // 1000, -(-(high - begin) // 1000)
            marks.append(Mark(left, right - left, name_of(one.state)))
            worked += one.worked_ms * (high - low) // (one.end_ms - one.begin_ms)
    pictures = tuple(
        Shot((row.captured_ms - begin) // 1000, row.number)
        for row in day.captures
        if begin <= row.captured_ms < end
    )
    return Hour(begin, tuple(marks), pictures, worked)


def _pictures(day: Day, stretch: Stretch) -> list[CaptureRow]:
    """Return the pictures of a stretch, each of which is in the line of one stretch alone."""
    return [row for row in day.captures if stretch.begin_ms <= row.captured_ms < stretch.end_ms]


def wrongs_of(desk: Desk, engagement: Engagement, running: dict[str, Any] | None) -> list[str]:
    """Say what goes wrong now, or did, in sentences; nothing is left out."""
    told = running or {}
    wrong = [say("wrong.trouble", text=own(text)) for text in told.get("troubles", ())]
    if told.get("halted"):
        wrong.append(say("wrong.halted"))
    if told.get("captures_failing"):
        wrong.append(say("wrong.captures", text=own(told["captures_failing"])))
    wrong += [say("wrong.rule", name=name) for name in told.get("rules_never_matched", ())]
    wrong += [
        say("wrong.parked", kind=one.kind, problem=one.problem or "")
        for one in desk.ledger.statements(engagement.id, SendState.PARKED)
    ]
    wrong += [say("wrong.incident", text=one.text) for one in desk.ledger.incidents(engagement.id)]
    return wrong


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


def _has_another_length(day: Day) -> bool:
    """Tell whether clocks are put on or back on this day, so that a time of day needs a name."""
    return day.end_ms - day.begin_ms != _DAY_MS


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


def _classes(day: Day) -> list[dict[str, Any]]:
    """Say how the day's signed time is divided."""
    total = day.total(day.signed)
    if total is None:
        return []
    return [
        {"name": CLASSES[kind], "state": say(f"state.{CLASSES[kind]}"), "ms": ms}
        for kind, ms in total.worked_ms.items()
        if ms
    ]


def _seen(engagement: Engagement, day: Day, counted: Day) -> dict[str, Any]:
    """Say what the client can see of the day as the client counts it, by the terms."""
    terms = engagement.terms
    total = counted.total(counted.seen)
    logged = day.total(day.seen)
    worked = sum(total.worked_ms.values()) if total else 0
    billed = billed_of(terms, [total] if total else [])
    return {
        "worked_ms": worked,
        "by_day": terms.granularity is Granularity.DAY,
        "billed_ms": billed.ms,
        "amount": billed.amount,
        "currency": billed.currency,
        "offline_ms": total.offline_ms if total else 0,
        "behind_ms": max(0, day.worked_ms - (sum(logged.worked_ms.values()) if logged else 0)),
        "zone": None if counted is day else counted.zone.key,
    }
