"""Full tiles that were asked for lately, in memory.

Rule: only what can never change is put here, so nothing is ever taken back but for want of room.
"""

import threading
from collections import OrderedDict
from typing import TypeAlias

# Of a level, None for entries, and a number in it.
Place: TypeAlias = tuple[int | None, int]


class Shelf:
    """So many tiles; the one that was not asked for the longest makes room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._tiles: OrderedDict[Place, bytes] = OrderedDict()

    def get(self, place: Place) -> bytes | None:
        """Return a tile if it is here; never waits for anything slow."""
        with self._lock:
            data = self._tiles.get(place)
            if data is not None:
                self._tiles.move_to_end(place)
            return data

    def put(self, place: Place, data: bytes) -> None:
        """Keep a tile."""
        with self._lock:
            self._tiles[place] = data
            self._tiles.move_to_end(place)
            if len(self._tiles) > self._most:
                self._tiles.popitem(last=False)
