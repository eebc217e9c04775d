"""The one Merkle tree: RFC 9162 hashes, inclusion, consistency, and our sparse proof.

Rules: hashes are raw 32-byte strings, and `leaves` are always leaf hashes (`leaf_hash` of an
entry), so an inner node never passes as an entry. A tree has fewer than 2**63 leaves. What is
verified costs at most the depth of the tree for each index and each earlier size that is named.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from workseal_protocol.digest import DIGEST_BYTES, Tag, sha256
from workseal_protocol.errors import VerificationError

MAX_SIZE = 2**63 - 1
MAX_PATH = 63  # hashes in the longest inclusion path of a tree of MAX_SIZE leaves
EMPTY_ROOT = sha256(b"")


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry into its leaf (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(Tag.LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent."""
    # Asked for more often than anything: joined without a detour.
    return hashlib.sha256(Tag.NODE + left + right).digest()


def split_point(n: int) -> int:
    """Return the largest power of two smaller than `n` (n >= 2)."""
    if n < 2:
        raise ValueError("a split needs two leaves or more")
    return 1 << ((n - 1).bit_length() - 1)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        # The last of an odd level moves up as it is: the same tree as the recursive definition.
        odd = level[-1:] if len(level) % 2 else []
        level = [node_hash(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]


# --- inclusion (RFC 9162 section 2.1.3) ---


def inclusion_ranges(index: int, size: int) -> tuple[tuple[int, int], ...]:
    """Return the ranges [lo, hi) whose hashes are the inclusion path, leaf's sibling first."""
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError("an index lies below the size")
    ranges: list[tuple[int, int]] = []
    lo, hi = 0, size
    while hi - lo > 1:
        middle = lo + split_point(hi - lo)
        if index < middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo = middle
    return tuple(reversed(ranges))


def inclusion_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the inclusion path of one leaf in the tree over all of them."""
    return tuple(root_of(leaves[lo:hi]) for lo, hi in inclusion_ranges(index, len(leaves)))


def inclusion_root(*, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Compute the root that an inclusion path leads to (RFC 9162 section 2.1.3.2).

    Raises `VerificationError` unless the path has exactly the length that index and size ask for.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise VerificationError("the index of the leaf does not lie below the tree size")
    _require_hashes((leaf,), "leaf hash")
    _require_hashes(path, "inclusion path")
    node, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise VerificationError("the inclusion path is too long")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise VerificationError("the inclusion path is too short")
    return result


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf hash stands at `index` in the tree of `size` leaves under `root`."""
    if inclusion_root(leaf=leaf, index=index, size=size, path=path) != root:
        raise VerificationError("the inclusion path does not lead to the root")


# --- consistency (RFC 9162 section 2.1.4) ---


def consistency_ranges(old_size: int, size: int) -> tuple[tuple[int, int], ...]:
    """Return the ranges [lo, hi) whose hashes are the consistency path, in its order."""
    if not 0 <= old_size <= size <= MAX_SIZE:
        raise ValueError("an old size is at most the new one")
    if old_size == 0:
        return ()
    ranges: list[tuple[int, int]] = []
    lo, hi = 0, size
    while old_size < hi:
        middle = lo + split_point(hi - lo)
        if old_size <= middle:
            ranges.append((middle, hi))
            hi = middle
        else:
            ranges.append((lo, middle))
            lo = middle
    if lo > 0:  # else the old root itself is the node, and the verifier has it
        ranges.append((lo, hi))
    return tuple(reversed(ranges))


def consistency_path(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Return the path that shows the first `old_size` leaves to be a prefix of all of them."""
    return tuple(root_of(leaves[lo:hi]) for lo, hi in consistency_ranges(old_size, len(leaves)))


def verify_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the old tree is a prefix of the new one (RFC 9162 section 2.1.4.2).

    Old size 0 is consistent with everything: its path is empty and its root is `EMPTY_ROOT`.
    """
    if not 0 <= old_size <= size <= MAX_SIZE:
        raise VerificationError("the old tree is larger than the new one")
    _require_hashes((old_root, root), "root")
    _require_hashes(path, "consistency path")
    if old_size in (0, size):
        if path:
            raise VerificationError("the consistency path is too long")
        if old_root != (root if old_size == size else EMPTY_ROOT):
            raise VerificationError("the old root differs from the one of its size")
        return
    hashes = list(path)
    if old_size & (old_size - 1) == 0:  # a power of two: the old root is the first node
        hashes.insert(0, old_root)
    if _fold_consistency(old_size, size, hashes) != (old_root, root):
        raise VerificationError("the consistency path does not lead to both roots")


def _fold_consistency(old_size: int, size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if not hashes:
        raise VerificationError("the consistency path is too short")
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise VerificationError("the consistency path is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise VerificationError("the consistency path is too short")
    return old, new


# --- growing ---


class Frontier:
    """Hold what a tree needs to grow: its size and the roots of its perfect subtrees.

    Append-only; `peaks` goes from the largest subtree to the smallest, one for each set bit of
    `size`, so a stored pair (size, peaks) gives the same frontier back.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise ValueError("a tree has 0 to 2**63 - 1 leaves")
        if len(peaks) != size.bit_count() or any(len(peak) != DIGEST_BYTES for peak in peaks):
            raise ValueError("a frontier has one 32-byte peak for each set bit of its size")
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """Return the number of leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Return the roots of the perfect subtrees, largest first."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the end."""
        if len(leaf) != DIGEST_BYTES:
            raise ValueError("a leaf hash has 32 bytes")
        if self._size == MAX_SIZE:
            raise ValueError("the tree is full")
        node, rest = leaf, self._size
        while rest & 1:
            node, rest = node_hash(self._peaks.pop(), node), rest >> 1
        self._peaks.append(node)
        self._size += 1

    def root(self) -> bytes:
        """Return the root over everything appended."""
        if not self._peaks:
            return EMPTY_ROOT
        result = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            result = node_hash(peak, result)
        return result


# --- sparse proof (docs/spec/log.md) ---


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
        _require_hashes(tuple(given), what)
    _require_hashes(hashes, "sparse proof")
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


def path_from_nodes(
    nodes: Mapping[tuple[int, int], bytes], index: int, size: int
) -> tuple[bytes, ...]:
    """Return one leaf's inclusion path from the nodes of a sparse proof that names the leaf."""
    try:
        return tuple(nodes[found] for found in inclusion_ranges(index, size))
    except KeyError as e:
        raise ValueError("the sparse proof does not name this leaf") from e


def paths_from_nodes(
    nodes: Mapping[tuple[int, int], bytes], indices: Sequence[int], size: int, mark: bytes = b""
) -> Iterator[bytes]:
    """Give the joined inclusion path of each leaf, with `mark` before every hash.

    Other than in `path_from_nodes`, paths share their ends: one step each for a node of the tree.
    `indices` ascend, and the sparse proof names them all.
    """
    waiting = [(0, size, 0, len(indices), b"")] if indices else []
    while waiting:
        lo, hi, first, last, path = waiting.pop()
        if hi - lo == 1:
            yield path
            continue
        middle = lo + split_point(hi - lo)
        cut = bisect_left(indices, middle, first, last)
        if cut < last:
            waiting.append((middle, hi, cut, last, mark + nodes[lo, middle] + path))
        if first < cut:
            waiting.append((lo, middle, first, cut, mark + nodes[middle, hi] + path))


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


def _require_hashes(hashes: Sequence[bytes], what: str) -> None:
    if any(len(item) != DIGEST_BYTES for item in hashes):
        raise VerificationError(f"{what}: expected 32 bytes in each hash")
