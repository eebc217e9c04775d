"""Inclusion paths out of the nodes of a sparse proof, so that nothing is hashed again."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from workseal_protocol.merkle.inclusion import inclusion_ranges
from workseal_protocol.merkle.tree import split_point


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
