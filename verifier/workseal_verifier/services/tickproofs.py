"""The proofs in the answers of one tick: all are of one tree, so each hash is looked up once.

Rule: what is answered is `merkle.sparse_proof` to the byte, however it is found.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from workseal_protocol.merkle import sparse_ranges, split_point

Range: TypeAlias = tuple[int, int]


class TickProofs:
    """Prove statements in the tree of one size; `node(lo, hi)` hashes a range of its leaves."""

    def __init__(self, node: Callable[[int, int], bytes], size: int) -> None:
        self._node = node
        self._size = size
        self._found: dict[Range, bytes] = {}

    def of(self, indices: Sequence[int], old: int) -> tuple[bytes, ...]:
        """Prove the leaves at some indices, and with `old` above 0 that the tree continues it."""
        if len(indices) == 1 and not old:
            ranges: Sequence[Range] = beside(indices[0], self._size)
        else:
            ranges = sparse_ranges(self._size, sorted(set(indices)), [old] if old else [])
        return tuple([self._hash(one) for one in ranges])

    def _hash(self, leaves: Range) -> bytes:
        found = self._found.get(leaves)
        if found is None:
            found = self._found[leaves] = self._node(*leaves)
        return found


def beside(index: int, size: int) -> list[Range]:
    """List the ranges whose hashes prove one leaf, left to right.

    Most submissions have one statement: this walks down to it, and asks nothing on the way.
    """
    before: list[Range] = []
    after: list[Range] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + split_point(high - low)
        if index < middle:
            after.append((middle, high))
            high = middle
        else:
            before.append((low, middle))
            low = middle
    return [*before, *reversed(after)]
