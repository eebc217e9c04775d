"""One proof for many leaves and many earlier roots (docs/spec/log.md)."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from workseal_protocol.errors import VerificationError
from workseal_protocol.merkle.tree import (
    EMPTY_ROOT,
    MAX_SIZE,
    node_hash,
    require_hashes,
    split_point,
)


def sparse_ranges(
    size: int, indices: Sequence[int], sizes: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Return the ranges [lo, hi) whose hashes make up a sparse proof, left to right.

    `indices` (leaves, below `size`) and `sizes` (earlier trees, 1 to `size`) ascend strictly.
    """
    _require_ascending(indices, 0, size - 1, "index")
    _require_ascending(sizes, 1, size, "earlier size")
    ranges: list[tuple[int, int]] = []
    waiting = [(0, size)] if size else []
    while waiting:
        lo, hi = waiting.pop()
        if not _touched(lo, hi, indices, sizes):
            ranges.append((lo, hi))
        elif hi - lo > 1:
            middle = lo + split_point(hi - lo)
            waiting += ((middle, hi), (lo, middle))
    return tuple(ranges)


def sparse_proof(
    node: Callable[[int, int], bytes], size: int, indices: Sequence[int], sizes: Sequence[int]
) -> tuple[bytes, ...]:
    """Return one proof for many leaves and many earlier roots; `node(lo, hi)` hashes a range."""
    return tuple(node(lo, hi) for lo, hi in sparse_ranges(size, indices, sizes))


def verify_sparse(
    *,
    size: int,
    root: bytes,
    leaves: Mapping[int, bytes],
    earlier: Mapping[int, bytes],
    hashes: Sequence[bytes],
) -> None:
    """Check many leaf hashes (by index) and earlier roots (by size) against one root.

    Raises `VerificationError` unless `hashes` are exactly the ones that the tree's size, the
    indices and the earlier sizes ask for, and everything leads to the roots given.
    """
    sparse_nodes(size=size, root=root, leaves=leaves, earlier=earlier, hashes=hashes)


def sparse_nodes(
    *,
    size: int,
    root: bytes,
    leaves: Mapping[int, bytes],
    earlier: Mapping[int, bytes],
    hashes: Sequence[bytes],
) -> Mapping[tuple[int, int], bytes]:
    """Check as `verify_sparse` does, and return the hash of each range [lo, hi) that was met."""
    indices, sizes = sorted(leaves), sorted(earlier)
    if not 0 <= size <= MAX_SIZE:
        raise VerificationError("the tree size is out of range")
    if indices and not 0 <= indices[0] <= indices[-1] < size:
        raise VerificationError("an index does not lie below the tree size")
    if sizes and not 1 <= sizes[0] <= sizes[-1] <= size:
        raise VerificationError("an earlier size is 0 or larger than the tree")
    for given, what in ((leaves.values(), "leaf hash"), (earlier.values(), "earlier root")):
        require_hashes(tuple(given), what)
    require_hashes(hashes, "sparse proof")
    fold = _SparseFold(leaves, indices, sizes, iter(hashes))
    computed, prefixes = fold.run(0, size) if size else (EMPTY_ROOT, {})
    if next(fold.hashes, None) is not None:
        raise VerificationError("the sparse proof is too long")
    if computed != root:
        raise VerificationError("the sparse proof does not lead to the root")
    prefixes[size] = computed
    for earlier_size in sizes:
        if prefixes[earlier_size] != earlier[earlier_size]:
            raise VerificationError(f"the tree of size {earlier_size} is not a prefix of this one")
    return fold.nodes


class _SparseFold:
    """Recompute hashes from the wanted leaves and the given hashes, left to right."""

    def __init__(
        self,
        leaves: Mapping[int, bytes],
        indices: Sequence[int],
        sizes: Sequence[int],
        hashes: Iterator[bytes],
    ) -> None:
        self._leaves = leaves
        self._indices = indices
        self._sizes = sizes
        self.hashes = hashes
        self.nodes: dict[tuple[int, int], bytes] = {}

    def run(self, lo: int, hi: int) -> tuple[bytes, dict[int, bytes]]:
        """Return the hash of [lo, hi), and of [lo, s) for each earlier size s strictly inside."""
        sizes = bisect_right(self._sizes, lo), bisect_left(self._sizes, hi)
        return self._run(lo, hi, (0, len(self._indices)), sizes)

    def _run(
        self, lo: int, hi: int, wanted: tuple[int, int], inside: tuple[int, int]
    ) -> tuple[bytes, dict[int, bytes]]:
        """Do what `run` says.

        `wanted` are the places of the indices in [lo, hi), `inside` those of the sizes in (lo, hi).
        """
        (first, last), (least, most) = wanted, inside
        if first == last and least == most:
            return self._given(lo, hi), {}
        if hi - lo == 1:
            node = self.nodes[lo, hi] = self._leaves[lo]
            return node, {}
        middle = lo + split_point(hi - lo)
        cut = bisect_left(self._indices, middle, first, last)
        if least == most:
            # No earlier tree ends in here: nearly always, and then nothing else is to be told.
            left, _ = self._run(lo, middle, (first, cut), inside)
            right, _ = self._run(middle, hi, (cut, last), inside)
            node = self.nodes[lo, hi] = node_hash(left, right)
            return node, {}
        below = bisect_left(self._sizes, middle, least, most)
        above = bisect_right(self._sizes, middle, least, most)
        left, prefixes = self._run(lo, middle, (first, cut), (least, below))
        right, inner = self._run(middle, hi, (cut, last), (above, most))
        # A prefix that ends right of `middle` splits there too: its tree has the same left child.
        if below < above:
            prefixes[middle] = left
        for size, prefix in inner.items():
            prefixes[size] = node_hash(left, prefix)
        node = self.nodes[lo, hi] = node_hash(left, right)
        return node, prefixes

    def _given(self, lo: int, hi: int) -> bytes:
        node = next(self.hashes, None)
        if node is None:
            raise VerificationError("the sparse proof is too short")
        self.nodes[lo, hi] = node
        return node


def _touched(lo: int, hi: int, indices: Sequence[int], sizes: Sequence[int]) -> bool:
    """Tell whether [lo, hi) holds a wanted leaf or has an earlier size strictly inside."""
    first = bisect_left(indices, lo)
    if first < len(indices) and indices[first] < hi:
        return True
    after = bisect_right(sizes, lo)
    return after < len(sizes) and sizes[after] < hi


def _require_ascending(values: Sequence[int], least: int, most: int, what: str) -> None:
    if any(a >= b for a, b in pairwise(values)):
        raise ValueError(f"{what} list must ascend strictly")
    if values and not (least <= values[0] and values[-1] <= most):
        raise ValueError(f"{what} out of range: expected {least} to {most}")
