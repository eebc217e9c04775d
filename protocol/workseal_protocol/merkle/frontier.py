"""What a tree needs to grow."""

from collections.abc import Sequence

from workseal_protocol.digest import DIGEST_BYTES
from workseal_protocol.merkle.tree import EMPTY_ROOT, MAX_SIZE, node_hash


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
