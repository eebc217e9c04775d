"""A day as stretches and as lines of an hour, cut from the spans of its week."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from workseal_protocol.diary import DiaryState, Span
from workseal_protocol.window import Grade

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hold a part of a day in which state and reason are one: [begin, end) in Unix ms."""

    begin_ms: int
    end_ms: int
    name: str
    reason: str
    span: Span

    @property
    def worked_ms(self) -> int:
        """Give the worked time, of which the totals of the day are made as well."""
        return self.span.worked_between(self.begin_ms, self.end_ms)

    @property
    def grade(self) -> Grade | None:
        """Give how it is known."""
        return self.span.grade

    def part(self, begin_ms: int, end_ms: int) -> "Stretch":
        """Cut a part out."""
        return replace(self, begin_ms=max(self.begin_ms, begin_ms), end_ms=min(self.end_ms, end_ms))


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
    found = _cut(spans, begin_ms, end_ms)
    while found and found[0].span.state is DiaryState.NO_SESSION:
        found.pop(0)
    while found and found[-1].span.state is DiaryState.NO_SESSION:
        found.pop()
    return tuple(found)


def parts_of(spans: Sequence[Span], begin_ms: int, end_ms: int, untold: str) -> tuple[Stretch, ...]:
    """Cut spans to a minute; `untold` is why what lies before or after all of them has none."""
    found = _cut(spans, begin_ms, end_ms)
    first, last = (found[0].begin_ms, found[-1].end_ms) if found else (end_ms, end_ms)
    around = [
        _stretch(Span(begin, end, DiaryState.NO_SESSION, untold))
        for begin, end in ((begin_ms, first), (last, end_ms))
        if begin < end
    ]
    return tuple(sorted([*found, *around], key=lambda one: one.begin_ms))


def _cut(spans: Sequence[Span], begin_ms: int, end_ms: int) -> list[Stretch]:
    return [
        _stretch(one).part(begin_ms, end_ms)
        for one in spans
        if one.begin < end_ms and one.end > begin_ms
    ]


def _stretch(span: Span) -> Stretch:
    name = span.state.value.replace(" ", "-")
    reason = span.reason[:1].upper() + span.reason[1:] + "."
    return Stretch(span.begin, span.end, name, reason, span)


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
