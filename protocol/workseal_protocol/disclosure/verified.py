"""Verify a disclosure, and hold what verified: the only tiles that are ever drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass
from types import MappingProxyType
from typing import Final

from workseal_protocol.digest import DIGEST_BYTES, Digest, Tag, sha256
from workseal_protocol.disclosure.form import Disclosure, expected_subtrees
from workseal_protocol.disclosure.picture import HiddenPattern
from workseal_protocol.errors import VerificationError
from workseal_protocol.frame import (
    CHANNELS,
    SEED_BYTES,
    FrameHeader,
    expand_seed,
    frame_commitment,
    leaf_hashes,
)
from workseal_protocol.merkle import node_hash, root_of, split_point

_ONLY_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedTiles:
    """Hold tiles that verified; only `verify_disclosure` makes it."""

    header: FrameHeader
    shown: tuple[int, ...]
    tiles: Mapping[int, bytes]
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _ONLY_HERE:
            raise TypeError("only verify_disclosure makes verified tiles")

    @property
    def shown_pixels(self) -> int:
        """Count the pixels that are shown."""
        return sum(len(tile) for tile in self.tiles.values()) // CHANNELS

    @property
    def all_pixels(self) -> int:
        """Count the pixels of the frame."""
        return self.header.width * self.header.height

    @property
    def flat_tiles(self) -> int:
        """Count the shown tiles of one single colour: shown, and telling next to nothing."""
        return sum(
            tile == tile[:CHANNELS] * (len(tile) // CHANNELS) for tile in self.tiles.values()
        )

    def render(self, pattern: HiddenPattern | None = None) -> bytes:
        """Draw the frame, row by row in RGB, with the pattern where a tile is hidden.

        A screen can show any picture, this pattern too: what is hidden is told by `shown`, and a
        viewer states it beside the picture.
        """
        pattern = pattern or HiddenPattern()
        grid = self.header.grid
        stride = grid.width * CHANNELS
        lines = [pattern.line(y, grid.width) for y in range(2 * pattern.cell)]
        image = bytearray().join(lines[y % len(lines)] for y in range(grid.height))
        for number, tile in self.tiles.items():
            box = grid.box_of(number)
            span = box.width * CHANNELS
            start = box.top * stride + box.left * CHANNELS
            for line in range(box.height):
                at = start + line * stride
                image[at : at + span] = tile[line * span : (line + 1) * span]
        return bytes(image)


def verify_disclosure(disclosure: Disclosure, commitment: Digest) -> VerifiedTiles:
    """Check that the shown tiles are those of the committed frame, or raise `VerificationError`."""
    tiles = _cut_shown(disclosure)
    root = _Fold(disclosure, tiles).root(0, disclosure.header.grid.count)
    if frame_commitment(disclosure.header, root) != commitment:
        raise VerificationError("the disclosed tiles are not those of the committed frame")
    return VerifiedTiles(disclosure.header, disclosure.shown, MappingProxyType(tiles), _ONLY_HERE)


def _cut_shown(disclosure: Disclosure) -> dict[int, bytes]:
    sizes = disclosure.header.grid.tile_bytes
    pixels = disclosure.pixels
    tiles: dict[int, bytes] = {}
    at = 0
    for number in disclosure.shown:
        end = at + sizes[number]
        tiles[number] = pixels[at:end]
        at = end
    return tiles


class _Fold:
    """Compute the root from what a disclosure gives, each item used once and in order."""

    def __init__(self, disclosure: Disclosure, tiles: Mapping[int, bytes]) -> None:
        self._nonce = disclosure.header.nonce
        self._tiles = tiles
        self._subtrees = iter(expected_subtrees(disclosure.header.grid.count, disclosure.shown))
        self._seeds = _pieces(disclosure.seeds, SEED_BYTES)
        self._hashes = _pieces(disclosure.hashes, DIGEST_BYTES)
        self._next = next(self._subtrees)

    def root(self, low: int, high: int) -> bytes:
        if (low, high) != (self._next.low, self._next.high):
            middle = low + split_point(high - low)
            left = self.root(low, middle)
            return node_hash(left, self.root(middle, high))
        given, self._next = self._next, next(self._subtrees, self._next)
        if not given.shown:
            return next(self._hashes)
        if high - low == 1:
            salt = next(self._seeds)
            return sha256(Tag.LEAF, salt, self._tiles[low])
        salts = expand_seed(next(self._seeds), self._nonce, high - low)
        tiles = (self._tiles[number] for number in range(low, high))
        return root_of(leaf_hashes(salts, tiles))


def _pieces(data: bytes, length: int) -> Iterator[bytes]:
    return (data[at : at + length] for at in range(0, len(data), length))
