"""The log's tree as its statements lead to it, compared with what is stored while it grows.

Rules: nothing stored is believed, and only the right edge is kept, however long the log is: a tile
is compared when it is full, a root when its size is reached. Of each kind of difference no more is
remembered than is told.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from workseal_protocol import merkle
from workseal_verifier.services.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, TileTree
from workseal_verifier.store.log import LogStore

_FULL_BYTES: Final = TILE_WIDTH * HASH_BYTES
_Place = tuple[int, int]


class DerivedTree:
    """Grow by leaf hashes, and remember what differs; at most `most` of a kind."""

    def __init__(self, log: LogStore, most: int) -> None:
        self._log = log
        self._most = most
        # No tile is ever loaded: a tree's root lies over the edge alone.
        self._tree = TileTree(0, lambda _level, _number: None)
        self._wrong_tiles: set[_Place] = set()
        # The checkpoints whose root is not that of the statements.
        self.wrong_roots: set[int] = set()
        self._ahead = ((size, root) for size, root, _ in log.checkpoint_roots())
        self._next = next(self._ahead, None)
        self._compare_roots()

    @property
    def size(self) -> int:
        """Count the leaves."""
        return self._tree.size

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return self._tree.root() if self.size else merkle.EMPTY_ROOT

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes, and compare what they complete."""
        rest = iter(leaves)
        while part := list(islice(rest, self._step())):
            self._tree.extend(part)
            self._compare_roots()
            if self.size % TILE_WIDTH == 0:
                self._compare_tiles(whole=True)

    def end(self) -> Iterator[str]:
        """Compare what no further leaf completes; give each tile that differs as one line."""
        self._compare_tiles(whole=False)
        while self._next is not None and len(self.wrong_roots) < self._most:
            self._pass(is_right=False)
        beyond = [place for place in self._log.tile_numbers() if not self._reaches(*place)]
        for place in sorted({*self._wrong_tiles, *beyond[: self._most]}):
            what = (
                "the statements have other hashes"
                if self._reaches(*place)
                else "stored, but the log does not reach that far"
            )
            yield f"tile {place[0]}/{place[1]}: {what}"

    def _step(self) -> int:
        """Tell how many leaves complete the next tile, or lead to the next checkpoint."""
        step = TILE_WIDTH - self.size % TILE_WIDTH
        return step if self._next is None else min(step, self._next[0] - self.size)

    def _compare_roots(self) -> None:
        while self._next is not None and self._next[0] <= self.size:
            self._pass(is_right=self._next == (self.size, self.root()))

    def _pass(self, *, is_right: bool) -> None:
        if self._next is not None and not is_right and len(self.wrong_roots) < self._most:
            self.wrong_roots.add(self._next[0])
        self._next = next(self._ahead, None)

    def _compare_tiles(self, *, whole: bool) -> None:
        for place, hashes in self._tree.pending().items():
            wanted = not whole or len(hashes) == _FULL_BYTES
            if wanted and len(self._wrong_tiles) < self._most and self._log.tile(*place) != hashes:
                self._wrong_tiles.add(place)
        self._tree.settle()

    def _reaches(self, level: int, number: int) -> bool:
        return number * TILE_WIDTH < self.size >> (TILE_HEIGHT * level)
