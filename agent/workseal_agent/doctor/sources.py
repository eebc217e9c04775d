"""The candidates for each source, examined by opening them as `start` would.

Rule: a reason comes from the attempt itself, so that it cannot differ from what `start` would say.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from workseal_agent import logind
from workseal_agent.activity import sensor_candidates
from workseal_agent.activity.pick import SensorCandidate
from workseal_agent.config import ActivityKind, ScreenKind
from workseal_agent.daemon.control import told
from workseal_agent.daemon.patience import Patience
from workseal_agent.doctor.report import SourceReport
from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.fitness import Fitness
from workseal_agent.language import Phrase, all_of, phrase, phrases
from workseal_agent.screen import RawFrame, none_found, opened, screen_candidates
from workseal_agent.screen.frame import ScreenSource
from workseal_agent.screen.pick import ScreenCandidate
from workseal_agent.surroundings import Surroundings

# A screen that hangs must not hold up the rest of the examination.
_SECONDS = 10.0


class Candidate(Protocol):
    """What an examination needs to know of a candidate."""

    @property
    def name(self) -> str:
        """Name it as the settings do."""
        ...

    @property
    def automatic(self) -> bool:
        """Say whether it is tried when the settings name none."""
        ...


One = TypeVar("One", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold what recording asks of the machine: the settings, and what the terms need."""

    screen: ScreenKind = "auto"
    activity: ActivityKind = "auto"
    replay: Path | None = None
    masking: bool = True
    pictures: bool = True
    counts: bool = True


def examine_sources(around: Surroundings, wanted: Wanted) -> tuple[SourceReport, ...]:
    """Examine screen, windows, input, idle time and sleep; each candidate in its turn."""
    screens = screen_candidates(around, wanted.replay)
    sensors = sensor_candidates(around)
    look = partial(_look, masking=wanted.masking)
    screen = _report("screen", wanted.screen, screens, look, needed=wanted.pictures)
    if screen.problem is not None:
        screen = replace(screen, problem=none_found(wanted.screen, around, screen.problem))
    return (
        screen,
        _report("windows", wanted.screen, screens, _list),
        _report("input", wanted.activity, sensors, _sense, needed=wanted.counts),
        _idle(_report("idle", wanted.activity, sensors, _ask_idle)),
        _interruptions(around),
    )


_HINT = Fitness("logind", fit=False, reason=phrase("its idle hint comes minutes late: never used"))


def _idle(report: SourceReport) -> SourceReport:
    """Add what could be asked and is not."""
    return replace(report, candidates=(*report.candidates, _HINT))


def _interruptions(around: Surroundings) -> SourceReport:
    """Examine what tells sleep and locking; the clocks see sleep whatever else there is."""
    told = _judged("logind", lambda: logind.examine(around.system_bus, around.session))
    return SourceReport("sleep", (told, _CLOCKS), told.name if told.fit else _CLOCKS.name)


_CLOCKS = Fitness(
    "clocks", fit=True, reason=phrase("they tell how long the machine slept, once it is awake")
)


def _report(
    kind: str,
    wanted: str,
    candidates: Sequence[One],
    attempt: Callable[[One], str],
    *,
    needed: bool = False,
) -> SourceReport:
    """Attempt each candidate; the first fit one of those that are asked for is picked."""
    found = [(one, _judged(one.name, partial(attempt, one))) for one in candidates]
    asked = [
        fitness
        for one, fitness in found
        if wanted == one.name or (wanted == "auto" and one.automatic)
    ]
    picked = next((fitness.name for fitness in asked if fitness.fit), None)
    problem = all_of(fitness.reason for fitness in asked)
    return SourceReport(
        kind,
        tuple(fitness for _, fitness in found),
        picked,
        problem if needed and picked is None else None,
    )


def _judged(name: str, attempt: Callable[[], str]) -> Fitness:
    """Make an attempt within bounded time, and tell how it ended."""
    try:
        return Fitness(name, fit=True, reason=Patience(_SECONDS).wait_for(attempt))
    except TimeoutError:
        reason = phrase("does not answer within {seconds:.0f} seconds", seconds=_SECONDS)
        return Fitness(name, fit=False, reason=reason)
    except Exception as error:  # noqa: BLE001 - the other candidates are to be examined
        return Fitness(name, fit=False, reason=told(error))


def _look(candidate: ScreenCandidate, *, masking: bool) -> str:
    with closing(opened(candidate, masking=masking)) as source:
        seen = (
            _seen(source)
            if candidate.quiet
            else phrase("not tried: a picture may ask, flash or leave a file")
        )
        name = source.name
        if source.virtual:
            name = phrase("{name} (virtual)", name=name)
        if source.lists_windows:
            return phrase("{name}: {seen}", name=name, seen=seen)
        return phrase("{name}: {seen}; nothing on it can be masked", name=name, seen=seen)


def _seen(source: ScreenSource) -> str:
    try:
        return _sizes(source.grab())
    except CaptureError as error:
        if error.failure is not CaptureFailure.HIDDEN:
            raise
        # Recording begins all the same, and its pictures with the next key.
        return phrase("nothing to see now: {reason}", reason=told(error))


def _sizes(frames: Sequence[RawFrame]) -> Phrase:
    """Tell of a test picture how many displays it has, and how large they are."""
    sizes = ", ".join(f"{frame.width}x{frame.height}" for frame in frames)
    return phrases(
        len(frames), "{count} display of {sizes}", "{count} displays of {sizes}", sizes=sizes
    )


def _list(candidate: ScreenCandidate) -> str:
    with closing(candidate.open()) as source:
        if not source.lists_windows:
            raise NoScreenError("it does not tell which windows are shown")
        return phrases(
            len(source.windows()),
            "{count} window listed, for the mask alone",
            "{count} windows listed, for the mask alone",
        )


def _sense(candidate: SensorCandidate) -> str:
    with closing(candidate.open()):
        return phrase("tells {what}", what=candidate.tells)


def _ask_idle(candidate: SensorCandidate) -> str:
    with closing(candidate.open()) as sensor:
        if sensor.idle_ms() is None:
            raise NoScreenError("it does not tell how long there was no input")
        return phrase("tells how long there was no input")
