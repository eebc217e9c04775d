"""The agreements of whoever is signed in, and one of them as a whole: week by week."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response

from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.days import DayTotal
from workseal_protocol.records import SegmentState
from workseal_protocol.terms import Granularity, Terms, WorkClass, plain_language
from workseal_protocol.timesheets import date_of
from workseal_protocol.totals import LimitExceeded, Totals
from workseal_protocol.window import Grade
from workseal_verifier.api.access import Asking, OwnSession
from workseal_verifier.api.services import Given, Services
from workseal_verifier.api.values import engagement, mark_text, optional_mark
from workseal_verifier.services.access import TABLE, About, State, Verdict, decide
from workseal_verifier.services.diaries import Agreed, Course, Reach
from workseal_verifier.services.sheetreview import MOST_SHEETS
from workseal_verifier.services.standing import Listed
from workseal_verifier.services.weekfold import DAYS, Week, overall_limits
from workseal_verifier.web.answered import Said
from workseal_verifier.web.caselist import awaiting, lines_of
from workseal_verifier.web.render import page, span

router = APIRouter(prefix="/diary", include_in_schema=False)

CLASSES = {
    WorkClass.WORKING: "working",
    WorkClass.OFF_SCREEN: "off-screen",
    WorkClass.SEALED: "sealed",
    WorkClass.LATE_DECLARED: "late-declared",
}
# More weeks than these stand by year, the newest one open.
_MOST_OPEN = 26
_DIARY = TABLE["GET /diary/{name}"]


@dataclass(frozen=True, slots=True)
class Sums:
    """Hold the figures of some days side by side: what was worked, and what it is billed as."""

    recorded_ms: int
    late_ms: int
    offline_ms: int
    billed: Billed
    classes: tuple[tuple[str, int], ...]


def sums_of(terms: Terms, days: Iterable[DayTotal]) -> Sums:
    """Add up days; late-declared time stands beside what was recorded."""
    days = tuple(days)
    by_class = {kind: sum(day.worked_ms[kind] for day in days) for kind in WorkClass}
    late = by_class[WorkClass.LATE_DECLARED]
    return Sums(
        recorded_ms=sum(by_class.values()) - late,
        late_ms=late,
        offline_ms=sum(day.offline_ms for day in days),
        billed=billed_of(terms, days),
        classes=tuple((CLASSES[kind], ms) for kind, ms in by_class.items() if ms),
    )


def counts_of(weeks: Iterable[Week]) -> dict[str, Any]:
    """Add up how time is known, and what became of the captures."""
    totals = [week.totals for week in weeks]
    captured = sum(one.captured for one in totals)
    return {
        "grades": {grade.value: sum(one.by_grade[grade] for one in totals) for grade in Grade},
        "states": {state: sum(one.by_state[state] for one in totals) for state in SegmentState},
        "captured": captured,
        "missed": sum(one.missed for one in totals),
        "sealed": sum(one.sealed for one in totals),
        "outside": sum(one.due_outside for one in totals),
        "stepped_over": sum(one.stepped_over for one in totals),
        "frames": sum(one.frames for one in totals),
        "withdrawn": sum(map(_taken_back, totals)),
        "expired": sum(one.expired for one in totals),
        "share": _share(sum(one.thinned for one in totals), captured),
    }


def _taken_back(totals: Totals) -> int:
    """Count the withdrawn frames but for those that were kept as long as was agreed."""
    return totals.withdrawn - totals.expired


def _share(thinned: int, captured: int) -> str:
    """Say of how much of the captures a frame was taken back, as the terms limit it."""
    if not captured:
        return "none taken"
    # Rounded up, as the limit is: what passes it is never shown as equal to it.
    tenths = -(-thinned * 1000 // captured)
    return f"{tenths // 10}.{tenths % 10} %"


def about(agreed: Agreed, reach: Reach) -> dict[str, Any]:
    """Give what every page of an agreement shows of it."""
    return {
        "name": agreed.engagement.hex(),
        "agreed": agreed,
        "terms": agreed.terms,
        "zone": agreed.zone,
        "reach": reach,
        "by_day": agreed.terms.granularity is Granularity.DAY,
        "worth": [(CLASSES[kind], agreed.terms.worth_percent[kind]) for kind in WorkClass],
    }


def limit_text(one: LimitExceeded) -> str:
    """Say which limit of the terms was passed, in the unit that people know it in."""
    match one.limit:
        case "withdrawn percent":
            return (
                f"Of {one.found} % of the captures a frame was withdrawn; the agreement allows"
                f" {one.allowed} %."
            )
        case "offline ms per week":
            return (
                f"{span(one.found)} of the week were recorded late or offline; the agreement"
                f" allows {span(one.allowed)}."
            )
        case _:
            return (
                f"{span(one.found)} were worked; the agreement allows {span(one.allowed)} a week."
            )


@router.get("")
def get_agreements(
    request: Request, session: OwnSession, given: Given, before: str | None = None
) -> Response:
    """List the agreements that the signed-in key may read, and before them what waits for it."""
    now_ms = given.clock.now_ms()
    reach = given.diaries.reach()
    own = given.hearings.own(session.thumbprint)
    lines = lines_of(own.cases, session.thumbprint, now_ms)
    listed = given.standings.engagements(session.thumbprint, after=optional_mark(before, "before"))
    rows = []
    for name, standing in listed.engagements:
        if decide(_DIARY, [standing], fresh=False, now_ms=now_ms) is not Verdict.ALLOWED:
            continue
        agreed = given.diaries.agreed(name)
        rows.append(
            {
                "name": name.hex(),
                "role": standing.who.value,
                "state": standing.state.value,
                "terms": agreed.terms,
                "days": given.diaries.days(agreed, reach),
                "cases": [
                    one for one in lines if one["engagement"] == name.hex() and not one["closed"]
                ],
            }
        )
    return page(
        request,
        "agreements.html",
        rows=rows,
        key=str(session.thumbprint),
        awaiting=awaiting(lines),
        cases=len(lines),
        more_cases=own.following is not None,
        goes_on=before is not None,
        before=mark_text(listed.following),
    )


@router.get("/{name}")
def get_diary(request: Request, name: str, asking: Asking, given: Given) -> Response:
    """Show all of an agreement: its weeks, and their sums."""
    wanted = engagement(name)
    reach = given.diaries.reach()
    agreed = given.diaries.agreed(wanted)
    standings = given.standings.of(asking.thumbprint, About.ENGAGEMENT, wanted)
    course = given.diaries.course(agreed, reach)
    two = (agreed.terms.client.thumbprint, agreed.terms.freelancer.thumbprint)
    between = given.standings.between(asking.thumbprint, *two)
    review = given.sheets.listed(agreed, reach)
    said = Said.to(agreed, review)
    return page(
        request,
        "diary.html",
        **about(agreed, reach),
        years=list(_years(agreed.terms, course, said)),
        folded=len(course.weeks) > _MOST_OPEN,
        sums=sums_of(agreed.terms, (day for week in course.weeks for day in week.days)),
        counts=counts_of(course.weeks),
        uncounted=course.uncounted,
        # The share is of all weeks: of some of them it says nothing.
        exceeded=[]
        if course.uncounted
        else [limit_text(one) for one in overall_limits(agreed.terms, course.weeks)],
        unanswered=[
            {"first": date_of(one.record.first), "last": date_of(one.record.last)}
            for one in said.unanswered
        ],
        older=review.older,
        most=MOST_SHEETS,
        contradicted=any(week.contradicted for week in course.weeks),
        sentences=plain_language(agreed.terms),
        # What the client alone signed is agreed by nobody.
        offered=all(one.state is State.OFFERED for one in standings),
        others=list(_others(given, agreed, reach, between)),
        more_others=between.following is not None,
    )


def _others(
    given: Services, agreed: Agreed, reach: Reach, between: Listed
) -> Iterator[dict[str, Any]]:
    """Give the other agreements of the same two that the asker may read.

    Terms never change: where these two agree on others, that is another agreement. What one of them
    alone signed is among the asker's agreements, and not here: it is agreed by nobody.
    """
    now_ms = given.clock.now_ms()
    for name, standing in between.engagements:
        may_read = decide(_DIARY, [standing], fresh=False, now_ms=now_ms) is Verdict.ALLOWED
        if name == agreed.engagement or not may_read:
            continue
        other = given.diaries.agreed(name)
        days = given.diaries.days(other, reach)
        yield {"name": name.hex(), "terms": other.terms, "days": days}


def _years(terms: Terms, course: Course, said: Said) -> Iterator[dict[str, Any]]:
    """Give the weeks by the year of their Mondays, the newest first."""
    for year, found in groupby(course.weeks, key=lambda week: week.monday.year):
        weeks = tuple(found)
        yield {
            "year": year,
            "weeks": [_row(terms, week, said) for week in weeks],
            "sums": sums_of(terms, (day for week in weeks for day in week.days)),
        }


def _row(terms: Terms, week: Week, said: Said) -> dict[str, Any]:
    return {
        "monday": week.monday,
        "sunday": week.monday + timedelta(days=DAYS - 1),
        "sums": sums_of(terms, week.days),
        "withdrawn": _taken_back(week.totals),
        "exceeded": [limit_text(one) for one in week.exceeded],
        "sheets": said.of(week),
        "accepted": said.beside(week),
    }
