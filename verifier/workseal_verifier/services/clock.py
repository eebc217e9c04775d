"""The verifier's clock, as an argument."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tell the time."""

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        return time.time_ns() // 1_000_000
