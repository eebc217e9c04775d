"""Which of the server's loops fail again and again, for whoever watches the server.

Each loop says how each of its turns ended; a single failure is tried again and is nobody's concern.
"""

import threading
from collections import Counter
from typing import Final

SEQUENCING: Final = "sequencing"
HOUSEKEEPING: Final = "housekeeping"
PUBLISHING: Final = "publishing"
STAMPING: Final = "stamping"
WITNESSING: Final = "witnessing"
# Without these the log goes on: they are told, and no reason to take it out of service.
BESIDE: Final = frozenset({STAMPING, WITNESSING})
# Turns in a row that failed before it is told.
TOLD_AFTER: Final = 3


class Health:
    """Count each loop's failures in a row; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()
        self._stuck: set[str] = set()

    def worked(self, loop: str) -> None:
        """Note a turn that did what it should."""
        with self._lock:
            self._failures.pop(loop, None)

    def failed(self, loop: str) -> None:
        """Note a turn that did not."""
        with self._lock:
            self._failures[loop] += 1

    def stuck(self, part: str) -> None:
        """Note that a part stands still until somebody looks: that is told at once."""
        with self._lock:
            self._stuck.add(part)

    def freed(self, part: str) -> None:
        """Note that a part moves again."""
        with self._lock:
            self._stuck.discard(part)

    def failing(self) -> tuple[str, ...]:
        """Name the loops whose last turns all failed, and the parts that stand still."""
        with self._lock:
            failing = {k for k, n in self._failures.items() if n >= TOLD_AFTER}
            return tuple(sorted(failing | self._stuck))
