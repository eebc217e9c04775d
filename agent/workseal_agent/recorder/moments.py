"""The session's clock: anchored once, advanced by the machine's boot time, never by the wall.

Rules: what is told as begin and end comes from here; what is paid comes from the monotonic clock.
The wall clock may step as it likes: a step becomes a note and changes neither.
"""

from dataclasses import dataclass
from enum import Enum

from workseal_agent.clock import Clock

NS_PER_MS = 1_000_000
# Asleep for less than this between two looks is clock noise.
_SUSPEND_NS = 1_000_000_000
# The loop looks every second. When it did not for this long, the process did not run, and nobody
# can say what happened on the screen: that time is left out and noted.
_STALL_NS = 15_000_000_000
_STEP_MS = 2_000


class GapKind(Enum):
    """Say why a stretch of time is left out."""

    SUSPEND = "suspend"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Gap:
    """Hold one interruption between two looks at the clocks."""

    kind: GapKind
    length_ns: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold one reading of all clocks."""

    wall_ms: int
    boot_ns: int
    mono_ns: int

    @classmethod
    def read(cls, clock: Clock) -> "Moment":
        """Read the clocks."""
        return cls(clock.wall_ms(), clock.boottime_ns(), clock.monotonic_ns())


def gap_between(before: Moment, now: Moment, attended_ns: int) -> Gap | None:
    """Say whether the machine slept, or the process stood still, between two looks.

    `attended_ns` is the monotonic time at which the process was last busy on its own account.
    """
    boot, mono = now.boot_ns - before.boot_ns, now.mono_ns - before.mono_ns
    if boot - mono > _SUSPEND_NS:
        return Gap(GapKind.SUSPEND, boot - mono)
    if now.mono_ns - max(before.mono_ns, attended_ns) > _STALL_NS:
        return Gap(GapKind.STALL, now.mono_ns - before.mono_ns)
    return None


class SessionClock:
    """Tell the session's time for a moment, in Unix nanoseconds."""

    def __init__(self, start: Moment, start_ms: int) -> None:
        self._anchor_ns = start_ms * NS_PER_MS - start.boot_ns
        self._wall_offset = start.wall_ms - start_ms

    def ns(self, moment: Moment) -> int:
        """Return the session's time of a moment."""
        return self._anchor_ns + moment.boot_ns

    def step(self, moment: Moment) -> int | None:
        """Return by how many milliseconds the wall clock was moved since last told, if it was."""
        offset = moment.wall_ms - self.ns(moment) // NS_PER_MS
        moved = offset - self._wall_offset
        if abs(moved) <= _STEP_MS:
            return None
        self._wall_offset = offset
        return moved
