"""How often somebody may ask: token buckets under keyed hashes of names, in memory alone.

Rules: no name is kept, neither of a network address nor of a key. The key of the hash is random,
of this process, and never written down, so nobody can find out later who was counted. There are so
many buckets at most; the one that was longest unused is forgotten first.
"""

import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

from workseal_verifier.errors import Reason, RefusedError

MOST_NAMES = 65_536


class Limiter:
    """Allow each name `rate` a second, and `burst` at once; a rate of 0 allows everything."""

    def __init__(
        self,
        *,
        rate: float,
        burst: int,
        what: str,
        now: Callable[[], float] = time.monotonic,
        most: int = MOST_NAMES,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._what = what
        self._now = now
        self._most = most
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        # What is left of each name's burst, and when that was.
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def require(self, name: bytes, cost: int = 1) -> None:
        """Count a request, or refuse it and say when to come back."""
        if not self._rate:
            return
        cost = min(cost, self._burst)
        hidden = self._hidden(name)
        with self._lock:
            left = self._refilled(hidden)
            if left >= cost:
                self._set(hidden, left - cost)
        self._refuse(cost - left)

    def require_credit(self, name: bytes) -> None:
        """Refuse whom `charge` has taken more from than has come back, and count nothing."""
        if not self._rate:
            return
        hidden = self._hidden(name)
        with self._lock:
            left = self._refilled(hidden)
        self._refuse(-left)

    def charge(self, name: bytes, cost: int) -> None:
        """Count what was done already, even beyond what is left."""
        if not self._rate:
            return
        hidden = self._hidden(name)
        with self._lock:
            self._set(hidden, self._refilled(hidden) - cost)

    def _refilled(self, hidden: bytes) -> float:
        now = self._now()
        left, then = self._left.get(hidden, (float(self._burst), now))
        left = min(self._burst, left + (now - then) * self._rate)
        if hidden in self._left:
            self._set(hidden, left)
        return left

    def _set(self, hidden: bytes, left: float) -> None:
        self._left[hidden] = (left, self._now())
        self._left.move_to_end(hidden)
        if len(self._left) > self._most:
            self._left.popitem(last=False)

    def _hidden(self, name: bytes) -> bytes:
        return blake2b(name, key=self._key, digest_size=16).digest()

    def _refuse(self, missing: float) -> None:
        if missing > 0:
            raise RefusedError(
                Reason.TOO_MANY,
                f"too many {self._what}",
                retry_after=math.ceil(missing / self._rate),
            )
