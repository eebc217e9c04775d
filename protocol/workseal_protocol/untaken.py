"""Captures that were drawn and of which no segment tells: sealed, due elsewhere, stepped over.

Rules: each drawn capture of a recorded round is counted once. docs/spec/totals.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workseal_protocol.chain import owed_instant
from workseal_protocol.lottery import round_start
from workseal_protocol.records import Capture, Segment, SegmentState
from workseal_protocol.terms import Terms
from workseal_protocol.window import Entry

# Who stops for less than this, just when a capture is due, may have stepped over it.
STEP_MS = 5_000


@dataclass(frozen=True, slots=True)
class Untaken:
    """Count the drawn captures that no segment tells of."""

    sealed: int
    outside: int
    stepped_over: int


def segments_of(entries: Iterable[Entry]) -> list[Segment]:
    """Return the segments that count: those with a grade."""
    return [
        entry.record
        for entry in entries
        if isinstance(entry.record, Segment) and entry.grade is not None
    ]


def untaken_of(
    terms: Terms, segments: Sequence[Segment], between: tuple[int, int] | None = None
) -> Untaken:
    """Count what was drawn in all rounds, or in those whose first segment begins in a stretch.

    `between` is the stretch, Unix milliseconds, its end not in it.
    """
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
    return Untaken(
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
