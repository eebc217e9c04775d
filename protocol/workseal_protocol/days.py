"""Work cut at the midnights of a zone: the days and weeks to which worked time belongs.

Rules: integers only. The parts of a figure add up to it, whatever a zone does at midnight.
docs/spec/totals.md
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import groupby

from workseal_protocol.records import Declaration, DeclarationForm, Record, Segment
from workseal_protocol.terms import WorkClass
from workseal_protocol.window import Entry, Grade

HOUR_MS = 3_600_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DayTotal:
    """Hold one day of the terms' zone: worked milliseconds of each class, and the offline part."""

    day: date
    worked_ms: Mapping[WorkClass, int]
    offline_ms: int

    @property
    def recorded_ms(self) -> int:
        """Give the recorded time; late-declared time stands beside it."""
        return sum(self.worked_ms.values()) - self.late_ms

    @property
    def late_ms(self) -> int:
        """Give the late-declared time."""
        return self.worked_ms[WorkClass.LATE_DECLARED]


def days_of(entries: Iterable[Entry], zone: tzinfo) -> tuple[DayTotal, ...]:
    """Cut verified entries into the days of a zone; days without work are left out."""
    worked: defaultdict[date, Counter[WorkClass]] = defaultdict(Counter)
    offline: Counter[date] = Counter()
    for entry in entries:
        if isinstance(entry.record, Segment) and entry.grade is None:
            continue
        # What was proved late could have been made up late, with every draw known.
        unseen = isinstance(entry.record, Segment) and entry.grade in {Grade.OFFLINE, Grade.LATE}
        for day, kind, part in worked_shares(entry.record, zone):
            worked[day][kind] += part
            if unseen:
                offline[day] += part
    return tuple(
        DayTotal(day, {kind: worked[day][kind] for kind in WorkClass}, offline[day])
        for day in sorted(worked)
    )


def weeks_of(days: Sequence[DayTotal]) -> Iterator[tuple[date, tuple[DayTotal, ...]]]:
    """Give the days, which come in their order, by the Monday of their weeks."""
    for monday, own in groupby(days, key=lambda one: one.day - timedelta(days=one.day.weekday())):
        yield monday, tuple(own)


def cut_days(begin: int, end: int, zone: tzinfo) -> Iterator[tuple[date, int, int]]:
    """Cut [begin, end), Unix milliseconds, at the midnights of a zone."""
    while begin < end:
        day = _day_of(begin, zone)
        stop = min(_midnight_after(day, begin, zone), end)
        yield day, begin, stop
        begin = stop


def day_shares(begin: int, end: int, worked: int, zone: tzinfo) -> Iterator[tuple[date, int]]:
    """Divide a figure of [begin, end) among its days, so that the parts add up to the whole."""
    if begin == end:
        yield _day_of(begin, zone), worked
        return
    given = 0
    for day, _, stop in cut_days(begin, end, zone):
        # Cumulative: each part is what is due until then, less what was given.
        until = worked * (stop - begin) // (end - begin)
        yield day, until - given
        given = until


def worked_shares(record: Record, zone: tzinfo) -> Iterator[tuple[date, WorkClass, int]]:
    """Give the worked milliseconds that a record adds to each day; most records add none."""
    match record:
        case Segment():
            kind = WorkClass(record.state)
        case Declaration(form=DeclarationForm.LATE):
            kind = WorkClass.LATE_DECLARED
        case _:
            return
    for day, part in day_shares(record.begin, record.end, record.worked, zone):
        yield day, kind, part


def _day_of(instant: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(instant // 1000, tz=UTC).astimezone(zone).date()


def _midnight_after(day: date, instant: int, zone: tzinfo) -> int:
    # Midnight may be skipped or told twice where clocks change then: the first telling that is
    # still to come counts, and an hour's step passes whatever a zone may invent beyond that.
    for stop in _midnights(day, zone):
        if stop > instant:
            return stop
    return instant + HOUR_MS


# A month's segments ask for the same few days.
@lru_cache(maxsize=1024)
def _midnights(day: date, zone: tzinfo) -> tuple[int, ...]:
    """Give when the midnight after a day is told, for the first time and the second."""
    following = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    told = (following.replace(fold=fold) for fold in (0, 1))
    return tuple((one - _EPOCH) // timedelta(milliseconds=1) for one in told)
