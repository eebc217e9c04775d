"""The hours that a case is about, as its page shows them: weeks, captures, what the desk counts.

Rules: weeks are those of the diary's pages. Of the desk's checks the two run here that read the log
alone; what was opened is nowhere on this server. What is read is bounded, one case is read at a
time with the diaries, and kept until something comes that is about its hours.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from workseal_protocol.chain import LONGEST_DECLARATION
from workseal_protocol.desk import Checked, Material, Withdrawals, examine_hours, withdrawals_of
from workseal_protocol.desk.material import Placed
from workseal_protocol.digest import Digest
from workseal_protocol.records import Capture, Declaration, Record, Segment
from workseal_protocol.statement import Kind
from workseal_verifier.services.diaries import MOST_IN_WEEK, Agreed, Course, Diaries, Reach
from workseal_verifier.services.weekfold import DAYS, bounds, entries_of, read_records
from workseal_verifier.store.diaryrows import DiaryRowStore
from workseal_verifier.store.logrows import Entry as Stored
from workseal_verifier.store.records import RecordStore

# Cover and schedule: they count what stands in the log, and open nothing.
RUN_HERE: Final = (1, 2)
# Captures that are kept, of all cases together, and cases.
_KEPT: Final = 100_000
_CASES: Final = 64
# Statements that are looked at to tell whether what is kept still stands.
_LOOKED_AT: Final = 1_000

# What was read for weeks, by their Mondays.
_Read = Mapping[date, Sequence[tuple[Stored, Record]]]


@dataclass(frozen=True, slots=True)
class About:
    """Hold what a case is about: hours from begin to end, and where in the log it was filed."""

    begin_ms: int
    end_ms: int
    filed: int


# The hours of an engagement; what was withdrawn of them is told by where the case was filed.
_Key = tuple[bytes, About]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Hold one capture that was due: when its segment began, what became of it and its frames.

    Of its frames some were `withdrawn`, others `expired`: deleted before the case was filed, when
    the days that the terms ask for were over. Of the withdrawn ones some were so `since_filing`.
    It was `foreseeable` where the round was drawn without the operator's value.
    """

    at_ms: int
    missed: bool
    frames: int
    withdrawn: int
    since_filing: int
    expired: int
    foreseeable: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """Hold what the log tells of captures in some hours, and what the desk says of it.

    `active` has when each segment begins that commits to activity, in the order of time.
    """

    captures: tuple[Drawn, ...]
    checks: tuple[Checked, ...]
    active: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Disputed:
    """Hold the weeks of the disputed hours; `counted` is None where they are too many to count."""

    course: Course
    counted: Counted | None


@dataclass(frozen=True, slots=True)
class Cited:
    """Say which statement is cited, and since when it tells of work, if it does."""

    index: int
    kind: str
    begin_ms: int | None


class DisputedHours:
    """Answer from the published log."""

    def __init__(self, records: RecordStore, diaries: Diaries) -> None:
        self._records = records
        self._rows = DiaryRowStore(records.database)
        self._diaries = diaries
        self._lock = threading.Lock()
        # Up to where the log was looked at, and what it told.
        self._known: OrderedDict[_Key, tuple[int, Counted]] = OrderedDict()

    def of(self, agreed: Agreed, about: About, reach: Reach) -> Disputed:
        """Tell of the hours that a case is about."""
        days = self._days(agreed, about.begin_ms, about.end_ms, reach)
        key = (agreed.engagement, about)
        counted = self._still(key, reach)
        # The weeks that are folded for this question: their statements are not read twice.
        read: dict[date, Sequence[tuple[Stored, Record]]] = {}
        course = Course((), ())
        if days is not None:
            heard = read.__setitem__ if counted is None else None
            course = self._diaries.course(agreed, reach, between=days, heard=heard)
        if counted is None:
            with self._diaries.turn():
                counted = self._count(agreed, about, reach, read)
            if counted is not None:
                self._keep(key, reach, counted)
        return Disputed(course, counted)

    def cited(
        self, agreed: Agreed, digests: Iterable[Digest], reach: Reach
    ) -> Mapping[Digest, Cited]:
        """Find statements of the engagement that somebody cites; of others nothing is said."""
        found = {}
        for digest in digests:
            entry = self._records.by_digest(digest)
            if entry is None or entry.position >= reach.size:
                continue
            if entry.engagement == agreed.engagement:
                ((_, record),) = read_records((entry,))
                begin = record.begin if isinstance(record, Segment | Declaration) else None
                found[digest] = Cited(entry.position, entry.kind, begin)
        return found

    def _days(
        self, agreed: Agreed, begin_ms: int, end_ms: int, reach: Reach
    ) -> tuple[date, date] | None:
        """Name the days that hours touch, among those of which work is told."""
        told = self._diaries.days(agreed, reach)
        if told is None:
            return None
        # A filing may name hours that no calendar has.
        begin = max(begin_ms, bounds(told[0], agreed.zone)[0])
        end = min(end_ms, bounds(told[1], agreed.zone)[1])
        if begin >= end:
            return None
        first, last = (
            datetime.fromtimestamp(ms // 1000, agreed.zone).date() for ms in (begin, end - 1)
        )
        return first, last

    def _still(self, key: _Key, reach: Reach) -> Counted | None:
        """Return what is kept, if nothing came since that is about these hours."""
        with self._lock:
            seen, found = self._known.get(key, (0, None))
        if found is None or reach.size < seen:
            return None
        engagement, about = key
        came = self._rows.came(engagement, since=seen, below=reach.size, most=_LOOKED_AT + 1)
        for one in came:
            if one.kind == Kind.TOMBSTONE.value or len(came) > _LOOKED_AT:
                return None
            if one.begin_ms is None or one.end_ms is None:
                continue
            if one.begin_ms < about.end_ms and one.end_ms > about.begin_ms:
                return None
        self._keep(key, reach, found)
        return found

    def _count(self, agreed: Agreed, about: About, reach: Reach, read: _Read) -> Counted | None:
        told = self._work(agreed, about.begin_ms, about.end_ms, reach, read)
        if told is None or len(told) > MOST_IN_WEEK:
            return None
        places = [Placed(one.digest, record) for one, record in told if isinstance(record, Segment)]
        material = Material(
            terms=agreed.terms,
            engagement=agreed.engagement,
            begin=about.begin_ms,
            end=about.end_ms,
            places=tuple(places),
            withdrawn=self._withdrawn(agreed, places, about.filed, reach),
        )
        checks = examine_hours(material, RUN_HERE).checks
        active = (one.segment.begin for one in places if one.segment.activity is not None)
        captures = tuple(_captures(material))
        return Counted(captures, checks, tuple(sorted(active)))

    def _withdrawn(
        self, agreed: Agreed, places: Sequence[Placed], filed: int, reach: Reach
    ) -> Withdrawals:
        """Sort the tombstones of frames, each with what checkpoints prove of its time."""
        frames = [frame.raw for one in places for frame in one.segment.frames]
        rows = self._rows.withdrawals(agreed.engagement, frames, below=reach.size)
        told = read_records(sorted(rows, key=lambda one: one.position))
        signed = self._rows.covering([one.position for one, _ in told])
        entries, _ = entries_of(agreed.terms, told, signed)
        ends = {one.digest: one.segment.end for one in places}
        return withdrawals_of(agreed.terms, entries, ends, filed=filed)

    def _work(
        self, agreed: Agreed, begin_ms: int, end_ms: int, reach: Reach, read: _Read
    ) -> list[tuple[Stored, Record]] | None:
        """Give what claims time of some hours, in log order: read already, or read here.

        None where it is too much, which is not read.
        """
        found = {
            one.position: (one, record)
            for told in read.values()
            for one, record in told
            if _claims(one, begin_ms, end_ms)
        }
        for begin, end in _between(begin_ms, end_ms, agreed, read):
            stored = self._rows.work(
                agreed.whose,
                begin,
                end,
                longest_ms=LONGEST_DECLARATION + 1,
                below=reach.size,
                most=MOST_IN_WEEK + 1,
            )
            fresh = [one for one in stored if one.position not in found]
            if len(found) + len(fresh) > MOST_IN_WEEK:
                return None
            found |= {one.position: (one, record) for one, record in read_records(fresh)}
        return [found[position] for position in sorted(found)]

    def _keep(self, key: _Key, reach: Reach, found: Counted) -> None:
        with self._lock:
            self._known[key] = (reach.size, found)
            self._known.move_to_end(key)
            weight = sum(_weight(one) for _, one in self._known.values())
            while len(self._known) > _CASES or (weight > _KEPT and len(self._known) > 1):
                _, (_, gone) = self._known.popitem(last=False)
                weight -= _weight(gone)


def _weight(one: Counted) -> int:
    """Count what is kept of a case; an instant takes about a tenth of a capture."""
    return 1 + len(one.captures) + len(one.active) // 10


def _claims(one: Stored, begin_ms: int, end_ms: int) -> bool:
    return (
        one.begin_ms is not None
        and one.end_ms is not None
        and one.end_ms > begin_ms
        and one.begin_ms < end_ms
    )


def _between(
    begin_ms: int, end_ms: int, agreed: Agreed, weeks: Iterable[date]
) -> Iterator[tuple[int, int]]:
    """Give the parts of [begin, end) that lie in none of these weeks."""
    at = begin_ms
    for monday in sorted(weeks):
        begin, end = bounds(monday, agreed.zone, days=DAYS)
        if at < min(begin, end_ms):
            yield at, min(begin, end_ms)
        at = max(at, end)
    if at < end_ms:
        yield at, end_ms


def _captures(material: Material) -> Iterator[Drawn]:
    """Give the captures of segments that begin in these hours, as weeks and freezes count them."""
    gone = material.withdrawn
    for one in material.begun:
        segment = one.segment
        if segment.capture is Capture.NONE:
            continue
        over = sum(frame in gone.expired for frame in segment.frames)
        yield Drawn(
            at_ms=segment.begin,
            missed=segment.capture is Capture.MISSED,
            frames=len(segment.frames),
            withdrawn=sum(frame in gone.frames for frame in segment.frames) - over,
            since_filing=sum(frame in gone.since_filing for frame in segment.frames),
            expired=over,
            foreseeable=segment.verifier_value is None,
        )
