"""Room for bodies while they arrive: so many, so many bytes, and the oldest gives way.

A body of an honest sender arrives in a moment. Whoever sends slowly on purpose is the one that has
been arriving for longest, and loses its place as soon as somebody else needs it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


class Deadline(Protocol):
    """When a body is no longer waited for: `asyncio.Timeout`."""

    def expired(self) -> bool:
        """Tell whether that was already."""
        ...

    def reschedule(self, when: float | None) -> None:
        """Set another instant, in the loop's seconds."""
        ...


@dataclass(slots=True, eq=False)
class Arrival:
    """One body on its way."""

    deadline: Deadline
    # When it began to arrive, in the loop's seconds.
    since: float = 0.0
    # How long it may become.
    most: int = 0
    size: int = 0
    whole: bool = False
    gave_way: bool = False

    def give_way(self) -> None:
        """Give up the place: whoever reads the body is told at once."""
        self.gave_way = True
        # Who was too slow anyway is being told that.
        if not self.deadline.expired():
            self.deadline.reschedule(asyncio.get_running_loop().time())


class Room(Protocol):
    """Where a body has its place while it arrives."""

    def grow(self, arrival: Arrival, size: int) -> None:
        """Note that a body has become longer; perhaps another one, or it itself, gives way."""
        ...


class Arrivals:
    """The bodies that are arriving now, the oldest first; of one event loop."""

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._arriving: dict[Arrival, None] = {}

    @property
    def count(self) -> int:
        """Count the bodies that are arriving."""
        return len(self._arriving)

    @contextmanager
    def arriving(self, deadline: Deadline, most: int = 0) -> Iterator[Arrival]:
        """Take a place; `deadline` is moved to now if it has to be given up."""
        while len(self._arriving) >= self._most:
            self._push_out()
        arrival = Arrival(deadline, asyncio.get_running_loop().time(), most)
        self._arriving[arrival] = None
        try:
            yield arrival
        finally:
            self.leave(arrival)

    def grow(self, arrival: Arrival, size: int) -> None:
        """Note that a body has become longer; perhaps another one, or it itself, gives way."""
        if arrival not in self._arriving:
            return
        arrival.size += size
        self._bytes += size
        while self._bytes > self._most_bytes:
            self._push_out()

    def leave(self, arrival: Arrival) -> None:
        """Give up the place, if it still is one."""
        if arrival in self._arriving:
            del self._arriving[arrival]
            self._bytes -= arrival.size

    def _push_out(self) -> None:
        oldest = next(iter(self._arriving))
        self.leave(oldest)
        oldest.give_way()
