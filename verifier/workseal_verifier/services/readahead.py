"""Engagements that were folded before the log is held for them.

Rule: one is made at a time, and no engagement twice at once; what the log's keeper forgot is not
given to it again. There are few: each is taken by the tick that it was made for.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from workseal_verifier.services.engagement import Engagement

# A chain of a year takes some 20 MB.
_MOST = 8


class ReadAhead:
    """States, each with the size of the log that it was folded below; for any thread."""

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._lock = threading.Lock()
        self._generation = 0
        self._states: OrderedDict[bytes, tuple[Engagement, int]] = OrderedDict()

    def has(self, identifier: bytes) -> bool:
        """Tell whether an engagement is here."""
        return identifier in self._states

    def keep(self, identifier: bytes, size: int, make: Callable[[], Engagement | None]) -> None:
        """Make a state and keep it, unless it is here or everything is forgotten meanwhile."""
        with self._lock:
            generation = self._generation
        with self._making:
            state = None if self.has(identifier) else make()
        if state is None:
            return
        with self._lock:
            if generation == self._generation:
                self._states[identifier] = (state, size)
                if len(self._states) > _MOST:
                    self._states.popitem(last=False)

    def take(self, identifier: bytes) -> tuple[Engagement, int] | None:
        """Take a state away, with the size that it was folded below; None if it is not here."""
        with self._lock:
            return self._states.pop(identifier, None)

    def clear(self) -> None:
        """Forget all, and what is being made."""
        with self._lock:
            self._generation += 1
            self._states.clear()
