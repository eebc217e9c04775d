"""Random scripts of a freelancer's day: what happens to the person, the machine and the network.

Rules: a script follows from its seed alone; it holds only what happens, and nothing of what the
product should make of it. `support.daytruth` says what is true then, `support.dayplayed` lets it
happen to a real recorder, chain, ledger and sender.
"""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

ROUNDS_MS = (30_000, 60_000)
# Places whose clocks change, the instant (UTC) at which they do: by an hour, by half an hour, and
# at midnight itself.
CHANGES = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (
        datetime(2026, 3, 8, 7, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
    ),
    "Australia/Lord_Howe": (
        datetime(2026, 4, 4, 15, tzinfo=UTC),
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    ),
    "Africa/Cairo": (
        datetime(2026, 4, 23, 22, tzinfo=UTC),
        datetime(2026, 10, 29, 21, tzinfo=UTC),
    ),
}
_HOUR_MS = 3_600_000
# A clock that is further off than a zone is not put right by the verifier's.
_MOST_FOLLOWED_MS = 15 * _HOUR_MS


class Act(StrEnum):
    """Name what happens. `seconds` is how long it takes, `value` what it says beside."""

    WORK = "work"
    PAUSE = "pause"
    WORKING = "working"
    OFF_SCREEN = "off-screen"
    SEALED = "sealed"
    # The machine sleeps; value 1: it was announced.
    SUSPEND = "suspend"
    # The screen is locked; value 1: the settings count that time.
    LOCK = "lock"
    # The process stands still, and the machine does not.
    FREEZE = "freeze"
    # The wall clock is wrong by `value` milliseconds from now on.
    CLOCK = "clock"
    # The process is killed, and starts again.
    CRASH = "crash"
    # The machine is switched off; value 1: the user stopped first.
    REBOOT = "reboot"
    # The user stops, and starts again.
    STOP = "stop"
    # Value 0: nothing is reached; 1: all is; 2: statements arrive, and their answers are lost.
    NETWORK = "network"
    # This share of the frames so far, in percent, is withdrawn.
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one thing that happens."""

    act: Act
    seconds: float = 0.0
    value: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """Hold a whole day: where and when it begins, and what happens."""

    seed: int
    zone: str
    start_ms: int
    round_ms: int
    steps: tuple[Step, ...]
    # What is withdrawn of all frames when the day is over.
    withdrawn_percent: int

    def __str__(self) -> str:
        steps = " ".join(f"{one.act}:{one.seconds:g}:{one.value}" for one in self.steps)
        return f"script {self.seed} ({self.zone}, {self.start_ms}, {self.round_ms}): {steps}"


def draw_script(seed: int) -> Script:
    """Draw the script of a seed."""
    chance = random.Random(seed)
    zone = chance.choice(sorted(CHANGES))
    change = int(chance.choice(CHANGES[zone]).timestamp()) * 1000
    # Half of the days have the change of the clocks, or a midnight, among them.
    before_ms = chance.choice((600_000, 1_200_000, 6 * _HOUR_MS, 9 * _HOUR_MS))
    return Script(
        seed=seed,
        zone=zone,
        start_ms=change - before_ms - chance.randrange(60_000),
        round_ms=chance.choice(ROUNDS_MS),
        steps=tuple(_Day(chance, change - before_ms, change).steps()),
        withdrawn_percent=chance.choice((0, 10, 50, 90, 100)),
    )


class _Day:
    """Draw the steps, and keep the machine such that its agent can start at all."""

    def __init__(self, chance: random.Random, start_ms: int, change_ms: int) -> None:
        self.chance = chance
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.change_ms = change_ms
        self.wrong_ms = 0
        self.network = 1
        self.found: list[Step] = []

    def steps(self) -> list[Step]:
        for _ in range(self.chance.randrange(3, 11)):
            self._add(Step(Act.WORK, self._seconds(1, 600)))
            self._draw()
        self._add(Step(Act.WORK, self._seconds(1, 300)))
        return self.found

    def _add(self, step: Step) -> None:
        before, self.now_ms = self.now_ms, self.now_ms + round(step.seconds * 1000)
        self.found.append(step)
        if before < self.change_ms <= self.now_ms and self.chance.random() < 0.3:
            # A machine that takes local time for UTC.
            self._clock(self.wrong_ms + self.chance.choice((-_HOUR_MS, _HOUR_MS)))

    def _draw(self) -> None:
        acts = (
            self._pause, self._mode, self._suspend, self._lock, self._freeze, self._step,
            self._crash, self._reboot, self._stop, self._network, self._network, self._withdraw,
        )  # fmt: skip
        self.chance.choice(acts)()

    def _seconds(self, least: float, most: float) -> float:
        """Draw a time, as often below the middle of its orders of magnitude as above."""
        return round(least * math.pow(most / least, self.chance.random()), 3)

    def _pause(self) -> None:
        self._add(Step(Act.PAUSE, self._seconds(0.2, 1_800)))

    def _mode(self) -> None:
        self._add(Step(self.chance.choice((Act.WORKING, Act.OFF_SCREEN, Act.SEALED))))

    def _suspend(self) -> None:
        self._add(Step(Act.SUSPEND, self._seconds(2, 20_000), self.chance.randrange(2)))

    def _lock(self) -> None:
        self._add(Step(Act.LOCK, self._seconds(1, 900), self.chance.randrange(2)))

    def _freeze(self) -> None:
        # What is near the 15 seconds that decide may be told either way.
        spans = ((0.5, 12.0), (20.0, 900.0))
        self._add(Step(Act.FREEZE, self._seconds(*self.chance.choice(spans))))

    def _step(self) -> None:
        sizes = (0, 1_500, -1_500, 2_500, -2_500, 90_000, -90_000, _HOUR_MS, -_HOUR_MS)
        self._clock(self.chance.choice((*sizes, 94_608_000_000, -94_608_000_000)))

    def _clock(self, wrong_ms: int) -> None:
        self.wrong_ms = wrong_ms
        self._add(Step(Act.CLOCK, 0.0, wrong_ms))

    def _network(self) -> None:
        self.network = self.chance.choice((0, 0, 1, 2)) if self.network == 1 else 1
        self._add(Step(Act.NETWORK, 0.0, self.network))

    def _withdraw(self) -> None:
        self._add(Step(Act.WITHDRAW, 0.0, self.chance.choice((10, 50, 100))))

    def _crash(self) -> None:
        self._startable()
        self._add(Step(Act.CRASH, self._seconds(0.5, 900)))

    def _reboot(self) -> None:
        self._startable()
        self._add(Step(Act.REBOOT, self._seconds(20, 3_600), self.chance.randrange(2)))

    def _stop(self) -> None:
        self._startable()
        self._add(Step(Act.STOP, self._seconds(0.5, 1_800)))

    def _startable(self) -> None:
        """Set a clock that is very wrong, or wrong where nobody can tell the agent the time.

        The agent would refuse to start, and ask for just that.
        """
        before_terms = self.now_ms + self.wrong_ms < self.start_ms
        unknown = self.network == 0 and (before_terms or abs(self.wrong_ms) > _HOUR_MS)
        if unknown or abs(self.wrong_ms) > _MOST_FOLLOWED_MS:
            self._clock(0)
