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
# Turns in a row that failed before it is told.
TOLD_AFTER: Final = 3


class Health:
    """Count each loop's failures in a row; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()

    def worked(self, loop: str) -> None:
        """Note a turn that did what it should."""
        with self._lock:
            self._failures.pop(loop, None)

    def failed(self, loop: str) -> None:
        """Note a turn that did not."""
        with self._lock:
            self._failures[loop] += 1

    def failing(self) -> tuple[str, ...]:
        """Name the loops whose last turns all failed."""
        with self._lock:
            return tuple(sorted(k for k, n in self._failures.items() if n >= TOLD_AFTER))
