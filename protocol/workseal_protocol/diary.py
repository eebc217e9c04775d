"""What happened in every minute: contiguous spans from the first recorded moment to the last.

Rules: every moment between has exactly one state and one reason; nothing is guessed about time
that no statement covers. Frames, their withdrawal and activity change no span.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from operator import itemgetter

from workseal_protocol.records import Declaration, DeclarationForm, Segment, SegmentState
from workseal_protocol.window import Entry, Grade


class DiaryState(StrEnum):
    """Name the state of a span."""

    WORKING = "working"
    OFF_SCREEN = "off-screen"
    SEALED = "sealed"
    LATE_DECLARED = "late-declared"
    PAUSED = "paused"
    NO_SESSION = "no session"


@dataclass(frozen=True, slots=True)
class Span:
    """Hold one stretch of the diary: [begin, end) in Unix milliseconds, as the agent claims it.

    `worked_ms` may be less than the length: suspended or not counted moments lie within. Where
    records that are joined here were worked unevenly, `course` holds how much was worked by which
    moment, from the begin to the end; it is empty where one line from begin to end says it.
    """

    begin: int
    end: int
    state: DiaryState
    reason: str
    worked_ms: int = 0
    grade: Grade | None = None
    session: bytes | None = None
    course: tuple[tuple[int, int], ...] = ()

    def worked_between(self, begin: int, end: int) -> int:
        """Return the worked time of a part: as the totals divide each record, and by itself.

        Parts that lie side by side add up to the whole.
        """
        return self._worked_by(max(begin, end)) - self._worked_by(begin)

    def _worked_by(self, instant: int) -> int:
        if instant <= self.begin:
            return 0
        if instant >= self.end:
            return self.worked_ms
        course = self.course or ((self.begin, 0), (self.end, self.worked_ms))
        place = bisect_right(course, instant, key=itemgetter(0))
        (since, before), (until, after) = course[place - 1], course[place]
        return before + (after - before) * (instant - since) // (until - since)


_STATES = {
    SegmentState.WORKING: DiaryState.WORKING,
    SegmentState.OFF_SCREEN: DiaryState.OFF_SCREEN,
    SegmentState.SEALED: DiaryState.SEALED,
}
_REASONS = {
    Grade.ONLINE: "recorded, and proved within a minute",
    Grade.LATE: "recorded, and proved later than a minute afterwards",
    Grade.OFFLINE: "recorded without a value of the verifier",
    Grade.DECLARED: "declared off-screen at the time",
}
_SEALED = ", without images by the freelancer's choice"
_DESCRIBED = ", with a description"
_LATE = "declared afterwards"
_PAUSED = "nothing was recorded: paused, suspended or stopped within a session"
_NO_SESSION = "nothing was recorded: no session was open"


def diary_of(entries: Iterable[Entry]) -> tuple[Span, ...]:
    """Fold verified entries into the diary; empty when no time was recorded or declared."""
    segments: list[tuple[Segment, Grade]] = []
    late: list[Declaration] = []
    live: list[Declaration] = []
    for entry in entries:
        match entry.record:
            case Segment() as segment if entry.grade is not None:
                segments.append((segment, entry.grade))
            case Declaration() as declaration:
                (late if declaration.form is DeclarationForm.LATE else live).append(declaration)
            case _:
                pass
    spans = [*_recorded(segments, live), *(_late_span(declaration) for declaration in late)]
    spans.sort(key=lambda span: (span.begin, span.end))
    return tuple(_joined(_filled([span for span in spans if span.begin < span.end])))


def _recorded(
    segments: Sequence[tuple[Segment, Grade]], live: Sequence[Declaration]
) -> Iterator[Span]:
    waiting = sorted(live, key=lambda declaration: declaration.begin)
    place, described_until = 0, -1
    for segment, found in segments:
        while place < len(waiting) and waiting[place].begin < segment.end:
            described_until = max(described_until, waiting[place].end)
            place += 1
        reason = _REASONS[found]
        if segment.state is SegmentState.SEALED:
            reason += _SEALED
        if segment.state is SegmentState.OFF_SCREEN and described_until > segment.begin:
            reason += _DESCRIBED
        yield Span(
            begin=segment.begin,
            end=segment.end,
            state=_STATES[segment.state],
            reason=reason,
            worked_ms=segment.worked,
            grade=found,
            session=segment.session,
        )


def _late_span(declaration: Declaration) -> Span:
    return Span(
        begin=declaration.begin,
        end=declaration.end,
        state=DiaryState.LATE_DECLARED,
        reason=_LATE,
        worked_ms=declaration.worked,
        grade=Grade.DECLARED,
    )


def _filled(spans: Sequence[Span]) -> Iterator[Span]:
    # A gap is a pause when the same session goes on after it.
    following: list[bytes | None] = [None] * len(spans)
    session: bytes | None = None
    for place in range(len(spans) - 1, -1, -1):
        session = spans[place].session or session
        following[place] = session
    before: bytes | None = None
    end: int | None = None
    for span, after in zip(spans, following, strict=True):
        if end is not None and end < span.begin:
            paused = before is not None and before == after
            yield Span(
                begin=end,
                end=span.begin,
                state=DiaryState.PAUSED if paused else DiaryState.NO_SESSION,
                reason=_PAUSED if paused else _NO_SESSION,
                session=before if paused else None,
            )
        yield span
        before = span.session or before
        end = span.end


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    for _, group in groupby(spans, key=_kind):
        alike = list(group)
        worked = sum(span.worked_ms for span in alike)
        yield replace(alike[0], end=alike[-1].end, worked_ms=worked, course=_course(alike))


def _course(alike: Sequence[Span]) -> tuple[tuple[int, int], ...]:
    """Say how much was worked by which moment; a machine that never slept needs no turn."""
    course = [(alike[0].begin, 0)]
    steady = True
    for span in alike:
        whole = span.worked_ms == span.end - span.begin
        goes_on = steady and whole and len(course) > 1
        _, before = course.pop() if goes_on else course[-1]
        course.append((span.end, before + span.worked_ms))
        steady = whole
    return tuple(course) if len(course) > 2 else ()


def _kind(span: Span) -> tuple[DiaryState, str, Grade | None, bytes | None]:
    return span.state, span.reason, span.grade, span.session
