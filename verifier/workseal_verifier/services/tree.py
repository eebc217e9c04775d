"""The log's Merkle tree, served from tiles; memory holds the right edge and a bounded cache.

A tile holds up to 256 hashes of one level; level L holds the roots of complete subtrees of 256**L
leaves (c2sp.org/tlog-tiles). The hashes between two levels are computed when a tile is loaded, and
grown one by one at the edge.

Rules:
- `append` changes memory only. Who cannot store `pending()` throws the whole tree away.
- Nodes below a size that was stored never change: a reader of such a size gets the same answer
  while the edge grows.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from workseal_protocol import merkle
from workseal_verifier.errors import StoreCorruptError

HASH_BYTES: Final = 32
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
# 256 expanded tiles are about 25 MB of Python objects and cover 65,536 recent leaves.
CACHED_TILES: Final = 256

_Heights = tuple[list[bytes], ...]
LoadTile = Callable[[int, int], bytes | None]


class Tile:
    """Up to 256 hashes, and every complete node above them inside the tile."""

    __slots__ = ("heights",)

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self.heights: _Heights = tuple([] for _ in range(TILE_HEIGHT))
        for one in hashes:
            self.append(one)

    @property
    def width(self) -> int:
        """Count the hashes of the tile's own level."""
        return len(self.heights[0])

    def append(self, node: bytes) -> bytes | None:
        """Add one hash; return the tile's root when that filled it."""
        for row in self.heights:
            row.append(node)
            if len(row) % 2:
                return None
            node = merkle.node_hash(row[-2], row[-1])
        return node

    def node(self, height: int, index: int) -> bytes:
        """Return a complete node by its height above the tile's own level, from 0 to 7."""
        return self.heights[height][index]

    def encode(self) -> bytes:
        """Join the hashes of the tile's own level."""
        return b"".join(self.heights[0])


FindTile = Callable[[int, int], Tile]


class TileTree:
    """A tree of `size` leaves whose older part lies in tiles."""

    def __init__(self, size: int, load: LoadTile) -> None:
        self.size = size
        self._load = load
        self._lock = threading.RLock()
        self._edge: list[Tile] = []
        self._changed: dict[tuple[int, int], bytes] = {}
        # The full tiles asked for latest, and those that were filled here.
        self._full: OrderedDict[tuple[int, int], Tile] = OrderedDict()
        level_size = size
        level = 0
        while level_size:
            self._edge.append(self._load_edge(level, level_size))
            level_size >>= TILE_HEIGHT
            level += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes at the right."""
        with self._lock:
            for leaf in leaves:
                self._append(leaf)

    def _append(self, leaf: bytes) -> None:
        node: bytes | None = leaf
        level = 0
        number = self.size >> TILE_HEIGHT
        while node is not None:
            if level == len(self._edge):
                self._edge.append(Tile())
            edge = self._edge[level]
            node = edge.append(node)
            if node is not None:
                self._changed[level, number] = edge.encode()
                self._keep(level, number, edge)
                self._edge[level] = Tile()
            level += 1
            number >>= TILE_HEIGHT
        self.size += 1

    def pending(self) -> dict[tuple[int, int], bytes]:
        """Return the tiles to store since the last `settle`, partial ones included."""
        changed = dict(self._changed)
        for level, edge in enumerate(self._edge):
            if edge.width:
                changed[level, self.size >> (TILE_HEIGHT * (level + 1))] = edge.encode()
        return changed

    def settle(self) -> None:
        """Forget what `pending` returned: it is stored."""
        self._changed.clear()

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first `size` leaves (default: all)."""
        size = self.size if size is None else size
        return self.node(0, size) if size else merkle.EMPTY_ROOT

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """Prove that the first `size` leaves continue the first `old` (RFC 9162 section 2.1.4)."""
        return tuple(self.node(low, high) for low, high in merkle.consistency_ranges(old, size))

    def node(self, low: int, high: int) -> bytes:
        """Return the hash of leaves [low, high): a node of the tree, complete or at its edge."""
        with self._lock:
            return self._node(low, high, self._full_tile)

    def remembered(self, ranges: Iterable[tuple[int, int]]) -> list[bytes] | None:
        """Return nodes, or None where memory has not all of them; never waits."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            return [self._node(low, high, self._remembered_tile) for low, high in ranges]
        except KeyError:
            return None
        finally:
            self._lock.release()

    def _node(self, low: int, high: int, full: FindTile) -> bytes:
        width = high - low
        if width & (width - 1) == 0 and low % width == 0:
            return self._complete(width.bit_length() - 1, low // width, full)
        split = low + merkle.split_point(width)
        return merkle.node_hash(self._node(low, split, full), self._node(split, high, full))

    def _complete(self, height: int, index: int, full: FindTile) -> bytes:
        level, inside = divmod(height, TILE_HEIGHT)
        number, within = divmod(index << inside, TILE_WIDTH)
        count = self.size >> (TILE_HEIGHT * level)
        if (index + 1) << inside > count:
            raise ValueError("the tree does not reach that far")
        if number == count >> TILE_HEIGHT:
            return self._edge[level].node(inside, within >> inside)
        return full(level, number).node(inside, within >> inside)

    def _remembered_tile(self, level: int, number: int) -> Tile:
        tile = self._full[level, number]
        self._full.move_to_end((level, number))
        return tile

    def _full_tile(self, level: int, number: int) -> Tile:
        tile = self._full.get((level, number))
        if tile is None:
            settled = self._changed.get((level, number))
            data = self._load(level, number) if settled is None else settled
            tile = _parse(data, TILE_WIDTH, level, number)
        self._keep(level, number, tile)
        return tile

    def _keep(self, level: int, number: int, tile: Tile) -> None:
        self._full[level, number] = tile
        self._full.move_to_end((level, number))
        if len(self._full) > CACHED_TILES:
            self._full.popitem(last=False)

    def _load_edge(self, level: int, level_size: int) -> Tile:
        number, width = divmod(level_size, TILE_WIDTH)
        if not width:
            return Tile()
        data = self._load(level, number)
        # The log may have grown since: a tile only ever gets longer.
        return _parse(None if data is None else data[: width * HASH_BYTES], width, level, number)


def _parse(data: bytes | None, width: int, level: int, number: int) -> Tile:
    if data is None or len(data) != width * HASH_BYTES:
        found = "nothing" if data is None else f"{len(data)} bytes"
        raise StoreCorruptError(
            f"tile {level}/{number} must have {width} hashes, and {found} is stored"
        )
    return Tile(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))
