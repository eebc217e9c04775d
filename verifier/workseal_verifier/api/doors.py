"""Doors for the large bodies that parties send: who gives way where there is no room.

Rules: nobody gives way while there is room. Else what belongs to no running case gives way to what
does; then who sends slower than an ordinary line, the latest first; and for want of bytes what is
much larger than the one that comes. Of an engagement or request one body arrives at once.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from workseal_verifier.api.arrivals import Arrival
from workseal_verifier.errors import Reason, RefusedError

MOST_DOORS: Final = 32
# The bytes that may be there together, as bodies of the greatest length.
MOST_WHOLE: Final = 3
# Who is slower than this (two megabits a second) after the first seconds is late.
ORDINARY_RATE: Final = 256 * 1024
FIRST_SECONDS: Final = 5.0
# So much larger is what gives way to a smaller body: were it less, large ones that come together
# would push each other out for ever.
_MUCH_LARGER: Final = 4


@dataclass(frozen=True, slots=True)
class _Behind:
    """Say of whom a body is, and whether that is a party of a running case."""

    name: bytes
    in_case: bool


def loop_seconds() -> float:
    """Tell the time by which deadlines of bodies are set."""
    return asyncio.get_running_loop().time()


class Doors:
    """The large bodies of one kind, from their beginning to their answer; of one event loop."""

    def __init__(
        self,
        *,
        most_bytes: int,
        most: int = MOST_DOORS,
        now: Callable[[], float] = loop_seconds,
    ) -> None:
        self._most_bytes = most_bytes
        self._most = most
        self._now = now
        self._bodies: dict[Arrival, _Behind] = {}

    @property
    def count(self) -> int:
        """Count the bodies that have a door."""
        return len(self._bodies)

    @contextmanager
    def visit(self) -> Iterator["Visit"]:
        """Give up a door at the end, if one was taken."""
        visit = Visit(self)
        try:
            yield visit
        finally:
            if visit.arrival is not None:
                self.leave(visit.arrival)

    def enter(self, arrival: Arrival, name: bytes, *, in_case: bool) -> None:
        """Take a door for a body, or refuse it."""
        if any(one.name == name for one in self._bodies.values()):
            raise _busy()
        self._bodies[arrival] = _Behind(name, in_case)
        self._make_room(arrival)

    def grow(self, arrival: Arrival, size: int) -> None:
        """Note that a body has become longer; another one gives way, or it is refused itself."""
        arrival.size += size
        if arrival in self._bodies:
            self._make_room(arrival)

    def leave(self, arrival: Arrival) -> None:
        """Give up the door, if it still is one."""
        self._bodies.pop(arrival, None)

    def _make_room(self, coming: Arrival) -> None:
        while len(self._bodies) > self._most:
            self._push_out(coming, for_bytes=False)
        while sum(one.size for one in self._bodies) > self._most_bytes:
            self._push_out(coming, for_bytes=True)

    def _push_out(self, coming: Arrival, *, for_bytes: bool) -> None:
        last = max(
            (one for one in self._bodies if self._comes_after(one, coming, for_bytes=for_bytes)),
            key=self._lastness,
            default=None,
        )
        if last is None:
            self.leave(coming)
            raise _busy()
        self.leave(last)
        last.give_way()

    def _comes_after(self, one: Arrival, coming: Arrival, *, for_bytes: bool) -> bool:
        if one is coming or one.whole:
            return False
        if self._bodies[one].in_case is not self._bodies[coming].in_case:
            return self._bodies[coming].in_case
        if self._late_s(one) > max(self._late_s(coming), 0):
            return True
        return for_bytes and one.most >= _MUCH_LARGER * coming.most

    def _lastness(self, one: Arrival) -> tuple[bool, float, int]:
        return not self._bodies[one].in_case, max(self._late_s(one), 0), one.most

    def _late_s(self, one: Arrival) -> float:
        """Say by how many seconds a body is behind what an ordinary line would have sent."""
        return self._now() - one.since - FIRST_SECONDS - one.size / ORDINARY_RATE


class Visit:
    """One request's way through a door."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self.arrival: Arrival | None = None

    def enter(self, arrival: Arrival, name: bytes, *, in_case: bool) -> Doors:
        """Take a door until the request ends, or refuse it."""
        self._doors.enter(arrival, name, in_case=in_case)
        self.arrival = arrival
        return self._doors


def _busy() -> RefusedError:
    return RefusedError(Reason.BUSY, "other large bodies are arriving", retry_after=5)
