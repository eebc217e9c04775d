"""Drawn days of work, pauses, sleep, wrong clocks, crashes and outages, judged by what was true.

The short form runs everywhere. The campaign of 10,000 days, with its figures, and a slice of it,
from one day up to another, so that it can be spread over nights or machines:

    WORKSEAL_LONG=1 pytest -rP tests/agent/test_recorder_simulated.py
    WORKSEAL_DAYS=3670:3770 pytest -rP tests/agent/test_recorder_simulated.py
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest

from support.dayplayed import Played
from support.dayscript import Act, Script, Step, draw_script
from support.daytruth import truth_of
from workseal_protocol.totals import Totals
from workseal_protocol.window import Grade

# Days that once showed a fault, or that the truth was once wrong about.
REMEMBERED = (41, 272, 401, 735, 957, 1180, 1285, 1447, 4129)
# The seeds of the campaign's days, in its order.
CAMPAIGN = tuple(dict.fromkeys((*REMEMBERED, *range(2_000, 12_000))))[:10_000]
# Nothing here is about the disk: where there is one in memory, a day is played on that.
MEMORY = Path("/dev/shm")  # noqa: S108 - each day has a folder of its own there
_HOUR_MS = 3_600_000
# So many days are enough to tell whether crashes and withdrawals are played at all.
_MANY = 40
# Begin and end of a stretch are told in whole milliseconds.
_ROUNDING_MS = 50


def chosen_days(environment: Mapping[str, str]) -> tuple[int, ...]:
    """Return the seeds that the environment asks for: a slice, all, or few."""
    asked = environment.get(
        "WORKSEAL_DAYS", "0:10000" if "WORKSEAL_LONG" in environment else "0:50"
    )
    first, colon, end = asked.partition(":")
    if not (colon and first.isdecimal() and end.isdecimal()):
        raise ValueError(f"expected WORKSEAL_DAYS=FIRST:END, found {asked!r}")
    days = CAMPAIGN[int(first) : int(end)]
    if not days or int(end) > len(CAMPAIGN):
        raise ValueError(f"expected days of 0:{len(CAMPAIGN)}, found {asked!r}")
    return days


@pytest.fixture(autouse=True)
def closed() -> None:
    """Remember nothing that was opened: each day is closed when it is over, and there are many."""


@dataclass(slots=True)
class Found:
    """Sum up what was played: hours, frames, and the worst error in milliseconds an hour."""

    days: int = 0
    hours: float = 0.0
    frames: int = 0
    withdrawn: int = 0
    crashes: int = 0
    worst: float = 0.0


def judge(folder: Path, script: Script, found: Found) -> None:
    """Play one day; what is told of it is what was true, and withdrawing changes none of it."""
    truth, played = truth_of(script), Played(folder, script)
    try:
        played.deliver()
        assert played.unsent == 0
        before = totals(played)
        hours = truth.worked.most / _HOUR_MS
        off = truth.worked.off_by(before.worked_ms)
        allowed = 2_000 * hours + _ROUNDING_MS
        assert off <= allowed, f"worked {before.worked_ms}, true {truth.worked}"
        for grade in Grade:
            bounds, told = truth.grades[str(grade)], before.by_grade[grade]
            assert bounds.off_by(told) <= allowed, f"{grade} {told}, true {bounds}"
        for state, told in before.by_state.items():
            name = state.name.lower().replace("_", "-")
            assert truth.states[name].off_by(told) <= allowed, f"{name} {told}"
        for day in before.days if truth.days_known else ():
            told = sum(day.worked_ms.values())
            assert truth.days[day.day].off_by(told) <= allowed, f"{day.day} {told}"
        withdrawn = played.withdraw(script.withdrawn_percent)
        played.deliver()
        assert played.unsent == 0
        after = totals(played)
        assert after.withdrawn == before.withdrawn + withdrawn
        assert figures(after) == figures(before)
    finally:
        played.rig.ledger.close()
        played.rig.client.close()
    found.days += 1
    found.hours += hours
    found.frames += before.frames
    found.withdrawn += after.withdrawn
    found.crashes += truth.crashes
    found.worst = max(found.worst, off / hours)


def totals(played: Played) -> Totals:
    """Export what is logged, which verifies the bundle, and return what it comes to."""
    told = played.export().report.totals
    assert told is not None
    return told


def figures(told: Totals) -> tuple[object, ...]:
    """Return everything of totals that frames must have no part in."""
    return (told.by_state, told.by_grade, told.late_declared_ms, told.days, told.billed,
            told.captured, told.missed, told.sealed, told.due_outside)  # fmt: skip


def test_what_is_told_of_a_drawn_day_is_what_was_true(tmp_path: Path) -> None:
    seeds = chosen_days(os.environ)
    found, began, wrong = Found(), time.process_time(), []
    for seed in seeds:
        script = draw_script(seed)
        with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
            try:
                judge(Path(folder), script, found)
            except Exception as error:  # noqa: BLE001 - the script that shows it is told beside it
                wrong.append(f"{type(error).__name__}: {error}\n  {script}")
        if len(wrong) > 9:
            break
    spent = (time.process_time() - began) / len(seeds)
    print(f"{found}; {spent:.2f} s of a core each")  # noqa: T201 - the campaign's figures
    assert not wrong, "\n".join(wrong)
    assert found.days == len(seeds)
    if len(seeds) >= _MANY:
        assert found.crashes > len(seeds) / 20
        assert found.withdrawn > 0


def test_slices_of_the_campaign_are_its_days_and_no_others() -> None:
    slices = [chosen_days({"WORKSEAL_DAYS": one}) for one in ("0:3670", "3670:9999", "9999:10000")]
    assert sum(slices, ()) == chosen_days({"WORKSEAL_LONG": "1"})
    assert len(set(CAMPAIGN)) == 10_000
    assert len(chosen_days({})) == 50
    for bad in ("", "5", "9:9", "-1:3", "9000:10001", "20000:20001"):
        with pytest.raises(ValueError, match="found"):
            chosen_days({"WORKSEAL_DAYS": bad})


def test_the_scripts_hold_everything_that_may_happen() -> None:
    acts = {step.act for seed in range(300) for step in draw_script(seed).steps}
    assert acts == set(Act)
    assert sum(map(sees_the_clocks_change, map(draw_script, range(300)))) > 30
    assert draw_script(7) == draw_script(7)


def sees_the_clocks_change(script: Script) -> bool:
    """Tell whether the clocks of the terms' zone change while the script is played."""
    zone = ZoneInfo(script.zone)
    length_ms = sum(step.seconds for step in script.steps) * 1000
    begin, end = (
        datetime.fromtimestamp(ms / 1000, tz=UTC).astimezone(zone).utcoffset()
        for ms in (script.start_ms, script.start_ms + length_ms)
    )
    return begin != end


def test_the_truth_knows_a_day_that_can_be_told_by_hand() -> None:
    start = 1_772_442_000_000
    steps = (
        Step(Act.WORK, 100.0), Step(Act.PAUSE, 50.0), Step(Act.NETWORK, 0.0, 0),
        Step(Act.WORK, 200.0), Step(Act.CRASH, 10.0), Step(Act.WORK, 30.0),
    )  # fmt: skip
    truth = truth_of(Script(0, "Europe/Berlin", start, 60_000, steps, 0))
    # Killed 350 s after the start, 50 s into a round of a minute.
    assert (truth.worked.least, truth.worked.most) == (280_000, 280_000)
    assert truth.crashes == 1
    assert truth.grades["offline"].least == 150_000
    assert (truth.grades["online"].least, truth.grades["online"].most) == (100_000, 100_000)
    assert (truth.grades["late"].least, truth.grades["late"].most) == (0, 30_000)
