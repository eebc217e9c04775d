"""That a leaf is in a tree: inclusion paths (RFC 9162 section 2.1.3)."""

from collections.abc import Sequence

from workseal_protocol.errors import VerificationError
from workseal_protocol.merkle.tree import (
    MAX_SIZE,
    node_hash,
    require_hashes,
    root_of,
    split_point,
)


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
    require_hashes((leaf,), "leaf hash")
    require_hashes(path, "inclusion path")
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
