"""What fails again and again, of the server's loops and the servers that it asks.

Each turn says how it ended; a single failure is tried again and is nobody's concern.
"""

import threading
import time
from collections import Counter
from typing import Final

SEQUENCING: Final = "sequencing"
HOUSEKEEPING: Final = "housekeeping"
PUBLISHING: Final = "publishing"
STAMPING: Final = "stamping"
SPACE: Final = "space"
WITNESSING: Final = "witnessing"
BEACON: Final = "beacon"
DRAND: Final = "drand"
NOTICES: Final = "notices"
WEBHOOKS: Final = "webhooks"
CASES: Final = "cases"
# What begins like this is told, and is no reason to take the server out of service.
_BESIDE: Final = (STAMPING, WITNESSING, BEACON, DRAND, NOTICES, WEBHOOKS, CASES)
# Turns in a row that failed before it is told.
TOLD_AFTER: Final = 3


class Health:
    """Count failures in a row; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()
        self._stuck: set[str] = set()
        self._worked_at: dict[str, float] = {}

    def worked(self, what: str) -> None:
        """Note a turn that did what it should."""
        with self._lock:
            self._failures.pop(what, None)
            self._worked_at[what] = time.monotonic()

    def failed(self, what: str) -> None:
        """Note a turn that did not."""
        with self._lock:
            self._failures[what] += 1

    def stuck(self, part: str) -> None:
        """Note that a part stands still until somebody looks: that is told at once."""
        with self._lock:
            self._stuck.add(part)

    def freed(self, part: str) -> None:
        """Note that a part moves again."""
        with self._lock:
            self._stuck.discard(part)

    def failing(self) -> tuple[str, ...]:
        """Name what failed in all its last turns, and the parts that stand still."""
        with self._lock:
            failing = {k for k, n in self._failures.items() if n >= TOLD_AFTER}
            return tuple(sorted(failing | self._stuck))

    def down(self) -> bool:
        """Tell whether something fails without which the log cannot be written."""
        return not all(name.startswith(_BESIDE) for name in self.failing())

    def ages(self) -> dict[str, float]:
        """Tell how many seconds ago each loop did what it should."""
        with self._lock:
            now = time.monotonic()
            return {loop: now - at for loop, at in self._worked_at.items()}
