"""A day as its page draws and words it: hours, marks, pictures, states and reasons."""

from dataclasses import dataclass
from typing import Any

from workseal_agent.day import Day, Stretch, Way
from workseal_agent.ledger import CaptureRow
from workseal_agent.pages.words import say
from workseal_protocol.diary import DiaryState
from workseal_protocol.terms import WorkClass

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
CLASSES = {
    WorkClass.WORKING: "working",
    WorkClass.OFF_SCREEN: "off-screen",
    WorkClass.SEALED: "sealed",
    WorkClass.LATE_DECLARED: "late-declared",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Hold a rectangle of the time line: seconds of its hour, and what it stands for."""

    left: int
    width: int
    name: str


@dataclass(frozen=True, slots=True)
class Shot:
    """Hold a picture on the time line: the second of its hour, and its number."""

    left: int
    number: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Hold one line of the time line."""

    begin_ms: int
    marks: tuple[Mark, ...]
    pictures: tuple[Shot, ...]
    worked_ms: int


def hours_of(day: Day) -> tuple[Hour, ...]:
    """Cut the day into hours, from the first to the last in which anything is told."""
    told = [one for one in day.stretches if one.state is not DiaryState.NO_SESSION]
    if not told:
        return ()
    first = (told[0].begin_ms - day.begin_ms) // _HOUR_MS
    last = (told[-1].end_ms - 1 - day.begin_ms) // _HOUR_MS
    return tuple(_hour(day, day.begin_ms + number * _HOUR_MS) for number in range(first, last + 1))


def row_of(
    stretch: Stretch, begin_ms: int | None = None, end_ms: int | None = None
) -> dict[str, Any]:
    """Say a stretch, or the part of it between two moments, in words."""
    begin = max(stretch.begin_ms, begin_ms or stretch.begin_ms)
    end = min(stretch.end_ms, end_ms or stretch.end_ms)
    return {
        "begin_ms": begin,
        "end_ms": end,
        "length_ms": end - begin,
        "worked_ms": stretch.worked_between(begin, end),
        "name": _name_of(stretch.state),
        "state": say(f"state.{_name_of(stretch.state)}"),
        "reason": _reason_of(stretch),
        "way": stretch.way,
    }


def classes_of(day: Day) -> list[dict[str, Any]]:
    """Say how the day's signed time is divided."""
    total = day.total(day.signed)
    if total is None:
        return []
    return [
        {"name": CLASSES[kind], "state": say(f"state.{CLASSES[kind]}"), "ms": ms}
        for kind, ms in total.worked_ms.items()
        if ms
    ]


def pictures_of(day: Day, stretch: Stretch) -> list[CaptureRow]:
    """Return the pictures of a stretch, each of which is in the line of one stretch alone."""
    return [row for row in day.captures if stretch.begin_ms <= row.captured_ms < stretch.end_ms]


def has_another_length(day: Day) -> bool:
    """Tell whether clocks are put on or back on this day, so that a time of day needs a name."""
    return day.end_ms - day.begin_ms != _DAY_MS


def _name_of(state: DiaryState) -> str:
    """Return the name of a state as texts and styles spell it."""
    return state.value.replace(" ", "-")


def _reason_of(stretch: Stretch) -> str:
    """Say why a stretch is what it is."""
    if stretch.state is DiaryState.LATE_DECLARED:
        return say("reason.late_declared")
    if stretch.way is not Way.LOGGED:
        known = _name_of(stretch.state) if stretch.way is Way.NOTHING else stretch.way.value
        return say(f"reason.{known}")
    proved = stretch.grade.value if stretch.grade is not None else "unproved"
    sealed = say("reason.sealed") + " " if stretch.state is DiaryState.SEALED else ""
    return sealed + say(f"reason.{proved}")


def _hour(day: Day, begin: int) -> Hour:
    end = begin + _HOUR_MS
    marks: list[Mark] = []
    worked = 0
    for one in day.stretches:
        low, high = max(one.begin_ms, begin), min(one.end_ms, end)
        if low < high:
            left, right = (low - begin) // 1000, -(-(high - begin) // 1000)
            name = _name_of(one.state)
            # What is one to the eye is one rectangle: between two a browser leaves a seam.
            if marks and marks[-1].name == name and marks[-1].left + marks[-1].width >= left:
                left = marks.pop().left
            marks.append(Mark(left, right - left, name))
            worked += one.worked_between(low, high)
    pictures = tuple(
        Shot((row.captured_ms - begin) // 1000, row.number)
        for row in day.captures
        if begin <= row.captured_ms < end
    )
    return Hour(begin, tuple(marks), pictures, worked)
