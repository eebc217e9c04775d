"""Room on the disk: the log goes read-only before there is none, and writes again when there is.

Rules: counted is what will still be needed: SQLite's write-ahead log goes into the database once
more, and so does what a tick is about to write. The way back is longer than the way there, so that
the state does not flicker. Reading goes on.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from workseal_verifier.errors import Reason, RefusedError

_logger = logging.getLogger(__name__)

# Written again when so much more is free than the least.
MARGIN_BYTES: Final = 16 << 20
_RETRY_S = 60


class Space:
    """Watch what is free; may be used from several threads."""

    def __init__(
        self, *, free: Callable[[], int], owed: Callable[[], int], least_bytes: int
    ) -> None:
        self._free = free
        self._owed = owed
        self._least = least_bytes
        self._lock = threading.Lock()
        self._full = False

    @property
    def is_full(self) -> bool:
        """Tell whether the log is read-only, as it was found last."""
        return self._full

    def left(self) -> int:
        """Count the bytes that are free and not owed."""
        return self._free() - self._owed()

    def look(self, wanted: int = 0) -> bool:
        """Look at the disk; tell whether the log is read-only for so many bytes more."""
        if not self._least:
            return False
        # Once into the write-ahead log, once from there into the database.
        left = self.left() - 2 * wanted
        with self._lock:
            before = self._full
            self._full = left < self._least + (MARGIN_BYTES if before else 0)
            if self._full != before:
                state = "read-only: little space is left" if self._full else "written again"
                _logger.warning("the log is %s, %s MiB", state, left >> 20)
            return self._full

    def require(self, wanted: int) -> None:
        """Refuse to write so many bytes when there is no room for them."""
        if self.look(wanted):
            raise RefusedError(Reason.FULL, "the server is low on space", retry_after=_RETRY_S)
