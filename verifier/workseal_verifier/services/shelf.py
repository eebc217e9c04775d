"""What was asked for lately, in memory: full tiles, and where statements stand.

Rule: only what can never change is put here, so nothing is ever taken back but for want of room.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shelf(Generic[K, V]):
    """So many things; the one that was not asked for the longest makes room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._things: OrderedDict[K, V] = OrderedDict()

    def get(self, name: K) -> V | None:
        """Return a thing if it is here; never waits for anything slow."""
        with self._lock:
            thing = self._things.get(name)
            if thing is not None:
                self._things.move_to_end(name)
            return thing

    def put(self, name: K, thing: V) -> None:
        """Keep a thing."""
        with self._lock:
            self._things[name] = thing
            self._things.move_to_end(name)
            if len(self._things) > self._most:
                self._things.popitem(last=False)
