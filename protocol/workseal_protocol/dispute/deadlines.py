"""Deadlines: counted once by a calendar that the caller brings, then checked without one.

Rules (docs/spec/deadlines.md): the days are those of whoever must act; the day of the notice does
not count; a deadline ends with its day, in the zone. A program without the calendar checks that a
written deadline is not shorter than the weekdays and the days off of each whom it is counted for
allow, and not longer than any calendar makes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Protocol

from workseal_protocol.dispute.rules import CaseError, Rule
from workseal_protocol.keys import Role
from workseal_protocol.records import CaseCalendar, Due

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
# A sender counts a moment before the log takes the statement, and may stand on the other side of a
# change to summer time: so much earlier may its day have begun.
LENIENCE_MS: Final = 70 * MINUTE_MS
# Where zones differ, a day may begin and end so much earlier or later: the largest offset.
ZONES_MS: Final = 960 * MINUTE_MS
# The longest that working days can take: twice their number and a holiday season.
SEASON_DAYS: Final = 16
# Days off that are announced later than this before they begin do not count.
ANNOUNCED_DAYS: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO: Final = date(1970, 1, 1)
_LAST: Final = time(23, 59, 59, 999_000, fold=1)


class WorkingDays(Protocol):
    """Know which days somebody works; made by whoever has a table of holidays."""

    @property
    def name(self) -> str:
        """Name country and subdivision, as the terms do."""
        ...

    @property
    def source(self) -> str:
        """Name the table of holidays and its version."""
        ...

    @property
    def zone_name(self) -> str:
        """Name the zone."""
        ...

    @property
    def zone(self) -> tzinfo:
        """Give the zone."""
        ...

    @property
    def weekend(self) -> int:
        """Give the two or three weekly days off; bit 0 is Monday."""
        ...

    def works(self, day: date) -> bool:
        """Say whether the day is a working day; `ValueError` where that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """Ask for a deadline: so many working days, and at least so many days, after a moment."""

    base_ms: int
    days: int
    least_days: int = 0
    not_before_ms: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say which deadline a statement must write, and by whose days it is counted."""

    span: Span
    counted: frozenset[Role]

    def count(self, calendars: Iterable[WorkingDays]) -> Due:
        """Count it by each of the calendars and take the latest."""
        return max((count_due(self.span, each) for each in calendars), key=lambda due: due.until)


def count_due(span: Span, calendar: WorkingDays) -> Due:
    """Count a deadline; `ValueError` where the calendar does not reach."""
    start = day_in(span.base_ms, calendar.zone)
    day, left = start, span.days
    while left or not _reaches(span, start, day, calendar):
        day += timedelta(days=1)
        left -= left > 0 and calendar.works(day)
    until, offset = end_of_day(day, calendar.zone)
    return Due(
        until=until,
        days=span.days,
        calendar=calendar.name,
        source=calendar.source,
        zone=calendar.zone_name,
        offset=offset,
        weekend=calendar.weekend,
    )


def _reaches(span: Span, start: date, day: date, calendar: WorkingDays) -> bool:
    """Say whether a day after the counted ones may be the last."""
    if not calendar.works(day):
        return False
    late_enough = (day - start).days >= span.least_days
    return late_enough and end_of_day(day, calendar.zone)[0] >= span.not_before_ms


def day_in(ms: int, zone: tzinfo) -> date:
    """Return the day of a moment in a zone."""
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone).date()


def end_of_day(day: date, zone: tzinfo) -> tuple[int, int]:
    """Return the last millisecond of a day, and the minutes east of UTC at it.

    Where clocks go back over midnight the last millisecond comes twice: the later one counts.
    """
    last = datetime.combine(day, _LAST, tzinfo=zone)
    until = (last - _EPOCH) // timedelta(milliseconds=1)
    offset = last.utcoffset() or timedelta()
    return until, offset // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Announced:
    """Hold a calendar that somebody announced, and on which day of 1970's count."""

    calendar: CaseCalendar
    day: int

    @property
    def off(self) -> frozenset[int]:
        """Return the days off that were announced early enough to count."""
        first = self.day + ANNOUNCED_DAYS
        return frozenset(day for day in self.calendar.days_off if day >= first)


def check_due(due: Due, span: Span, announced: Sequence[Announced]) -> None:
    """Check what can be checked without a table of holidays, or raise `CaseError`.

    `announced` has the calendars of all whose days count, as far as they announced one: the
    deadline is that of the latest.
    """
    if due.days != span.days:
        raise _wrong(f"{span.days} working days", str(due.days))
    offset = due.offset * MINUTE_MS
    if (due.until + 1 + offset) % DAY_MS:
        raise _wrong("the last millisecond of a day in the zone", str(due.until))
    first = (span.base_ms - LENIENCE_MS + offset) // DAY_MS
    last = (due.until + offset) // DAY_MS
    # A day off elsewhere makes no deadline longer.
    off = max((sum(first <= day <= last for day in one.off) for one in announced), default=0)
    _check_length(due, span, first=first, last=last, off=off)
    _require_worked(range(first + 1, last + 1), span.days, due.weekend, frozenset())
    for one in announced:
        within = range(first + 1, last + 1)
        if one.calendar.zone != due.zone:
            begin = (span.base_ms - LENIENCE_MS - ZONES_MS) // DAY_MS
            within = range(begin + 1, (due.until + ZONES_MS) // DAY_MS + 1)
        _require_worked(within, span.days, one.calendar.weekend, one.off)


def _check_length(due: Due, span: Span, *, first: int, last: int, off: int) -> None:
    longest = first + 1 + max(2 * span.days + SEASON_DAYS + off, span.least_days + SEASON_DAYS)
    longest = max(longest, span.not_before_ms // DAY_MS + 1 + SEASON_DAYS)
    if last > longest:
        raise _wrong(f"at most {longest - first} days", f"{last - first} days")
    if last < first + span.least_days or due.until < span.not_before_ms:
        raise _wrong(f"at least {span.least_days} days", f"{last - first} days")


def _require_worked(within: range, days: int, weekend: int, off: frozenset[int]) -> None:
    worked = sum(_is_weekday(day, weekend) and day not in off for day in within)
    if worked < days:
        raise _wrong(f"{days} weekdays that are not days off", f"{worked}")


def _is_weekday(day: int, weekend: int) -> bool:
    return not weekend >> ((_ZERO.weekday() + day) % 7) & 1


def _wrong(expected: str, found: str) -> CaseError:
    return CaseError(Rule.DEADLINE, "the deadline", expected=expected, found=found)
