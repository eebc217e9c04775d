"""The machine's clocks, behind one small interface.

Rule: worked time comes from `monotonic_ns` alone, which stands still while the machine sleeps;
`boottime_ns` runs on, so the difference of the two is the time asleep. The wall clock is a claim.
"""

import time
from pathlib import Path
from typing import Protocol

from workseal_agent.errors import AgentError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Tell the time in four ways."""

    def wall_ms(self) -> int:
        """Return Unix milliseconds as the machine believes them."""
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds that never step and exclude suspend."""
        ...

    def boottime_ns(self) -> int:
        """Return nanoseconds that never step and include suspend."""
        ...

    def boot_id(self) -> str:
        """Name this boot: clock readings of two boots cannot be compared."""
        ...


class SystemClock:
    """Read the clocks of Linux.

    Raises `AgentError` on a system without them: there `time.monotonic` may count sleep, and
    nobody may be paid by a clock whose meaning is unknown.
    """

    def __init__(self) -> None:
        if not hasattr(time, "CLOCK_BOOTTIME"):
            raise AgentError("this system has no CLOCK_BOOTTIME: worked time needs Linux")
        try:
            self._boot_id = _BOOT_ID.read_text("ascii").strip()
        except OSError as error:
            raise AgentError("the boot id of this machine cannot be read") from error

    def wall_ms(self) -> int:
        """Return Unix milliseconds as the machine believes them."""
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Return nanoseconds that never step and exclude suspend."""
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)

    def boottime_ns(self) -> int:
        """Return nanoseconds that never step and include suspend."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        """Name this boot."""
        return self._boot_id
