"""Input that was observed, beside the true time: as far as it was opened, no finer than agreed.

Rules: worked time is the denominator, and what was not opened stays in it. It is no rate and no
score, and no time depends on it. docs/spec/opened.md
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from operator import add

from workseal_protocol.commitment import ActivityRecord, Opening, ValueKind
from workseal_protocol.days import day_shares
from workseal_protocol.digest import Digest
from workseal_protocol.records import Segment
from workseal_protocol.terms import Granularity
from workseal_protocol.window import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityShare:
    """Hold the activity of one day, or of one stretch [`begin`, `end`) without a gap.

    `worked_ms` is the time of all segments that committed to activity, `opened_ms` the part of it
    whose activity was opened. Of that, `observed_ms` was observed and `input_ms` had input;
    `synthetic_ms` is worked time with some synthetic input, `untold_ms` such time in which the
    operating system does not tell synthetic input from other.
    """

    day: date | None = None
    begin: int | None = None
    end: int | None = None
    worked_ms: int
    opened_ms: int
    observed_ms: int
    input_ms: int
    synthetic_ms: int
    untold_ms: int


def activity_of(
    granularity: Granularity, entries: Iterable[Entry], openings: Iterable[Opening], zone: tzinfo
) -> tuple[ActivityShare, ...]:
    """Fold verified entries and verified openings; empty when no activity was opened."""
    opened = {
        opening.statement: ActivityRecord.parse(opening.value)
        for opening in openings
        if opening.kind is ValueKind.ACTIVITY
    }
    if not opened:
        return ()
    shares = _shares(entries, opened)
    if granularity is Granularity.DAY:
        return tuple(_by_day(shares, zone))
    return tuple(_by_stretch(shares))


# What one segment adds, in the order of `_FIGURES`, and its session, begin and end.
_Figures = tuple[int, int, int, int, int, int]
_Measured = tuple[bytes, int, int, _Figures]
_FIGURES = ("worked_ms", "opened_ms", "observed_ms", "input_ms", "synthetic_ms", "untold_ms")


def _shares(
    entries: Iterable[Entry], opened: Mapping[Digest, ActivityRecord]
) -> Iterator[_Measured]:
    for entry in entries:
        match entry.record:
            case Segment() as segment if segment.activity is not None:
                figures = _figures(segment.worked, opened.get(entry.digest))
                yield segment.session, segment.begin, segment.end, figures
            case _:
                pass


def _figures(worked: int, record: ActivityRecord | None) -> _Figures:
    if record is None:
        return worked, 0, 0, 0, 0, 0
    return (
        worked,
        worked,
        record.observed_ms,
        record.input_seconds * 1000,
        worked if record.synthetic_tenths else 0,
        worked if record.synthetic_tenths is None else 0,
    )


def _by_day(measured: Iterable[_Measured], zone: tzinfo) -> Iterator[ActivityShare]:
    days: dict[date, dict[str, int]] = {}
    for _, begin, end, figures in measured:
        for name, figure in zip(_FIGURES, figures, strict=True):
            # Cut as worked time is, so that the days add up to the totals.
            for day, part in day_shares(begin, end, figure, zone):
                sums = days.setdefault(day, dict.fromkeys(_FIGURES, 0))
                sums[name] += part
    for day in sorted(days):
        yield ActivityShare(day=day, **days[day])


def _by_stretch(measured: Iterable[_Measured]) -> Iterator[ActivityShare]:
    reached: tuple[bytes, int] | None = None
    since, sums = 0, [0] * len(_FIGURES)
    for session, begin, end, figures in measured:
        if reached != (session, begin):
            if reached is not None:
                yield _stretch(since, reached[1], sums)
            since, sums = begin, [0] * len(_FIGURES)
        sums = list(map(add, sums, figures))
        reached = session, end
    if reached is not None:
        yield _stretch(since, reached[1], sums)


def _stretch(begin: int, end: int, sums: Iterable[int]) -> ActivityShare:
    return ActivityShare(day=None, begin=begin, end=end, **dict(zip(_FIGURES, sums, strict=True)))
