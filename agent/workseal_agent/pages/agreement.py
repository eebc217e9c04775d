"""The agreement in plain words, and a week's totals as the client's own tools count them."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from workseal_agent.day import bounds, day_at, entries_of
from workseal_agent.language import own
from workseal_agent.ledger import Engagement
from workseal_agent.pages.dayline import CLASSES
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.refusals import FormError
from workseal_agent.pages.render import desk_of, page, span
from workseal_agent.pages.words import say
from workseal_agent.termsread import sentences_of
from workseal_agent.withdrawal import share_exceeded
from workseal_protocol.billing import billed_of
from workseal_protocol.days import DayTotal, days_of
from workseal_protocol.labels import NamedDay, sums_of_names
from workseal_protocol.terms import Granularity, Terms
from workseal_protocol.timesheets import day_written
from workseal_protocol.totals import LimitExceeded, nearby_ms, totals_between, weekly_limits
from workseal_protocol.window import Entry

_FIRST_YEAR, _LAST_YEAR = 1970, 9_000
_DAYS = 7


def routes() -> list[BaseRoute]:
    """Return the routes of the agreement."""
    return [Route("/agreement", _agreement), Route("/agreement/week", _week)]


def _agreement(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.engagement()
    if engagement is None:
        return page(request, "nothing.html", place="agreement")
    sentences = sentences_of(engagement.terms)
    return page(
        request,
        "agreement.html",
        place="agreement",
        sentences=[own(one) for one in sentences],
        english=sentences,
        agreed_at=engagement.agreed_at,
        number=engagement.id.hex(),
    )


def _week(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.need()
    zone = ZoneInfo(engagement.terms.zone)
    today = day_at(desk.clock.wall_ms(), zone)
    monday = _monday(request.query_params.get("of"), today)
    entries = _entries(desk, engagement, monday, zone)
    in_week = [one for one in days_of(entries, zone) if _is_in(one.day, monday)]
    labelled = desk.labelled(engagement, entries, zone)
    billed = billed_of(engagement.terms, in_week)
    weekly = weekly_limits(engagement.terms, in_week)
    return page(
        request,
        "week.html",
        place="agreement",
        monday=monday,
        counted_in=zone.key,
        sunday=monday + timedelta(days=_DAYS - 1),
        before=monday - timedelta(days=_DAYS),
        after=monday + timedelta(days=_DAYS) if monday + timedelta(days=_DAYS) <= today else None,
        days=[_day(engagement.terms, one) for one in in_week],
        recorded_ms=sum(one.recorded_ms for one in in_week),
        late_ms=sum(one.late_ms for one in in_week),
        offline_ms=sum(one.offline_ms for one in in_week),
        billed=billed,
        by_day=engagement.terms.granularity is Granularity.DAY,
        # What was withdrawn of other weeks is read with it, and is not of this one.
        totals=totals_between(engagement.terms, entries, zone, *_moments(monday, zone)),
        projects=None if labelled is None else _named(labelled.projects, monday),
        tags=None if labelled is None else _named(labelled.tags, monday),
        exceeded=[_limit(one) for one in (*share_exceeded(desk.ledger, engagement), *weekly)],
    )


def _entries(desk: Desk, engagement: Engagement, monday: date, zone: ZoneInfo) -> list[Entry]:
    """Read what tells of a week, and of the time around it in which its captures end."""
    begin, end = _moments(monday, zone)
    near = nearby_ms(engagement.terms)
    return entries_of(desk.ledger, engagement, begin - near, end + near)


def _moments(monday: date, zone: ZoneInfo) -> tuple[int, int]:
    """Return when a week begins and ends."""
    begin, _ = bounds(monday, zone)
    _, end = bounds(monday + timedelta(days=_DAYS - 1), zone)
    return begin, end


def _is_in(day: date, monday: date) -> bool:
    return monday <= day < monday + timedelta(days=_DAYS)


def _named(rows: Iterable[NamedDay], monday: date) -> list[dict[str, Any]]:
    """Say what the time of a week was for; nothing where no word covers any of it."""
    sums = sums_of_names(row for row in rows if _is_in(row.day, monday))
    if not any(name is not None and any(worked.values()) for name, worked in sums.items()):
        return []
    return [
        {
            "name": name,
            "classes": [
                {"state": say(f"state.{CLASSES[kind]}"), "ms": ms}
                for kind, ms in worked.items()
                if ms
            ],
        }
        for name, worked in sums.items()
        if any(worked.values())
    ]


def _day(terms: Terms, one: DayTotal) -> dict[str, Any]:
    billed = billed_of(terms, [one])
    return {
        "day": one.day,
        "recorded_ms": one.recorded_ms,
        "late_ms": one.late_ms,
        "offline_ms": one.offline_ms,
        "billed_ms": billed.ms,
        "amount": billed.amount,
        "currency": billed.currency,
    }


def _limit(one: LimitExceeded) -> str:
    """Say which limit was passed, in the unit that people know it in."""
    names = {
        "withdrawn percent": "withdrawn",
        "offline ms per week": "offline",
        "worked ms per week": "worked",
    }
    name = names[one.limit]
    in_time = name != "withdrawn"
    allowed = span(one.allowed) if in_time else f"{one.allowed} %"
    found = span(one.found) if in_time else f"{one.found} %"
    return say(f"limit.{name}", allowed=allowed, found=found)


def _monday(text: str | None, today: date) -> date:
    try:
        day = day_written(text) if text else today
    except ValueError as error:
        raise FormError(say("problem.day")) from error
    if not _FIRST_YEAR < day.year < _LAST_YEAR:
        raise FormError(say("problem.day"))
    return day - timedelta(days=day.weekday())
