"""Open some tiles of a frame whose pixels and seed are at hand."""

import zlib
from collections.abc import Collection, Sequence
from typing import Final

from workseal_protocol.disclosure.form import Disclosure, Subtree, expected_subtrees
from workseal_protocol.disclosure.verified import verify_disclosure
from workseal_protocol.errors import VerificationError
from workseal_protocol.frame import FrameTree, child_seeds, cut_rows
from workseal_protocol.merkle import split_point

_LEVEL: Final = 6


def open_frame(
    tree: FrameTree, shown: Collection[int], *, pixels: bytes | memoryview, seed: bytes
) -> Disclosure:
    """Show these tiles (Z-order numbers) of a frame whose pixels and seed are at hand.

    Whatever is returned verifies against `tree.commitment`: other pixels or another seed are a
    `ValueError`.
    """
    header, grid = tree.header, tree.header.grid
    numbers = tuple(sorted(set(shown)))
    if numbers and not 0 <= numbers[0] <= numbers[-1] < grid.count:
        raise ValueError(f"the frame has only {grid.count} tiles")
    subtrees = expected_subtrees(grid.count, numbers)
    seeds = _seeds_of(subtrees, seed, header.nonce, grid.count)
    hashes = b"".join(tree.node(part.low, part.high) for part in subtrees if not part.shown)
    tiles = [tile for row in cut_rows(grid, pixels) for tile in row]
    places = (grid.order[number] for number in numbers)
    raw = b"".join(tiles[row * grid.columns + column] for column, row in places)
    disclosure = Disclosure(header, numbers, seeds, hashes, zlib.compress(raw, _LEVEL))
    try:
        verify_disclosure(disclosure, tree.commitment)
    except VerificationError as e:
        raise ValueError("the pixels or the seed are not those of the committed frame") from e
    return disclosure


def _seeds_of(subtrees: Sequence[Subtree], seed: bytes, nonce: bytes, count: int) -> bytes:
    """Walk down from the frame's seed to each shown subtree."""
    seeds: list[bytes] = []
    for part in subtrees:
        if not part.shown:
            continue
        low, high, here = 0, count, seed
        while (low, high) != (part.low, part.high):
            middle = low + split_point(high - low)
            left, right = child_seeds(here, nonce)
            if part.high <= middle:
                high, here = middle, left
            else:
                low, here = middle, right
        seeds.append(here)
    return b"".join(seeds)
