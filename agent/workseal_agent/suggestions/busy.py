"""Which tiles are not flat: found in milliseconds, before anything is read.

Rules: a tile counts as busy when more than a fiftieth of its pixels differ clearly from a
neighbour. What this misses has hardly a letter on it; what it finds is half of most screens.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from workseal_agent.suggestions.suggestion import Kind, Suggestion, Sureness, Why
from workseal_protocol.frame import CHANNELS, Box, Grid

# Of 255. Below lie gradients and the noise of photographs; faint text lies above.
_STEP: Final = 24
_SHARE: Final = 0.02
# Small letters that two rows of tiles share have hardly more strokes than this in either. A border
# has as many in one tile, hence the length; what is shorter than three tiles is mostly an icon.
_STROKES: Final = 0.025
_SHORTEST_STRETCH: Final = 3
# A photograph has hundreds of colours in a tile; smoothed letters have some dozens.
_PICTURE_COLOURS: Final = 0.25
_PICTURE_TILES: Final = 9


def busy_tiles(grid: Grid, pixels: bytes) -> np.ndarray:
    """Return for each row and column of tiles whether something is there."""
    image = _image(grid, pixels)
    edges = np.zeros((grid.height, grid.width), np.bool_)
    edges[:, 1:] = _differ(image[:, 1:], image[:, :-1])
    edges[1:] |= _differ(image[1:], image[:-1])
    return np.asarray(_shares(grid, edges) > _SHARE)


def suggest_busy(grid: Grid, busy: np.ndarray) -> tuple[Suggestion, ...]:
    """Suggest each stretch of busy tiles in a row of tiles."""
    return tuple(
        Suggestion(
            Kind.BUSY, Why.UNREAD, Sureness.POSSIBLE, (_box(grid, start, row, end, row + 1),)
        )
        for row, start, end in _stretches(busy)
    )


def _stretches(tiles: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield row, first and last column (exclusive) of tiles beside each other that are set."""
    for row in range(tiles.shape[0]):
        columns = np.flatnonzero(tiles[row])
        for stretch in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
            if len(stretch):
                yield row, int(stretch[0]), int(stretch[-1]) + 1


def suggest_unread(grid: Grid, pixels: bytes, covered: frozenset[int]) -> tuple[Suggestion, ...]:
    """Suggest stretches with upright strokes in them, as letters have, that nothing covers yet.

    A detector that has found a hundred lines may still leave one out.
    """
    image = _image(grid, pixels)
    strokes = np.zeros((grid.height, grid.width), np.bool_)
    strokes[:, 1:] = _differ(image[:, 1:], image[:, :-1])
    shares = _shares(grid, strokes)
    strong = shares > _STROKES
    for number in covered:
        column, row = grid.order[number]
        strong[row, column] = False
    written = np.zeros_like(strong)
    for row, start, end in _stretches(strong):
        if end - start >= _SHORTEST_STRETCH:
            # A letter's edge in the next row of tiles is a part of it, however little it is.
            rows = slice(max(row - 1, 0), row + 2)
            written[rows, start:end] |= shares[rows, start:end] > 0
    return suggest_busy(grid, written)


def suggest_pictures(grid: Grid, pixels: bytes, busy: np.ndarray) -> tuple[Suggestion, ...]:
    """Suggest what has as many colours as a photograph: no face is told from other things."""
    image = _image(grid, pixels)
    rich = np.zeros_like(busy)
    for row, column in np.argwhere(busy):
        top, left = row * grid.tile, column * grid.tile
        tile = image[top : top + grid.tile, left : left + grid.tile].reshape(-1, CHANNELS)
        codes = (tile >> 2).astype(np.uint32) @ np.array([1 << 12, 1 << 6, 1], np.uint32)
        rich[row, column] = len(np.unique(codes)) > _PICTURE_COLOURS * len(codes)
    return tuple(
        Suggestion(Kind.PICTURE, Why.COLOURS, Sureness.POSSIBLE, boxes)
        for boxes in _joined(grid, rich)
    )


def _joined(grid: Grid, tiles: np.ndarray) -> list[tuple[Box, ...]]:
    """Return the boxes of each group of tiles that touch; small groups are icons."""
    left = {(int(row), int(column)) for row, column in np.argwhere(tiles)}
    groups = []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            row, column = edge.pop()
            group.append((row, column))
            for near in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if near in left:
                    left.remove(near)
                    edge.append(near)
        if len(group) >= _PICTURE_TILES:
            groups.append(
                tuple(_box(grid, column, row, column + 1, row + 1) for row, column in sorted(group))
            )
    return groups


def _differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Say of each pixel whether one of its colours differs by more than a step."""
    far = (np.maximum(first, second) - np.minimum(first, second)) > _STEP
    return np.asarray(far[:, :, 0] | far[:, :, 1] | far[:, :, 2])


def _shares(grid: Grid, pixels: np.ndarray) -> np.ndarray:
    """Return which share of each tile's pixels is set."""
    rows = np.arange(0, grid.height, grid.tile)
    columns = np.arange(0, grid.width, grid.tile)
    counts = np.add.reduceat(np.add.reduceat(pixels, rows, 0, np.int32), columns, 1)
    heights = np.diff(np.append(rows, grid.height))
    widths = np.diff(np.append(columns, grid.width))
    return np.asarray(counts / np.outer(heights, widths))


def _image(grid: Grid, pixels: bytes) -> np.ndarray:
    return np.frombuffer(pixels, np.uint8).reshape(grid.height, grid.width, CHANNELS)


def _box(grid: Grid, left: int, top: int, right: int, bottom: int) -> Box:
    """Return the pixels of some tiles."""
    x, y = left * grid.tile, top * grid.tile
    return Box(
        x, y, min(right * grid.tile, grid.width) - x, min(bottom * grid.tile, grid.height) - y
    )
