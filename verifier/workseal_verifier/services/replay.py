"""Signed requests are taken once: what was signed lately.

Rules: a signature is taken while the server's clock is within `WINDOW_MS` of it, and its nonce is
remembered until no clock of ours could take it again. One key has a share of the memory, so that
nobody's requests push out anybody else's. Each worker process has a memory of its own, in which a
read that somebody recorded is taken at most once; it remembers nothing of what came before it
began, so it takes no read that was signed before. What changes something is used up in the database
too, for all workers and hosts; each read would cost a commit (docs/adr/0020).
"""

import threading
from collections import Counter, OrderedDict

from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.store.access import AccessStore

WINDOW_MS = 60_000
# Kept so much longer than by this host's clock: another host's may be behind.
SKEW_MS = 60_000
# Signatures tell whole seconds: what was signed in the second of the start may be new.
GRACE_MS = 1_000
# An export of a long engagement asks for a receipt of each statement, some hundred a second.
MOST = 262_144
MOST_OF_A_KEY = 65_536
_TAG = b"workseal/nonce/v1"


class NonceMemory:
    """Remember the nonces of the last minutes."""

    def __init__(self, clock: Clock, *, most: int = MOST, of_a_key: int = MOST_OF_A_KEY) -> None:
        self._clock = clock
        self._began_ms = clock.now_ms()
        self._most = most
        self._of_a_key = of_a_key
        self._lock = threading.Lock()
        # In the order of arrival, which is the order of forgetting.
        self._until: OrderedDict[tuple[Digest, bytes], int] = OrderedDict()
        self._counts: Counter[Digest] = Counter()

    def require_near(self, created_s: int) -> None:
        """Refuse what was signed too long ago, or will be."""
        if abs(self._clock.now_ms() - created_s * 1000) > WINDOW_MS:
            raise RefusedError(
                Reason.STALE,
                f"the request was not signed within {WINDOW_MS // 1000} seconds of this server's"
                " clock, which /v1/operator tells",
            )

    def require_remembered(self, created_s: int) -> None:
        """Refuse what was signed before this memory began: it may have been taken then."""
        if created_s * 1000 < self._began_ms - GRACE_MS:
            raise RefusedError(
                Reason.STALE, "the request was signed before this server began; sign it anew"
            )

    def require_new(self, key: Digest, nonce: bytes) -> None:
        """Refuse a nonce that this key used before, and remember it."""
        now = self._clock.now_ms()
        with self._lock:
            self._forget(now)
            if (key, nonce) in self._until:
                raise _taken()
            if len(self._until) >= self._most or self._counts[key] >= self._of_a_key:
                raise RefusedError(Reason.BUSY, "too many signed requests", retry_after=10)
            self._until[key, nonce] = now + 2 * WINDOW_MS
            self._counts[key] += 1

    def _forget(self, now: int) -> None:
        while self._until:
            entry, until = next(iter(self._until.items()))
            if until >= now:
                return
            del self._until[entry]
            self._counts[entry[0]] -= 1
            if not self._counts[entry[0]]:
                del self._counts[entry[0]]


class SpentNonces:
    """Remember the nonces of what changed something, for all workers."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store

    def require_new(self, key: Digest, nonce: bytes, *, created_s: int) -> None:
        """Refuse a nonce that this key used at any worker, and use it up."""
        digest = Digest.of(_TAG, key.raw, nonce)
        until = created_s * 1000 + WINDOW_MS + SKEW_MS
        if not self._store.spend(digest, until_ms=until):
            raise _taken()


def _taken() -> RefusedError:
    return RefusedError(Reason.STALE, "a request with this nonce was taken before")
