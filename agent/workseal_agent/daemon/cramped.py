"""Keeping room in the ledger while there is some, and saying when the disk gives none any more.

Rule: nothing waits for it. On a full disk time is stored in the room that was kept; where that is
used up, segments wait in memory until there is space.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from workseal_agent.language import phrase
from workseal_agent.ledger import ROOM_BYTES, Ledger, LedgerError

# The check is a look at one page; what is kept lasts for hours.
_LOOK_SECONDS = 60.0
_FULL = phrase(
    "the disk is full: time is stored for some hours in the room that the ledger kept, pictures are"
    " not; make space"
)


class Cramped:
    """Know whether the disk of a folder is full, and keep the ledger's room while it is not."""

    def __init__(
        self, ledger: Ledger, folder: Path, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._folder = folder
        self._monotonic = monotonic
        self._next = 0.0
        self.trouble: str | None = None

    def step(self) -> None:
        """Keep room, if it is time to look again; never raises for the disk."""
        if self._monotonic() < self._next:
            return
        self._next = self._monotonic() + _LOOK_SECONDS
        self.trouble = self._found()

    def _found(self) -> str | None:
        try:
            self._ledger.keep_room()
        except LedgerError as error:
            # Not every ledger without room lies on a full disk: another program may hold it.
            return _FULL if self._is_full() else str(error)
        return _FULL if self._is_full() else None

    def _is_full(self) -> bool:
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return False
        return disk.f_bavail * disk.f_frsize < ROOM_BYTES
