"""How much was worked: a pure fold over statements, the same on every machine.

Rules: integers only. Worked time comes from segments and declarations, never from frames, activity
or their withdrawal. Recorded and late-declared time are never added up silently. What is billed is
a view that the terms declare, beside the true figures. docs/spec/totals.md
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import TYPE_CHECKING

from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.days import HOUR_MS, DayTotal, days_of, weeks_of
from workseal_protocol.records import (
    Capture,
    Declaration,
    DeclarationForm,
    Segment,
    SegmentState,
    Tombstone,
    WithdrawalReason,
)
from workseal_protocol.terms import Terms
from workseal_protocol.untaken import STEP_MS, Untaken, segments_of, untaken_of
from workseal_protocol.window import Entry, Grade, Window

if TYPE_CHECKING:
    from workseal_protocol.digest import Digest

_DAY_MS = 24 * HOUR_MS


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
    return _totals(terms, entries, zone, untaken_of(terms, segments_of(entries)))


def totals_between(
    terms: Terms, entries: Iterable[Entry], zone: tzinfo, begin: int, end: int
) -> Totals:
    """Fold what begins in [begin, end), so that counts of stretches side by side add up.

    Entries of `nearby_ms` around it count elsewhere, and show what became of captures at its
    edges: one that was drawn belongs to where its round's first segment begins. A day that an edge
    cuts is told in part: `days_of` tells whole ones.
    """
    entries = tuple(entries)
    untaken = untaken_of(terms, segments_of(entries), (begin, end))
    return _totals(terms, _beginning_in(entries, begin, end), zone, untaken)


def nearby_ms(terms: Terms) -> int:
    """Return from how far around a stretch of time statements tell of the captures drawn in it."""
    # What was drawn in a round may have been stepped over from the round before.
    return 2 * terms.round_ms + STEP_MS


def _totals(terms: Terms, entries: Sequence[Entry], zone: tzinfo, untaken: Untaken) -> Totals:
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
