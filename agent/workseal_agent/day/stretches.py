"""Parts of a day in which state, reason and way are one, in order and without a gap.

Rules: what is not in the log yet is cut out of what a diary joins. A moment of which nothing tells
is named as such, and one that two things tell of is shown once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from workseal_agent.ledger import SendState, StoredStatement
from workseal_protocol.diary import DiaryState, Span
from workseal_protocol.records import Segment
from workseal_protocol.window import Entry, Grade

_STATES = {
    "working": DiaryState.WORKING,
    "off-screen": DiaryState.OFF_SCREEN,
    "sealed": DiaryState.SEALED,
}
_UNSENT = {
    SendState.UNSENT: "waiting",
    SendState.HELD: "waiting",
    SendState.PARKED: "parked",
}


class Way(StrEnum):
    """Say how far the record of a stretch came on its way to the log."""

    NOTHING = "nothing"
    RUNNING = "running"
    WAITING = "waiting"
    PARKED = "parked"
    LOGGED = "logged"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hold a part of the day in which state, reason and way are one: [begin, end) in Unix ms."""

    begin_ms: int
    end_ms: int
    state: DiaryState
    way: Way
    grade: Grade | None = None
    span: Span | None = None

    @property
    def worked_ms(self) -> int:
        """Give the worked time, of which the totals of the day are made as well."""
        return self.worked_between(self.begin_ms, self.end_ms)

    def worked_between(self, begin_ms: int, end_ms: int) -> int:
        """Return the worked time of a part that lies within."""
        if self.span is not None:
            return self.span.worked_between(begin_ms, end_ms)
        return end_ms - begin_ms if self.way is Way.RUNNING else 0


def logged_stretch(span: Span, begin: int, end: int) -> Stretch:
    """Cut a span to the day."""
    gap = span.state in {DiaryState.PAUSED, DiaryState.NO_SESSION}
    way = Way.NOTHING if gap else Way.LOGGED
    low, high = max(span.begin, begin), min(span.end, end)
    return Stretch(low, high, span.state, way, span.grade, span)


def marked_stretches(
    stretches: Iterable[Stretch], entries: Iterable[tuple[Entry, StoredStatement]]
) -> Iterator[Stretch]:
    """Say of each part whether it is in the log: what is not is cut out of what the diary joins."""
    unsent: list[tuple[int, int, Way]] = []
    for entry, one in sorted(
        ((entry, one) for entry, one in entries if one.state is not SendState.RECEIPTED),
        key=lambda pair: getattr(pair[0].record, "begin", 0),
    ):
        record = entry.record
        if not isinstance(record, Segment):
            continue
        way = Way(_UNSENT[one.state])
        if unsent and unsent[-1][1] == record.begin and unsent[-1][2] is way:
            unsent[-1] = (unsent[-1][0], record.end, way)
        else:
            unsent.append((record.begin, record.end, way))
    for stretch in stretches:
        if stretch.way is Way.NOTHING:
            yield stretch
        else:
            yield from _cut(stretch, unsent)


def _cut(stretch: Stretch, unsent: Iterable[tuple[int, int, Way]]) -> Iterator[Stretch]:
    at = stretch.begin_ms
    for begin, end, way in unsent:
        low, high = max(begin, at), min(end, stretch.end_ms)
        if low >= high:
            continue
        if at < low:
            yield _part(stretch, at, low, stretch.way)
        yield _part(stretch, low, high, way)
        at = high
    if at < stretch.end_ms:
        yield _part(stretch, at, stretch.end_ms, stretch.way)


def _part(stretch: Stretch, begin: int, end: int, way: Way) -> Stretch:
    known = stretch.grade if way is Way.LOGGED or stretch.grade is not Grade.LATE else None
    return replace(stretch, begin_ms=begin, end_ms=end, way=way, grade=known)


def running_stretches(
    running: dict[str, Any] | None, begin: int, end: int, now_ms: int
) -> tuple[Stretch, ...]:
    """Return what is counted and not signed yet, as the recording process tells it."""
    told = (running or {}).get("running", [])
    state = _STATES.get((running or {}).get("state", ""), DiaryState.WORKING)
    stretches = []
    for at, worked in told:
        low, high = max(int(at), begin), min(int(at) + int(worked), end, now_ms)
        if low < high:
            stretches.append(Stretch(low, high, state, Way.RUNNING))
    return tuple(stretches)


def filled(stretches: Sequence[Stretch], begin: int, until: int) -> Iterator[Stretch]:
    """Put the day in order, with every moment that nothing tells of named as such."""
    at = begin
    for stretch in sorted(stretches, key=lambda one: (one.begin_ms, one.end_ms)):
        if at < stretch.begin_ms:
            yield Stretch(at, stretch.begin_ms, DiaryState.NO_SESSION, Way.NOTHING)
        if stretch.end_ms > at:
            # Time told of twice (recorded, and declared late) is shown once, as it was recorded.
            yield replace(stretch, begin_ms=max(at, stretch.begin_ms))
            at = stretch.end_ms
    if at < until:
        yield Stretch(at, until, DiaryState.NO_SESSION, Way.NOTHING)
