"""The hashes of a tree (RFC 9162 section 2.1.1), and the root over all leaves."""

import hashlib
from collections.abc import Sequence

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


def require_hashes(hashes: Sequence[bytes], what: str) -> None:
    """Raise `VerificationError` unless each has 32 bytes."""
    if any(len(item) != DIGEST_BYTES for item in hashes):
        raise VerificationError(f"{what}: expected 32 bytes in each hash")
