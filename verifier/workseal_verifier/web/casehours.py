"""The disputed hours as one time line: a line for each day, with grades, gaps, missed, withdrawn.

Rules: stretches are cut from the spans of the diary's weeks, as its day page cuts them; captures
are those that were counted with the desk's checks. Where the agreement shows time by the day, a day
is one figure: no hours and no minutes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.days import DayTotal
from workseal_protocol.diary import DiaryState
from workseal_protocol.terms import Granularity
from workseal_protocol.window import Grade
from workseal_verifier.services.diaries import Agreed
from workseal_verifier.services.disputedhours import Disputed, Drawn
from workseal_verifier.services.weekfold import Week, bounds
from workseal_verifier.web.timeline import Stretch, stretches_of

# Lines that one page draws, marks in a line before it is drawn in steps, and those steps.
MOST_DAYS: Final = 62
_MOST_MARKS: Final = 144
_STEP_MS: Final = 600_000
_MOST_TICKS: Final = 100
HOUR_S: Final = 3_600
_LATE: Final = DiaryState.LATE_DECLARED.value
_EMPTY: Final = frozenset(
    one.value.replace(" ", "-") for one in (DiaryState.PAUSED, DiaryState.NO_SESSION)
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold a stretch of a line, in seconds of its day: what it was, and how it is known."""

    left: int
    width: int
    name: str
    grade: str


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one day of the disputed hours; `length` is its seconds, in which marks are placed."""

    day: date
    length: int
    marks: tuple[Mark, ...]
    outside: tuple[tuple[int, int], ...]
    missed_at: tuple[int, ...]
    withdrawn_at: tuple[int, ...]
    recorded_ms: int
    late_ms: int
    grades: Mapping[str, int]
    paused_ms: int
    taken: int
    missed: int
    withdrawn: int
    expired: int
    steps: bool


@dataclass(frozen=True, slots=True)
class Sums:
    """Hold the figures of all disputed hours that are counted so far.

    `late_ms` was declared afterwards, and stands beside what was recorded.
    """

    period_ms: int
    recorded_ms: int
    late_ms: int
    grades: Mapping[str, int]
    paused_ms: int
    nothing_ms: int
    taken: int
    frames: int
    missed: int
    withdrawn: int
    since_filing: int
    expired: int
    # Of the captures, those whose owner's machine knew the draw beforehand.
    foreseeable: int
    foreseeable_missed: int
    billed: Billed


@dataclass(frozen=True, slots=True)
class Hours:
    """Hold the time line of a case, in the order of its days.

    Lines are drawn from `first` to `last`, in whole hours of seconds after midnight.
    """

    lines: tuple[Line, ...]
    more: int
    first: int
    last: int
    sums: Sums
    by_day: bool
    uncounted: tuple[date, ...]
    contradicted: bool
    counted: bool


def hours_of(agreed: Agreed, disputed: Disputed, begin_ms: int, end_ms: int) -> Hours:
    """Draw the hours from begin to end."""
    by_day = agreed.terms.granularity is Granularity.DAY
    captures = disputed.counted.captures if disputed.counted else ()
    per_day = _per_day(agreed, captures)
    lines: list[Line] = []
    totals: list[DayTotal] = []
    for week in sorted(disputed.course.weeks, key=lambda one: one.monday):
        for day in _days(week, agreed, begin_ms, end_ms):
            total = week.total(day)
            totals += [total] if total else []
            lines.append(_line(agreed, week, day, (begin_ms, end_ms), per_day.get(day, ())))
    told = [one for one in lines if one.grades or one.taken or one.missed]
    drawn = told[:MOST_DAYS]
    return Hours(
        lines=tuple(drawn),
        more=len(told) - len(drawn),
        first=min((one.marks[0].left for one in drawn if one.marks), default=0) // HOUR_S * HOUR_S,
        last=-(-max((_right(one) for one in drawn), default=0) // HOUR_S) * HOUR_S,
        sums=_sums(agreed, lines, captures, totals, end_ms - begin_ms),
        by_day=by_day,
        uncounted=disputed.course.uncounted,
        contradicted=any(week.contradicted for week in disputed.course.weeks),
        counted=disputed.counted is not None,
    )


def _per_day(agreed: Agreed, captures: Iterable[Drawn]) -> Mapping[date, Sequence[Drawn]]:
    found: dict[date, list[Drawn]] = {}
    for one in captures:
        moment = datetime.fromtimestamp(one.at_ms // 1000, UTC)
        found.setdefault(moment.astimezone(agreed.zone).date(), []).append(one)
    return found


def _days(week: Week, agreed: Agreed, begin_ms: int, end_ms: int) -> Iterator[date]:
    for place in range(7):
        day = week.monday + timedelta(days=place)
        begin, end = bounds(day, agreed.zone)
        if begin < end_ms and end > begin_ms:
            yield day


def _line(
    agreed: Agreed,
    week: Week,
    day: date,
    period: tuple[int, int],
    captures: Sequence[Drawn],
) -> Line:
    dawn, night = bounds(day, agreed.zone)
    begin, end = max(dawn, period[0]), min(night, period[1])
    by_day = agreed.terms.granularity is Granularity.DAY
    # By the day, the figure is that of the whole day.
    cut = (dawn, night) if by_day else (begin, end)
    stretches = stretches_of(week.spans, *cut)
    told = [one for one in stretches if one.name not in _EMPTY]
    grades: Counter[str] = Counter()
    for one in told:
        grades[_grade(one)] += one.worked_ms
    steps = len(told) > _MOST_MARKS
    drawn = () if by_day else tuple(_stepped(told, dawn) if steps else _marks(told, dawn))
    places = [(one, (one.at_ms - dawn) // 1000) for one in captures if one.missed or one.withdrawn]
    missed_at = [at for one, at in places if one.missed]
    withdrawn_at = [at for one, at in places if one.withdrawn]
    return Line(
        day=day,
        length=(night - dawn) // 1000,
        marks=drawn,
        outside=_outside(begin - dawn, end - dawn, night - dawn),
        missed_at=() if by_day else tuple(missed_at[:_MOST_TICKS]),
        withdrawn_at=() if by_day else tuple(withdrawn_at[:_MOST_TICKS]),
        recorded_ms=sum(one.worked_ms for one in told if one.name != _LATE),
        late_ms=sum(one.worked_ms for one in told if one.name == _LATE),
        grades=grades,
        paused_ms=0 if by_day else _paused(stretches),
        taken=sum(not one.missed for one in captures),
        missed=sum(one.missed for one in captures),
        withdrawn=sum(one.withdrawn for one in captures),
        expired=sum(one.expired for one in captures),
        steps=steps and not by_day,
    )


def _marks(stretches: Iterable[Stretch], dawn: int) -> Iterator[Mark]:
    for one in stretches:
        left = (one.begin_ms - dawn) // 1000
        right = -(-(one.end_ms - dawn) // 1000)
        yield Mark(left, right - left, one.name, _grade(one))


def _stepped(stretches: Iterable[Stretch], dawn: int) -> Iterator[Mark]:
    """Draw a day in steps, each as what has most of it; alike neighbours are one mark."""
    steps: dict[int, Counter[tuple[str, str]]] = {}
    for one in stretches:
        for step in range((one.begin_ms - dawn) // _STEP_MS, -(-(one.end_ms - dawn) // _STEP_MS)):
            part = one.part(dawn + step * _STEP_MS, dawn + (step + 1) * _STEP_MS)
            length = part.end_ms - part.begin_ms
            steps.setdefault(step, Counter())[one.name, _grade(one)] += length
    for step, most in sorted(steps.items()):
        (name, grade), _ = most.most_common(1)[0]
        yield Mark(step * _STEP_MS // 1000, _STEP_MS // 1000, name, grade)


def _right(line: Line) -> int:
    return line.marks[-1].left + line.marks[-1].width if line.marks else 0


def _grade(one: Stretch) -> str:
    return "none" if one.grade is None else one.grade.value


def _outside(begin: int, end: int, length: int) -> tuple[tuple[int, int], ...]:
    """Give what of a day lies outside the disputed hours, in seconds."""
    parts = ((0, begin // 1000), (end // 1000, (length - end) // 1000))
    return tuple((left, width) for left, width in parts if width > 0)


def _paused(stretches: Iterable[Stretch]) -> int:
    paused = DiaryState.PAUSED.value
    return sum(one.end_ms - one.begin_ms for one in stretches if one.name == paused)


def _sums(
    agreed: Agreed,
    lines: Sequence[Line],
    captures: Sequence[Drawn],
    totals: Sequence[DayTotal],
    period_ms: int,
) -> Sums:
    grades: Counter[str] = Counter()
    for one in lines:
        grades.update(one.grades)
    recorded = sum(one.recorded_ms for one in lines)
    late = sum(one.late_ms for one in lines)
    paused = sum(one.paused_ms for one in lines)
    return Sums(
        period_ms=period_ms,
        recorded_ms=recorded,
        late_ms=late,
        grades={grade.value: grades[grade.value] for grade in Grade},
        paused_ms=paused,
        nothing_ms=max(0, period_ms - recorded - late - paused),
        taken=sum(not one.missed for one in captures),
        frames=sum(one.frames for one in captures),
        missed=sum(one.missed for one in captures),
        withdrawn=sum(one.withdrawn for one in captures),
        since_filing=sum(one.since_filing for one in captures),
        expired=sum(one.expired for one in captures),
        foreseeable=sum(one.foreseeable for one in captures),
        foreseeable_missed=sum(one.foreseeable and one.missed for one in captures),
        billed=billed_of(agreed.terms, totals),
    )
