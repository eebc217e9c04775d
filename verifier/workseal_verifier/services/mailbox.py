"""Sealed packages on their way to an arbitrator: in memory only, few, and not for long.

The agent keeps the original and sends again when a package is gone, so losing one costs a request.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock


@dataclass(frozen=True, slots=True)
class _Package:
    engagement: bytes
    data: bytes
    until_ms: int


class Packages(Protocol):
    """What holds packages: here, or for all workers in another process."""

    def put(self, request: Digest, engagement: bytes, data: bytes) -> None:
        """Hold a package."""
        ...

    def get(self, request: Digest) -> bytes:
        """Return a package."""
        ...

    def drop(self, request: Digest) -> None:
        """Hold a package no longer."""
        ...


class Mailbox:
    """Hold at most `count` packages and `total` bytes, each for `ttl_ms`.

    Several packages of one engagement have a quarter of the places and half of the bytes: its
    arbitrator can log any number of requests.
    """

    def __init__(self, clock: Clock, *, count: int, total: int, ttl_ms: int) -> None:
        self._clock = clock
        self._count = count
        self._total = total
        self._ttl_ms = ttl_ms
        self._lock = threading.Lock()
        self._packages: OrderedDict[Digest, _Package] = OrderedDict()

    def put(self, request: Digest, engagement: bytes, data: bytes) -> None:
        """Hold a package; a newer one for the same request takes its place.

        A full mailbox refuses: pushing out somebody else's package would let anybody empty it.
        """
        with self._lock:
            self._expire()
            others = [one for key, one in self._packages.items() if key != request]
            own = [one for one in others if one.engagement == engagement]
            full = _is_over(others, data, self._count, self._total)
            if full or (own and _is_over(own, data, self._count // 4, self._total // 2)):
                raise RefusedError(
                    Reason.BUSY, "the mailbox is full; send again later", retry_after=60
                )
            until = self._clock.now_ms() + self._ttl_ms
            self._packages[request] = _Package(engagement, data, until)

    def get(self, request: Digest) -> bytes:
        """Return the package, or refuse as not found."""
        with self._lock:
            self._expire()
            package = self._packages.get(request)
        if package is None:
            raise RefusedError(Reason.NOT_FOUND, "no package waits for this request")
        return package.data

    def drop(self, request: Digest) -> None:
        """Hold the package of a request no longer, if there is one."""
        with self._lock:
            self._packages.pop(request, None)

    def _expire(self) -> None:
        now = self._clock.now_ms()
        for key in [key for key, one in self._packages.items() if one.until_ms <= now]:
            del self._packages[key]


def _is_over(held: Sequence[_Package], data: bytes, count: int, total: int) -> bool:
    return len(held) >= count or sum(len(one.data) for one in held) + len(data) > total
