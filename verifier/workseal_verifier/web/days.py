"""A day with its time line, and one minute of it explained: which statements, what they prove.

Rule: where the agreement shows time by the day, a day is one figure here: no hours, no minutes.
"""

import re
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from workseal_protocol.records import Capture, Declaration, DeclarationForm, Segment, Tombstone
from workseal_protocol.terms import Granularity
from workseal_protocol.verify.unproven import ALWAYS
from workseal_protocol.window import Entry
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import engagement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.diaries import Agreed, Reach
from workseal_verifier.services.weekfold import UNSURE, Week, bounds
from workseal_verifier.web.agreements import about, sums_of
from workseal_verifier.web.explained import NOT_PROVEN, bound_text, grade_text
from workseal_verifier.web.render import clock, page, read_day
from workseal_verifier.web.timeline import hours_of, parts_of, stretches_of

router = APIRouter(prefix="/diary", include_in_schema=False)

_MINUTE_MS = 60_000
# A minute of whoever pauses and goes on all the time; each statement is a paragraph.
_MOST_TOLD = 120
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_CAPTURES = {
    Capture.NONE: "no capture was due in it",
    Capture.CAPTURED: "a capture was due in it and taken",
    Capture.MISSED: "a capture was due in it and could not be taken",
}


@router.get("/{name}/day")
def get_day(request: Request, name: str, given: Given, of: Annotated[str, Query()]) -> Response:
    """Show one day."""
    agreed, reach, week = _read(given, name, day := read_day(of))
    total = week.total(day)
    begin, end = bounds(day, agreed.zone)
    by_day = agreed.terms.granularity is Granularity.DAY
    stretches = () if by_day else stretches_of(week.spans, begin, end)
    return page(
        request,
        "day.html",
        **about(agreed, reach),
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        sums=sums_of(agreed.terms, [total] if total else []),
        contradicted=week.contradicted,
        stretches=stretches,
        gap_ms=sum(one.end_ms - one.begin_ms for one in stretches if not one.worked_ms),
        length_ms=stretches[-1].end_ms - stretches[0].begin_ms if stretches else 0,
        hours=list(hours_of(stretches, begin)),
        at=clock(stretches[0].begin_ms, agreed.zone) if stretches else "09:00",
    )


@router.get("/{name}/minute")
def get_minute(
    request: Request,
    name: str,
    given: Given,
    of: Annotated[str, Query()],
    at: Annotated[str, Query()],
) -> Response:
    """Explain one minute; where clocks are put back, both that are told by the same time."""
    day = read_day(of)
    if _TIME.fullmatch(at) is None:
        raise RefusedError(Reason.MALFORMED, "at: a minute is written like 09:05")
    agreed, reach, week = _read(given, name, day)
    if agreed.terms.granularity is Granularity.DAY:
        raise RefusedError(
            Reason.NOT_FOUND, "this agreement shows time by the day: no hours and no minutes"
        )
    begin, end = bounds(day, agreed.zone)
    found = [at_ms for at_ms in range(begin, end, _MINUTE_MS) if clock(at_ms, agreed.zone) == at]
    if not found:
        raise RefusedError(Reason.NOT_FOUND, "clocks were put forward: this day has no such minute")
    return page(
        request,
        "minute.html",
        **about(agreed, reach),
        day=day,
        at=at,
        minutes=[_minute(given, agreed, reach, week, at_ms) for at_ms in found],
        contradicted=week.contradicted,
        always=ALWAYS[:3],
    )


def _read(given: Given, name: str, day: date) -> tuple[Agreed, Reach, Week]:
    reach = given.diaries.reach()
    agreed = given.diaries.agreed(engagement(name))
    return agreed, reach, given.diaries.week(agreed, day, reach)


def _minute(given: Given, agreed: Agreed, reach: Reach, week: Week, at_ms: int) -> dict[str, Any]:
    entries = given.diaries.minute(agreed, at_ms, reach)
    untold = _untold(at_ms, given.clock.now_ms(), given.diaries.told_until(agreed, reach))
    parts = parts_of(week.spans, at_ms, at_ms + _MINUTE_MS, untold)
    gone = {entry.record.segment for entry in entries if isinstance(entry.record, Tombstone)}
    told = [_told(agreed, entry, gone) for entry in entries[:_MOST_TOLD]]
    return {
        "begin_ms": at_ms,
        "end_ms": at_ms + _MINUTE_MS,
        "parts": parts,
        "worked_ms": sum(one.worked_ms for one in parts),
        "statements": told,
        "untold": len(entries) - len(told),
        "not_proven": list(
            dict.fromkeys(NOT_PROVEN[entry.grade] for entry in entries if entry.grade)
        ),
    }


def _untold(at_ms: int, now_ms: int, told_until_ms: int) -> str:
    """Say why nothing of a week tells of a minute, as far as that can be known here."""
    if at_ms >= now_ms:
        return "it is still to come"
    if at_ms + _MINUTE_MS > told_until_ms:
        return f"{UNSURE}, or its record has not reached the log"
    return UNSURE


def _told(agreed: Agreed, entry: Entry, gone: set[Any]) -> dict[str, Any]:
    """Say what one statement tells, and how well it is known."""
    record = entry.record
    told: dict[str, Any] = {
        "index": entry.index,
        "digest": str(entry.digest),
        "kind": record.KIND.value,
        "grade": None if entry.grade is None else entry.grade.value,
        "why": grade_text(agreed.terms, entry),
        "bounds": bound_text(entry.window, agreed.zone),
        "remarks": [],
    }
    match record:
        case Segment():
            told |= {"begin_ms": record.begin, "end_ms": record.end, "worked_ms": record.worked}
            told["remarks"] = _remarks(record, withdrawn=entry.digest in gone)
        case Declaration(form=DeclarationForm.LATE):
            told |= {"begin_ms": record.begin, "end_ms": record.end, "worked_ms": record.worked}
        case Tombstone(reason=reason):
            told["remarks"] = [f"a frame is withdrawn; the reason given is: {_named(reason.name)}"]
        case _:
            pass
    return told


def _remarks(record: Segment, *, withdrawn: bool) -> list[str]:
    found = [f"round {record.round}", _CAPTURES[record.capture]]
    if record.frames:
        found.append(f"frames committed to: {len(record.frames)}")
    if withdrawn:
        found.append("a frame of it was withdrawn; its time stays")
    if record.activity is not None:
        found.append("activity is committed to and not shown")
    return found


def _named(name: str) -> str:
    return name.lower().replace("_", " ")
