"""How much was worked: a pure fold over statements, the same on every machine.

Rules: integers only. Worked time comes from segments and declarations, never from frames, activity
or their withdrawal. Recorded and late-declared time are never added up silently. What is billed is
a view that the terms declare, beside the true figures. docs/spec/totals.md
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from workseal_protocol.chain import owed_instant
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    Capture,
    Declaration,
    DeclarationForm,
    Record,
    Segment,
    SegmentState,
    Tombstone,
    WithdrawalReason,
)
from workseal_protocol.terms import RoundingMode, Terms, WorkClass
from workseal_protocol.window import Entry, Grade, Window

if TYPE_CHECKING:
    from workseal_protocol.digest import Digest

HOUR_MS = 3_600_000
_DAY_MS = 24 * HOUR_MS
# Who stops for less than this, just when a capture is due, may have stepped over it.
STEP_MS = 5_000

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


@dataclass(frozen=True, slots=True)
class Billed:
    """Hold what the terms make of the worked time: rounded milliseconds and minor units."""

    ms: int
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class LimitExceeded:
    """Name a limit of the terms that was passed; `week` is its Monday, where it is weekly."""

    limit: str
    allowed: int
    found: int
    week: date | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Hold every sum of a diary.

    Each drawn capture of a recorded round is counted once: `captured`, `missed`, `sealed` (its
    instant lay in sealed time) or `due_outside` (paused, off-screen, or outside the recorded part).
    `stepped_over` says how many of the last two look as if work had stopped for their sake alone.
    `withdrawn` counts frames out of `frames`: a capture has one frame for each display. Of these,
    `expired` were withdrawn for retention after the terms' days; no limit counts them. `thinned`
    counts the captures of which a frame was withdrawn otherwise.
    """

    by_state: Mapping[SegmentState, int]
    by_grade: Mapping[Grade, int]
    late_declared_ms: int
    captured: int
    missed: int
    sealed: int
    due_outside: int
    stepped_over: int
    frames: int
    withdrawn: int
    expired: int
    thinned: int
    days: tuple[DayTotal, ...]
    billed: Billed
    exceeded: tuple[LimitExceeded, ...]

    @property
    def worked_ms(self) -> int:
        """Give the recorded time of all states; late-declared time stands beside it."""
        return sum(self.by_state.values())


def totals_of(terms: Terms, entries: Iterable[Entry], zone: tzinfo) -> Totals:
    """Fold verified entries, in log order, into totals; days and weeks are those of `zone`."""
    entries = tuple(entries)
    return _totals(terms, entries, zone, _untaken(terms, _segments(entries)))


def totals_between(
    terms: Terms, entries: Iterable[Entry], zone: tzinfo, begin: int, end: int
) -> Totals:
    """Fold what begins in [begin, end), so that counts of stretches side by side add up.

    Entries of `nearby_ms` around it count elsewhere, and show what became of captures at its
    edges: one that was drawn belongs to where its round's first segment begins. A day that an edge
    cuts is told in part: `days_of` tells whole ones.
    """
    entries = tuple(entries)
    untaken = _untaken(terms, _segments(entries), (begin, end))
    return _totals(terms, _beginning_in(entries, begin, end), zone, untaken)


def nearby_ms(terms: Terms) -> int:
    """Return from how far around a stretch of time statements tell of the captures drawn in it."""
    # What was drawn in a round may have been stepped over from the round before.
    return 2 * terms.round_ms + STEP_MS


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


def _totals(terms: Terms, entries: Sequence[Entry], zone: tzinfo, untaken: "_Untaken") -> Totals:
    segments: list[Segment] = []
    late: list[Declaration] = []
    tombstones: list[tuple[Tombstone, Window]] = []
    ends: dict[Digest, int] = {}
    by_state = dict.fromkeys(SegmentState, 0)
    by_grade = dict.fromkeys(Grade, 0)
    for entry in entries:
        match entry.record:
            case Segment() as segment if entry.grade is not None:
                segments.append(segment)
                by_state[segment.state] += segment.worked
                by_grade[entry.grade] += segment.worked
                ends[entry.digest] = segment.end
            case Declaration(form=DeclarationForm.LATE) as declaration:
                late.append(declaration)
            case Tombstone() as tombstone:
                tombstones.append((tombstone, entry.window))
            case _:
                pass
    days = days_of(entries, zone)
    captured = sum(segment.capture is Capture.CAPTURED for segment in segments)
    early = [
        one.segment
        for one, window in tombstones
        if not was_kept_as_agreed(terms, one, window, ends.get(one.segment))
    ]
    thinned = len(set(early))
    return Totals(
        by_state=by_state,
        by_grade=by_grade,
        late_declared_ms=sum(declaration.worked for declaration in late),
        captured=captured,
        missed=sum(segment.capture is Capture.MISSED for segment in segments),
        sealed=untaken.sealed,
        due_outside=untaken.outside,
        stepped_over=untaken.stepped_over,
        frames=sum(len(segment.frames) for segment in segments),
        withdrawn=len(tombstones),
        expired=len(tombstones) - len(early),
        thinned=thinned,
        days=days,
        billed=billed_of(terms, days),
        exceeded=(
            *withdrawn_limit(terms, captured, thinned),
            *weekly_limits(terms, days),
        ),
    )


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


def _beginning_in(entries: Sequence[Entry], begin: int, end: int) -> list[Entry]:
    """Keep work that begins in [begin, end), its withdrawals, and what is about no such time."""
    outside: set[Digest] = set()
    own: set[Digest] = set()
    for entry in entries:
        match entry.record:
            case Segment(begin=at) | Declaration(begin=at, form=DeclarationForm.LATE):
                (own if begin <= at < end else outside).add(entry.digest)
            case _:
                pass
    return [
        entry
        for entry in entries
        if entry.digest not in outside
        and not (isinstance(entry.record, Tombstone) and entry.record.segment not in own)
    ]


def billed_of(terms: Terms, days: Sequence[DayTotal]) -> Billed:
    """Weigh each day by the worth of its classes, round it as the terms say, and add up."""
    grid = terms.rounding_ms or 1
    mode = terms.rounding_mode if terms.rounding_ms else RoundingMode.DOWN
    ms = 0
    for day in days:
        hundredths = sum(
            worked * terms.worth_percent[kind] for kind, worked in day.worked_ms.items()
        )
        ms += _rounded(hundredths, grid * 100, mode) * grid
    amount = _rounded(ms * terms.rate_minor_per_hour, HOUR_MS, RoundingMode.NEAREST)
    return Billed(ms, amount, terms.currency)


def weeks_of(days: Sequence[DayTotal]) -> Iterator[tuple[date, tuple[DayTotal, ...]]]:
    """Give the days, which come in their order, by the Monday of their weeks."""
    for monday, own in groupby(days, key=lambda one: one.day - timedelta(days=one.day.weekday())):
        yield monday, tuple(own)


def _rounded(value: int, unit: int, mode: RoundingMode) -> int:
    if mode is RoundingMode.DOWN:
        return value // unit
    if mode is RoundingMode.UP:
        return -(-value // unit)
    return (2 * value + unit) // (2 * unit)


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


@dataclass(frozen=True, slots=True)
class _Untaken:
    """Count the drawn captures that no segment tells of."""

    sealed: int
    outside: int
    stepped_over: int


def _segments(entries: Iterable[Entry]) -> list[Segment]:
    return [
        entry.record
        for entry in entries
        if isinstance(entry.record, Segment) and entry.grade is not None
    ]


def _untaken(
    terms: Terms, segments: Sequence[Segment], between: tuple[int, int] | None = None
) -> _Untaken:
    """Count the draws of all rounds, or of those whose first segment begins in a stretch."""
    # A round has one draw in each session: the sessions have different agent values.
    due: dict[tuple[bytes, int], int] = {}
    first: dict[tuple[bytes, int], int] = {}
    told: set[tuple[bytes, int]] = set()
    sealed: set[tuple[bytes, int]] = set()
    for segment in segments:
        instant = owed_instant(terms, segment.engagement, segment)
        if instant is None:
            continue
        place = (segment.session, segment.round)
        due[place] = instant
        first.setdefault(place, segment.begin)
        if segment.capture is not Capture.NONE:
            told.add(place)
        elif segment.state is SegmentState.SEALED and segment.begin <= instant < segment.end:
            sealed.add(place)
    untaken = {
        place: instant
        for place, instant in due.items()
        if place not in told and (between is None or between[0] <= first[place] < between[1])
    }
    sealed &= untaken.keys()
    return _Untaken(
        sealed=len(sealed),
        outside=len(untaken.keys() - sealed),
        stepped_over=_stepped_over(terms, segments, untaken),
    )


def _stepped_over(
    terms: Terms, segments: Sequence[Segment], untaken: Mapping[tuple[bytes, int], int]
) -> int:
    # Work on the screen stopped at or before the instant, in its round or the one before, and went
    # on at once: after the instant, or in another session, where another draw holds.
    working = [segment for segment in segments if segment.state is SegmentState.WORKING]
    stepped: set[tuple[bytes, int]] = set()
    for last, following in pairwise(working):
        if following.begin - last.end >= STEP_MS:
            continue
        same = following.session == last.session
        until = following.begin if same else round_start(last.round + 1, terms.round_ms)
        for number in (last.round, last.round + 1):
            place = (last.session, number)
            if last.end <= untaken.get(place, -1) < until:
                stepped.add(place)
    return len(stepped)


def was_kept_as_agreed(terms: Terms, tombstone: Tombstone, window: Window, end: int | None) -> bool:
    """Tell whether a frame was withdrawn because the days that the terms ask for were over.

    `end` is when its segment ended, None where that is not known.
    """
    if end is None or tombstone.reason is not WithdrawalReason.RETENTION:
        return False
    over = end + terms.retention_days * _DAY_MS
    # A claim alone would be worth nothing: the log must not show that it was signed before.
    return tombstone.claimed_at >= over and (window.upper is None or window.upper >= over)


def withdrawn_limit(terms: Terms, captured: int, thinned: int) -> Iterator[LimitExceeded]:
    """Judge the share withdrawn of all captures of an engagement: no week has a limit of its own.

    It counts captures, any frame of which was withdrawn: more displays must not dilute it.
    """
    if thinned * 100 > captured * terms.max_withdrawn_percent:
        # Rounded up: what is shown as exceeded is never shown as equal to the limit.
        percent = -(-thinned * 100 // max(captured, 1))
        yield LimitExceeded("withdrawn percent", terms.max_withdrawn_percent, percent)


def weekly_limits(terms: Terms, days: Sequence[DayTotal]) -> Iterator[LimitExceeded]:
    """Judge, for each week of these days, the limits of the terms that a week has."""
    for monday, own in weeks_of(days):
        offline = sum(day.offline_ms for day in own)
        if offline > terms.max_offline_ms_per_week:
            yield LimitExceeded(
                "offline ms per week", terms.max_offline_ms_per_week, offline, monday
            )
        worked = sum(sum(day.worked_ms.values()) for day in own)
        if terms.weekly_cap_ms and worked > terms.weekly_cap_ms:
            yield LimitExceeded("worked ms per week", terms.weekly_cap_ms, worked, monday)
