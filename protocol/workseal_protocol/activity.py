"""Input that was observed, beside the true time: as far as it was opened, no finer than agreed.

Rules: worked time is the denominator, and what was not opened stays in it. It is no rate and no
score, and no time depends on it. docs/spec/opened.md
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from workseal_protocol.commitment import ActivityRecord, Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.records import Segment
from workseal_protocol.terms import Granularity
from workseal_protocol.totals import day_shares
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


@dataclass(frozen=True, slots=True)
class _Measured:
    """Hold what one segment adds, and its session."""

    session: bytes
    begin: int
    end: int
    share: ActivityShare


def _shares(
    entries: Iterable[Entry], opened: Mapping[Digest, ActivityRecord]
) -> Iterator[_Measured]:
    for entry in entries:
        match entry.record:
            case Segment() as segment if segment.activity is not None:
                share = _share(segment, opened.get(entry.digest))
                yield _Measured(segment.session, segment.begin, segment.end, share)
            case _:
                pass


def _share(segment: Segment, record: ActivityRecord | None) -> ActivityShare:
    worked = segment.worked
    if record is None:
        return ActivityShare(
            worked_ms=worked, opened_ms=0, observed_ms=0, input_ms=0, synthetic_ms=0, untold_ms=0
        )
    return ActivityShare(
        worked_ms=worked,
        opened_ms=worked,
        observed_ms=record.observed_ms,
        input_ms=record.input_seconds * 1000,
        synthetic_ms=worked if record.synthetic_tenths else 0,
        untold_ms=worked if record.synthetic_tenths is None else 0,
    )


_FIGURES = ("worked_ms", "opened_ms", "observed_ms", "input_ms", "synthetic_ms", "untold_ms")


def _added(one: ActivityShare, other: ActivityShare) -> ActivityShare:
    sums = {name: getattr(one, name) + getattr(other, name) for name in _FIGURES}
    return replace(one, **sums)


def _by_day(measured: Iterable[_Measured], zone: tzinfo) -> Iterator[ActivityShare]:
    days: dict[date, dict[str, int]] = {}
    for one in measured:
        for name in _FIGURES:
            # Cut as worked time is, so that the days add up to the totals.
            for day, part in day_shares(one.begin, one.end, getattr(one.share, name), zone):
                sums = days.setdefault(day, dict.fromkeys(_FIGURES, 0))
                sums[name] += part
    for day in sorted(days):
        yield ActivityShare(day=day, **days[day])


def _by_stretch(measured: Iterable[_Measured]) -> Iterator[ActivityShare]:
    last: _Measured | None = None
    for one in measured:
        if last is not None and (one.session, one.begin) == (last.session, last.end):
            last = replace(last, end=one.end, share=_added(last.share, one.share))
            continue
        if last is not None:
            yield replace(last.share, begin=last.begin, end=last.end)
        last = one
    if last is not None:
        yield replace(last.share, begin=last.begin, end=last.end)
