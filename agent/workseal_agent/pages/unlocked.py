"""The vault's key while pictures are looked at, and for some minutes after the last look.

Rules: the passphrase is used and dropped, the key forgotten by the clock whether or not anybody
asks. What signs or discloses takes the passphrase each time, so that neither an extension of the
browser nor somebody at an unlocked desk can do it with what lies here.
"""

import threading
from collections.abc import Callable

# Long enough to look through a day; a walk to the kitchen locks it.
KEPT_MS = 5 * 60_000


class Unlocked:
    """Hold the vault's private key for a while."""

    def __init__(self, now_ms: Callable[[], int], kept_ms: int = KEPT_MS) -> None:
        self._now_ms = now_ms
        self._kept_ms = kept_ms
        self._key: bytes | None = None
        self._until_ms = 0
        self._lock = threading.Lock()

    def keep(self, key: bytes) -> None:
        """Take a key; it is forgotten when nobody looked at anything for the time that it has."""
        with self._lock:
            self._key = key
            self._until_ms = self._now_ms() + self._kept_ms

    def use(self) -> bytes | None:
        """Return the key and begin its time anew; None when it is forgotten."""
        with self._lock:
            self._expire()
            if self._key is not None:
                self._until_ms = self._now_ms() + self._kept_ms
            return self._key

    def left_ms(self) -> int:
        """Return how long the key is still kept; 0 when there is none."""
        with self._lock:
            self._expire()
            return max(0, self._until_ms - self._now_ms()) if self._key is not None else 0

    def forget(self) -> None:
        """Forget the key now."""
        with self._lock:
            self._key = None

    def _expire(self) -> None:
        if self._now_ms() >= self._until_ms:
            self._key = None
