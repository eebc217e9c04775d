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
        wait = self._take(blake2b(name, key=self._key, digest_size=16).digest(), cost)
        if wait > 0:
            raise RefusedError(
                Reason.TOO_MANY, f"too many {self._what}", retry_after=math.ceil(wait)
            )

    def _take(self, name: bytes, cost: int) -> float:
        cost = min(cost, self._burst)
        with self._lock:
            now = self._now()
            left, then = self._left.pop(name, (float(self._burst), now))
            left = min(self._burst, left + (now - then) * self._rate)
            wait = (cost - left) / self._rate
            self._left[name] = (left if wait > 0 else left - cost, now)
            if len(self._left) > self._most:
                self._left.popitem(last=False)
        return wait
