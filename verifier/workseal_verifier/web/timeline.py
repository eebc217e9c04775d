"""A day as stretches and as lines of an hour, cut from the spans of its week."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from workseal_protocol.diary import DiaryState, Span
from workseal_protocol.window import Grade

HOUR_MS: Final = 3_600_000
_NOTHING: Final = "Nothing was recorded: no session was open."


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hold a part of a day in which state and reason are one: [begin, end) in Unix ms."""

    begin_ms: int
    end_ms: int
    name: str
    reason: str
    worked_ms: int
    grade: Grade | None

    def part(self, begin_ms: int, end_ms: int) -> "Stretch":
        """Cut a part out; its worked time in proportion, as days are cut in the totals."""
        begin, end = max(self.begin_ms, begin_ms), min(self.end_ms, end_ms)
        length = self.end_ms - self.begin_ms
        worked = self.worked_ms * max(0, end - begin) // length
        return replace(self, begin_ms=begin, end_ms=end, worked_ms=worked)


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold a rectangle of the time line: seconds of its hour, and what it stands for."""

    left: int
    width: int
    name: str


@dataclass(frozen=True, slots=True)
class Hour:
    """Hold one line of the time line."""

    begin_ms: int
    marks: tuple[Mark, ...]
    worked_ms: int


def stretches_of(spans: Sequence[Span], begin_ms: int, end_ms: int) -> tuple[Stretch, ...]:
    """Cut spans to [begin, end), from the first to the last moment that is told of."""
    found = [
        Stretch(
            one.begin,
            one.end,
            one.state.value.replace(" ", "-"),
            one.reason[:1].upper() + one.reason[1:] + ".",
            one.worked_ms,
            one.grade,
        ).part(begin_ms, end_ms)
        for one in spans
        if one.begin < end_ms and one.end > begin_ms
    ]
    outside = DiaryState.NO_SESSION.value.replace(" ", "-")
    while found and found[0].name == outside:
        found.pop(0)
    while found and found[-1].name == outside:
        found.pop()
    return tuple(found)


def parts_of(stretches: Sequence[Stretch], begin_ms: int, end_ms: int) -> tuple[Stretch, ...]:
    """Cut stretches to a minute; what nothing tells of is named as such."""
    found = tuple(
        one.part(begin_ms, end_ms)
        for one in stretches
        if one.begin_ms < end_ms and one.end_ms > begin_ms
    )
    if found:
        return found
    name = DiaryState.NO_SESSION.value.replace(" ", "-")
    return (Stretch(begin_ms, end_ms, name, _NOTHING, 0, None),)


def hours_of(stretches: Sequence[Stretch], begin_ms: int) -> Iterator[Hour]:
    """Cut a day that begins then into hours, from the first to the last of which is told."""
    if not stretches:
        return
    first = (stretches[0].begin_ms - begin_ms) // HOUR_MS
    last = (stretches[-1].end_ms - 1 - begin_ms) // HOUR_MS
    for number in range(first, last + 1):
        begin = begin_ms + number * HOUR_MS
        parts = [
            one.part(begin, begin + HOUR_MS)
            for one in stretches
            if one.begin_ms < begin + HOUR_MS and one.end_ms > begin
        ]
        yield Hour(
            begin,
            tuple(_mark(one, begin) for one in parts),
            sum(one.worked_ms for one in parts),
        )


def _mark(one: Stretch, begin_ms: int) -> Mark:
    left = (one.begin_ms - begin_ms) // 1000
    right = -(-(one.end_ms - begin_ms) // 1000)
    return Mark(left, right - left, one.name)
