"""The commitment to a frame: salted leaves under one root, bound to the header."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from workseal_protocol.digest import Digest, Tag
from workseal_protocol.frame.grid import tile_numbers, tile_views
from workseal_protocol.frame.header import FrameHeader
from workseal_protocol.frame.seeds import expand_seed


def frame_commitment(header: FrameHeader, root: bytes) -> Digest:
    """Bind the header to the root of the tiles."""
    return Digest.of(header.encode(), root)


@dataclass(frozen=True, slots=True)
class FrameTree:
    """Hold a committed frame's hashes, level by level from the leaves; no pixels, no seed.

    The leaves alone let nobody guess a tile, since every salt is secret.
    """

    header: FrameHeader
    levels: tuple[tuple[bytes, ...], ...]

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """Return the leaf hashes in Z-order."""
        return self.levels[0]

    @property
    def root(self) -> bytes:
        """Return the root of the tiles."""
        return self.levels[-1][0]

    @property
    def commitment(self) -> Digest:
        """Return what a segment names."""
        return frame_commitment(self.header, self.root)

    def node(self, low: int, high: int) -> bytes:
        """Return the hash of a range of tiles that is a subtree of the RFC 9162 tree."""
        level = (high - low - 1).bit_length()
        return self.levels[level][low >> level]


def commit_frame(header: FrameHeader, pixels: bytes | memoryview, seed: bytes) -> FrameTree:
    """Commit to every tile of a frame.

    `pixels` are `width * height * 3` bytes, row by row; `seed` is 16 random bytes used once.
    """
    grid = header.grid
    seeds = expand_seed(seed, header.nonce, grid.count)
    places = tile_numbers(grid.columns, grid.rows)
    tag = Tag.LEAF
    hashed: list[bytes] = []
    for row in tile_views(grid, pixels):
        here = places[len(hashed) : len(hashed) + len(row)]
        hashed += [
            sha256(tag + seeds[place] + view.tobytes()).digest()
            for place, view in zip(here, row, strict=True)
        ]
    leaves = [b""] * grid.count
    for place, leaf in zip(places, hashed, strict=True):
        leaves[place] = leaf
    return FrameTree(header, _levels(leaves))


def leaf_hashes(salts: Iterable[bytes], tiles: Iterable[bytes]) -> list[bytes]:
    """Hash each tile with its own salt."""
    tag = Tag.LEAF
    return [sha256(tag + salt + tile).digest() for salt, tile in zip(salts, tiles, strict=True)]


def _levels(leaves: Sequence[bytes]) -> tuple[tuple[bytes, ...], ...]:
    # The tree of `merkle.root_of` with its inner nodes kept; hashed in place, for speed.
    tag = Tag.NODE
    levels = [tuple(leaves)]
    while len(level := levels[-1]) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [sha256(tag + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        levels.append(tuple(above))
    return tuple(levels)
