"""Checks 8 and 9: what opened activity tells: input over a still screen, input without change.

Rule: simple automation is what they can notice. A program that imitates a person is not noticed,
and a person who works evenly with a mouse may be: the figures stand in docs/spec/desk.md.
"""

from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import Final

from workseal_protocol.commitment import ActivityRecord
from workseal_protocol.desk.checked import Checked, Outcome
from workseal_protocol.desk.material import Material, Placed

# Check 8: so many opened captures at least, this share of them still, each with so much input.
LEAST_CAPTURES: Final = 5
STILL_PERCENT: Final = 50
INPUT_PERCENT: Final = 20

# Check 9: windows of so many rounds that follow each other and were observed nearly whole.
WINDOW: Final = 20
OBSERVED_PERCENT: Final = 90
SPREAD_PERCENT: Final = 25
WINDOWS_PERCENT: Final = 20


def check_still(material: Material) -> Checked:
    """Say how often input was counted in a round whose capture showed what the last one did."""
    number, name = 8, "still screen"
    known = [
        (one, one.activity)
        for one in material.working
        if one.activity is not None and one.activity.changed_percent is not None
    ]
    if len(known) < LEAST_CAPTURES:
        return Checked(
            number,
            name,
            Outcome.NOT_RUN,
            f"{len(known)} captures with opened activity, and it takes {LEAST_CAPTURES}",
        )
    still = [(one, found) for one, found in known if found.changed_percent == 0 and _busy(found)]
    sentence = (
        f"in {len(still)} of {len(known)} captures no tile had changed since the capture before,"
        f" though input was counted in at least {INPUT_PERCENT} % of their round"
    )
    proof = tuple(
        f"round {one.segment.round}: {found.input_seconds} s of {found.observed_ms // 1000} s with"
        f" input, {found.changed_percent} % of tiles changed"
        for one, found in known
    )
    noticed = len(still) * 100 >= STILL_PERCENT * len(known)
    outcome = Outcome.NOTICED if noticed else Outcome.NOTHING
    return Checked(number, name, outcome, sentence, proof)


def _busy(found: ActivityRecord) -> bool:
    return found.input_seconds * 1000 * 100 >= INPUT_PERCENT * found.observed_ms > 0


def check_regular(material: Material) -> Checked:
    """Say how often a window of rounds has input by pointer alone, of nearly equal length."""
    number, name = 9, "regular input"
    windows = _windows(tuple(material.working), material.terms.round_ms)
    if not windows:
        sentence = f"no {WINDOW} whole rounds with opened activity follow each other"
        return Checked(number, name, Outcome.NOT_RUN, sentence)
    regular = [window for window in windows if _is_regular([found for _, found in window])]
    synthetic = sum((found.synthetic_tenths or 0) >= 5 for window in windows for _, found in window)
    sentence = (
        f"{len(regular)} of {len(windows)} windows of {WINDOW} rounds have input by pointer alone"
        f" in every round, for spans that differ by less than {SPREAD_PERCENT} %; in {synthetic} of"
        f" {len(windows) * WINDOW} rounds half of the input or more came from devices that a"
        " program can make"
    )
    proof = tuple(
        f"rounds {window[0][0].segment.round} to {window[-1][0].segment.round}: seconds with input"
        f" {' '.join(str(found.input_seconds) for _, found in window)}"
        for window in regular
    )
    noticed = len(regular) * 100 >= WINDOWS_PERCENT * len(windows)
    outcome = Outcome.NOTICED if noticed else Outcome.NOTHING
    return Checked(number, name, outcome, sentence, proof)


_Window = tuple[tuple[Placed, ActivityRecord], ...]


def _windows(places: Sequence[Placed], round_ms: int) -> list[_Window]:
    """Cut runs of consecutive rounds into windows; what is left of a run is too short to tell."""
    windows: list[_Window] = []
    run: list[tuple[Placed, ActivityRecord]] = []
    for place in places:
        found = place.activity
        if found is None or found.observed_ms * 100 < OBSERVED_PERCENT * round_ms:
            run = []
            continue
        if run and place.segment.round != run[-1][0].segment.round + 1:
            run = []
        run.append((place, found))
        if len(run) == WINDOW:
            windows.append(tuple(run))
            run = []
    return windows


def _is_regular(found: Sequence[ActivityRecord]) -> bool:
    if any(one.keys or not one.pointer for one in found):
        return False
    seconds = [one.input_seconds for one in found]
    mean = fmean(seconds)
    # One second of slack: a count that falls on a border is one second more or less.
    return pstdev(seconds) <= max(mean * SPREAD_PERCENT / 100, 0.5)
