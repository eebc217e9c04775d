"""The salts of a frame: a tree of seeds with the shape of the tree of hashes.

Rule: a node's seed gives the salts below it and no others; neither parent nor sibling follows.
"""

from hashlib import sha256
from typing import Final

from workseal_protocol.digest import Tag
from workseal_protocol.frame.header import NONCE_BYTES

SEED_BYTES: Final = 16


def child_seeds(seed: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    """Derive the seeds of a node's two children; neither tells the other or the parent."""
    pair = sha256(Tag.SEED + nonce + seed).digest()
    return pair[:SEED_BYTES], pair[SEED_BYTES:]


def expand_seed(seed: bytes, nonce: bytes, count: int) -> list[bytes]:
    """Derive the salts of `count` leaves from the seed of the node above them."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a frame seed has 16 bytes")
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a frame nonce has 16 bytes")
    widths = [count]
    while widths[-1] > 1:
        widths.append(-(-widths[-1] // 2))
    prefix = Tag.SEED + nonce
    seeds = [seed]
    for width in reversed(widths[:-1]):
        below = []
        for parent in seeds[: width // 2]:
            pair = sha256(prefix + parent).digest()
            below.append(pair[:SEED_BYTES])
            below.append(pair[SEED_BYTES:])
        # The last of an odd level is its own parent, as in the tree of hashes.
        seeds = below + seeds[-1:] if width % 2 else below
    return seeds
