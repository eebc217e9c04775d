"""What the passphrase opens for looking, and for some minutes after the last look.

Rules: the passphrase is used and dropped, the key forgotten by the clock whether or not anybody
asks. What signs, discloses or destroys takes the passphrase each time, so that neither an extension
of the browser nor somebody at an unlocked desk can do it with what lies here. While recording runs,
its process pauses and stops for whoever is let in: that takes no passphrase.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from workseal_agent.ledger import LedgerKey

# Long enough to look through a day; a walk to the kitchen locks it.
KEPT_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Keys:
    """Hold the vault's private key and the key of the ledger's private values; neither signs."""

    vault: bytes = field(repr=False)
    ledger: LedgerKey


class Unlocked:
    """Hold keys for a while."""

    def __init__(self, now_ms: Callable[[], int], kept_ms: int = KEPT_MS) -> None:
        self._now_ms = now_ms
        self._kept_ms = kept_ms
        self._keys: Keys | None = None
        self._until_ms = 0
        self._lock = threading.Lock()

    def keep(self, keys: Keys) -> None:
        """Take keys; they are forgotten when nobody looks at anything for the time they have."""
        with self._lock:
            waiting = self._keys is not None
            self._keys = keys
            self._until_ms = self._now_ms() + self._kept_ms
        if not waiting:
            self._look_later(self._kept_ms)

    def use(self) -> Keys | None:
        """Return the keys and begin their time anew; None when they are forgotten."""
        with self._lock:
            self._expire()
            if self._keys is not None:
                self._until_ms = self._now_ms() + self._kept_ms
            return self._keys

    def left_ms(self) -> int:
        """Return how long the keys are still kept; 0 when there is none."""
        with self._lock:
            self._expire()
            return max(0, self._until_ms - self._now_ms()) if self._keys is not None else 0

    def forget(self) -> None:
        """Forget the keys now."""
        with self._lock:
            self._keys = None

    def _look_later(self, ms: int) -> None:
        timer = threading.Timer(ms / 1000, self._look)
        timer.daemon = True
        timer.start()

    def _look(self) -> None:
        """Forget what nobody asks for any more."""
        with self._lock:
            self._expire()
            left = self._until_ms - self._now_ms() if self._keys is not None else 0
        if left > 0:
            self._look_later(left)

    def _expire(self) -> None:
        if self._now_ms() >= self._until_ms:
            self._keys = None
