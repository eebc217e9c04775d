"""That a tree only grew: consistency paths (RFC 9162 section 2.1.4)."""

from collections.abc import Sequence

from workseal_protocol.errors import VerificationError
from workseal_protocol.merkle.tree import (
    EMPTY_ROOT,
    MAX_SIZE,
    node_hash,
    require_hashes,
    root_of,
    split_point,
)


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
    require_hashes((old_root, root), "root")
    require_hashes(path, "consistency path")
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
