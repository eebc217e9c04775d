"""The hours of some days of a report: what every form of a file is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from workseal_protocol.activity import ActivityShare
from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.days import DayTotal, cut_days, worked_shares
from workseal_protocol.diary import Span
from workseal_protocol.digest import Digest
from workseal_protocol.labels import Labelled, NamedDay
from workseal_protocol.records import Segment
from workseal_protocol.terms import Terms, WorkClass
from workseal_protocol.timesheets import SheetFinding
from workseal_protocol.totals import LimitExceeded
from workseal_protocol.verify import Report
from workseal_protocol.window import Grade

CLASSES: Final[Mapping[WorkClass, str]] = {
    WorkClass.WORKING: "working",
    WorkClass.OFF_SCREEN: "off-screen",
    WorkClass.SEALED: "sealed",
    WorkClass.LATE_DECLARED: "late-declared",
}

_WEEK: Final = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Hold the hours of [first, last], days of `zone`.

    `spans` have worked time and are cut at midnights, so that they add up to `days`; `by_grade`
    says of the recorded time how it is known. `activity` and `labelled` are what was opened about
    these days; a stretch of activity belongs to the day of its begin. `timesheet` and `said`
    are whose days they are, where they were asked for by a timesheet, and what was said to it.
    """

    engagement: bytes
    terms: Terms
    bundle: Digest
    origin: str
    tree_size: int
    zone: tzinfo
    first: date
    last: date
    days: tuple[DayTotal, ...]
    spans: tuple[Span, ...]
    by_grade: Mapping[Grade, int]
    activity: tuple[ActivityShare, ...]
    labelled: Labelled
    billed: Billed
    exceeded: tuple[LimitExceeded, ...]
    known_by_ms: int | None
    not_proven: tuple[str, ...]
    timesheet: SheetFinding | None = None
    said: str | None = None

    @property
    def recorded_ms(self) -> int:
        """Add up what was recorded; late-declared time stands beside it."""
        return sum(recorded_of(day) for day in self.days)

    @property
    def late_ms(self) -> int:
        """Add up what was declared late."""
        return sum(day.late_ms for day in self.days)

    def billed_day(self, day: DayTotal) -> int:
        """Return what the terms make of one day's time, in milliseconds."""
        return billed_of(self.terms, [day]).ms

    def local(self, ms: int) -> datetime:
        """Return an instant in the sheet's zone."""
        return datetime.fromtimestamp(ms / 1000, tz=self.zone)


def recorded_of(day: DayTotal | NamedDay) -> int:
    """Return the recorded time of a day, late-declared time left out."""
    return sum(ms for kind, ms in day.worked_ms.items() if kind is not WorkClass.LATE_DECLARED)


def sheet_of(
    data: bytes, report: Report, zone: tzinfo, first: date | None, last: date | None
) -> Sheet:
    """Take the hours of some days, by default all, from a report that holds.

    Raises `CommandError` when these days have none.
    """
    terms, totals = report.terms, report.totals
    if terms is None or totals is None or report.engagement is None or report.origin is None:
        raise CommandError("the bundle has no hours")
    days = tuple(
        day
        for day in totals.days
        if (first is None or first <= day.day) and (last is None or day.day <= last)
    )
    if not days:
        raise CommandError("the bundle has no hours on these days")
    first, last = first or days[0].day, last or days[-1].day
    spans = (part for span in report.diary for part in _cut(span, zone, first, last))
    labelled = report.labelled
    return Sheet(
        engagement=report.engagement,
        terms=terms,
        bundle=Digest.of(data),
        origin=report.origin,
        tree_size=report.tree_size or 0,
        zone=zone,
        first=first,
        last=last,
        days=days,
        spans=tuple(part for part in spans if part.worked_ms),
        by_grade=_by_grade(report, zone, first, last),
        activity=tuple(
            row for row in report.activity if first <= (row.day or _day_of(row.begin, zone)) <= last
        ),
        labelled=Labelled(
            projects=tuple(row for row in labelled.projects if first <= row.day <= last),
            tags=tuple(row for row in labelled.tags if first <= row.day <= last),
        ),
        billed=billed_of(terms, days),
        exceeded=tuple(
            one
            for one in totals.exceeded
            if one.week is None or any(one.week <= day.day <= one.week + _WEEK for day in days)
        ),
        known_by_ms=None if report.window is None else report.window.upper,
        not_proven=report.not_proven,
    )


def _cut(span: Span, zone: tzinfo, first: date, last: date) -> Iterator[Span]:
    """Cut a span into its parts of some days."""
    for day, begin, end in cut_days(span.begin, span.end, zone):
        if first <= day <= last:
            worked = span.worked_between(begin, end)
            yield replace(span, begin=begin, end=end, worked_ms=worked, course=())


def _by_grade(report: Report, zone: tzinfo, first: date, last: date) -> Mapping[Grade, int]:
    """Add up, of some days, the recorded time by how it is known."""
    sums = dict.fromkeys(Grade, 0)
    for entry in report.entries:
        if isinstance(entry.record, Segment) and entry.grade is not None:
            for day, _, part in worked_shares(entry.record, zone):
                if first <= day <= last:
                    sums[entry.grade] += part
    return sums


def _day_of(ms: int | None, zone: tzinfo) -> date:
    return datetime.fromtimestamp((ms or 0) / 1000, tz=zone).date()
