"""Sealed packages on their way to an arbitrator: in memory only, few, and not for long.

The agent keeps the original and sends again when a package is gone, so losing one costs a request.

Rules: what lay for less time comes first, so a package keeps its place for its first hour whatever
others do, and nobody holds one for ever by sending again. Who lay for how long is known by request;
of requests beside a case by engagement, whose arbitrator can log any number of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from workseal_protocol.digest import Digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock

# Of so many it is known how long they lay; the one that was longest not asked for is forgotten.
MOST_KNOWN: Final = 16_384
# A package of more than one in so many of the bytes is large, and of more than one in so many not
# small: so few of either leave room for the others.
_LARGE: Final = 16
_NOT_SMALL: Final = 128


@dataclass(frozen=True, slots=True)
class _Package:
    """Hold what somebody sent: for which request, of which engagement, in a case or beside one."""

    request: Digest
    engagement: bytes
    data: bytes
    in_case: bool
    since_ms: int
    until_ms: int

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def sender(self) -> bytes:
        """Name whose time it is that the package lies."""
        return self.request.raw if self.in_case else self.engagement


@dataclass(frozen=True, slots=True)
class _Share:
    """What some packages, those like one that comes, may have together."""

    count: int
    total: int
    held: list[_Package]
    # One alone has a place, whatever it takes.
    spares_one: bool = True

    def is_over(self, size: int) -> bool:
        if self.spares_one and not self.held:
            return False
        held = sum(one.size for one in self.held)
        return len(self.held) >= self.count or held + size > self.total


class Packages(Protocol):
    """What holds packages: here, or for all workers in another process."""

    def put(
        self, request: Digest, engagement: bytes, data: bytes, *, in_case: bool = False
    ) -> None:
        """Hold a package."""
        ...

    def get(self, request: Digest) -> bytes:
        """Return a package."""
        ...

    def drop(self, request: Digest) -> None:
        """Hold a package no longer."""
        ...


class Mailbox:
    """Hold at most `count` packages and `total` bytes, each for `ttl_ms`."""

    def __init__(self, clock: Clock, *, count: int, total: int, ttl_ms: int) -> None:
        self._clock = clock
        self._count = count
        self._total = total
        self._ttl_ms = ttl_ms
        self._lock = threading.Lock()
        self._packages: OrderedDict[Digest, _Package] = OrderedDict()
        # How long what a sender put here has lain, without what lies here now.
        self._lain: OrderedDict[bytes, int] = OrderedDict()

    def put(
        self, request: Digest, engagement: bytes, data: bytes, *, in_case: bool = False
    ) -> None:
        """Hold a package; a newer one for the same request takes its place and goes on as it.

        Where there is no room, what has lain for more hours than what comes makes way. Else it is
        refused: pushing out anybody else's package would let anybody empty the mailbox.
        """
        with self._lock:
            now = self._clock.now_ms()
            self._expire(now)
            before = self._packages.get(request)
            since = now if before is None else before.since_ms
            package = _Package(request, engagement, data, in_case, since, now + self._ttl_ms)
            for one in self._making_way(package, now):
                self._take_out(one, now)
            self._packages[request] = package

    def get(self, request: Digest) -> bytes:
        """Return the package, or refuse as not found."""
        with self._lock:
            self._expire(self._clock.now_ms())
            package = self._packages.get(request)
        if package is None:
            raise RefusedError(Reason.NOT_FOUND, "no package waits for this request")
        return package.data

    def drop(self, request: Digest) -> None:
        """Hold the package of a request no longer, if there is one, and know nothing of it."""
        with self._lock:
            self._packages.pop(request, None)
            self._lain.pop(request.raw, None)

    def _making_way(self, coming: _Package, now: int) -> list[_Package]:
        """Return what has to make way for a package, or refuse it."""
        hours = self._hours(now)
        own = hours.get(coming.sender, self._lain.get(coming.sender, 0) // self._ttl_ms)
        leaving: list[_Package] = []
        for share in self._shares(coming):
            for one in leaving:
                if one in share.held:
                    share.held.remove(one)
            while share.is_over(coming.size):
                longest = max(
                    share.held,
                    key=lambda one: (hours[one.sender], -one.since_ms),
                    default=None,
                )
                if longest is None or hours[longest.sender] <= own:
                    raise RefusedError(
                        Reason.BUSY, "the mailbox is full; send again later", retry_after=60
                    )
                share.held.remove(longest)
                leaving.append(longest)
        return leaving

    def _shares(self, coming: _Package) -> Iterator[_Share]:
        """Give what a package has to fit into, with what else lies there."""
        count, total, size = self._count, self._total, coming.size
        others = [one for key, one in self._packages.items() if key != coming.request]
        own = [one for one in others if one.engagement == coming.engagement]
        yield _Share(count // 4, total // 2, own)
        if not coming.in_case:
            # Anybody has requests beside a case at once; one in a case takes its days.
            beside = [one for one in others if not one.in_case]
            yield _Share(count // 2, total // 2, beside)
        for part, share in ((_LARGE, total // 2), (_NOT_SMALL, total * 3 // 4)):
            if size > total // part:
                like = [one for one in others if one.size > total // part]
                yield _Share(count, share, like)
        yield _Share(count, total, others, spares_one=False)

    def _hours(self, now: int) -> dict[bytes, int]:
        """Say of everybody whose packages lie here for how many whole hours theirs have lain.

        An hour is the time that one package has; several at once lie for as many.
        """
        lain: dict[bytes, int] = {}
        for one in self._packages.values():
            sender = one.sender
            so_far = lain.get(sender, self._lain.get(sender, 0))
            lain[sender] = so_far + now - one.since_ms
        return {sender: ms // self._ttl_ms for sender, ms in lain.items()}

    def _take_out(self, package: _Package, now: int) -> None:
        del self._packages[package.request]
        sender = package.sender
        lain = min(now, package.until_ms) - package.since_ms
        self._lain[sender] = self._lain.get(sender, 0) + lain
        self._lain.move_to_end(sender)
        if len(self._lain) > MOST_KNOWN:
            self._lain.popitem(last=False)

    def _expire(self, now: int) -> None:
        for one in [one for one in self._packages.values() if one.until_ms <= now]:
            self._take_out(one, now)
