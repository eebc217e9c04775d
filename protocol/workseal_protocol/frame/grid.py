"""The tiles of a frame: their sizes, their numbers, and which of them a box touches.

Rule: hidden always wins. Boxes to hide are rounded outward, boxes to show inward.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

CHANNELS: Final = 3
TILE_SIZES: Final = (16, 32, 64, 128)
MAX_SIDE: Final = 16_384
MAX_TILES: Final = 65_536
# An 8K display fits (7680 x 4320); the pixels of one disclosure never exceed 96 MiB.
MAX_PIXELS: Final = 1 << 25


@dataclass(frozen=True, slots=True)
class Box:
    """Mark a rectangle of pixels; it may reach beyond the frame."""

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError("a box is at least one pixel wide and high")

    def grown(self, margin: int) -> Self:
        """Return the box with a margin on each side."""
        return type(self)(
            self.left - margin,
            self.top - margin,
            self.width + 2 * margin,
            self.height + 2 * margin,
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """Cut a frame into tiles and number them in Z-order (Morton: column bits below row bits)."""

    width: int
    height: int
    tile: int

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise ValueError(f"a frame is 1 to {MAX_SIDE} pixels wide and high")
        if self.width * self.height > MAX_PIXELS:
            raise ValueError(f"a frame has at most {MAX_PIXELS} pixels")
        if self.tile not in TILE_SIZES:
            raise ValueError("a tile is 16, 32, 64 or 128 pixels wide")
        if self.count > MAX_TILES:
            raise ValueError(f"a frame has at most {MAX_TILES} tiles")

    @property
    def columns(self) -> int:
        """Count the tiles side by side."""
        return -(-self.width // self.tile)

    @property
    def rows(self) -> int:
        """Count the tiles on top of each other."""
        return -(-self.height // self.tile)

    @property
    def count(self) -> int:
        """Count the tiles."""
        return self.columns * self.rows

    @property
    def order(self) -> tuple[tuple[int, int], ...]:
        """Return column and row of each tile, in Z-order."""
        return _z_order(self.columns, self.rows)

    def box_of(self, number: int) -> Box:
        """Return the pixels that a tile covers."""
        column, row = self.order[number]
        left, top = column * self.tile, row * self.tile
        right = min(left + self.tile, self.width)
        bottom = min(top + self.tile, self.height)
        return Box(left, top, right - left, bottom - top)

    def size_of(self, number: int) -> tuple[int, int]:
        """Return width and height of a tile."""
        box = self.box_of(number)
        return box.width, box.height

    @property
    def tile_bytes(self) -> tuple[int, ...]:
        """Count the pixel bytes of each tile, in Z-order."""
        return _tile_bytes(self.width, self.height, self.tile)

    def tiles_touching(self, boxes: Iterable[Box]) -> frozenset[int]:
        """Return the tiles with at least one pixel in a box: rounded outward, to hide."""
        return self._numbers(self._touched(box) for box in boxes)

    def tiles_inside(self, boxes: Iterable[Box]) -> frozenset[int]:
        """Return the tiles whose every pixel is in one and the same box: rounded inward, to show.

        The right and bottom edges of the frame end its last tiles.
        """
        return self._numbers(self._covered(box) for box in boxes)

    def tiles_to_show(
        self, *, show: Iterable[Box] | None = None, hide: Iterable[Box] = ()
    ) -> tuple[int, ...]:
        """Return the tiles to show: all (or those inside a `show` box) that no `hide` box touches.

        The numbers ascend.
        """
        candidates = frozenset(range(self.count)) if show is None else self.tiles_inside(show)
        return tuple(sorted(candidates - self.tiles_touching(hide)))

    def _touched(self, box: Box) -> tuple[range, range]:
        return (
            _touched(box.left, box.left + box.width, self.width, self.tile),
            _touched(box.top, box.top + box.height, self.height, self.tile),
        )

    def _covered(self, box: Box) -> tuple[range, range]:
        return (
            _covered(box.left, box.left + box.width, self.width, self.tile),
            _covered(box.top, box.top + box.height, self.height, self.tile),
        )

    def _numbers(self, areas: Iterable[tuple[range, range]]) -> frozenset[int]:
        places = tile_numbers(self.columns, self.rows)
        return frozenset(
            places[row * self.columns + column]
            for columns, rows in areas
            for row in rows
            for column in columns
        )


def _touched(start: int, end: int, side: int, tile: int) -> range:
    start, end = max(start, 0), min(end, side)
    return range(start // tile, -(-end // tile)) if start < end else range(0)


def _covered(start: int, end: int, side: int, tile: int) -> range:
    first = -(-max(start, 0) // tile)
    return range(first, -(-side // tile) if end >= side else max(end, 0) // tile)


@lru_cache(maxsize=16)
def _z_order(columns: int, rows: int) -> tuple[tuple[int, int], ...]:
    spread = [_spread(n) for n in range(max(columns, rows))]
    codes = sorted(
        (spread[column] | spread[row] << 1, column, row)
        for row in range(rows)
        for column in range(columns)
    )
    return tuple((column, row) for _, column, row in codes)


def _spread(number: int) -> int:
    return sum((number >> bit & 1) << 2 * bit for bit in range(number.bit_length()))


@lru_cache(maxsize=16)
def _tile_bytes(width: int, height: int, tile: int) -> tuple[int, ...]:
    return tuple(
        min(tile, width - column * tile) * min(tile, height - row * tile) * CHANNELS
        for column, row in _z_order(-(-width // tile), -(-height // tile))
    )


@lru_cache(maxsize=16)
def tile_numbers(columns: int, rows: int) -> tuple[int, ...]:
    """Return the Z-order number of each tile, row by row."""
    places = [0] * (columns * rows)
    for number, (column, row) in enumerate(_z_order(columns, rows)):
        places[row * columns + column] = number
    return tuple(places)


def cut_rows(grid: Grid, pixels: bytes | memoryview) -> Iterator[list[bytes]]:
    """Yield the pixels of the tiles, one row of tiles after the other, from left to right."""
    for row in tile_views(grid, pixels):
        yield [view.tobytes() for view in row]


def tile_views(grid: Grid, pixels: bytes | memoryview) -> Iterator[list[memoryview]]:
    """Yield a row of tiles at a time; the views are good until the next row is asked for."""
    view = memoryview(pixels).cast("B")
    if len(view) != grid.width * grid.height * CHANNELS:
        raise ValueError("a frame has three bytes for each pixel of its header")
    stride, span = grid.width * CHANNELS, grid.tile * CHANNELS
    whole = grid.width // grid.tile
    body = whole * span
    # One row of tiles is copied to one place first: reading a frame column by column misses every
    # cache. Seen as a table of tile-wide pieces, each column of the strip is a tile.
    strip = memoryview(bytearray(grid.tile * body))
    for top in range(0, grid.height, grid.tile):
        height = min(grid.tile, grid.height - top)
        lines = range(top * stride, (top + height) * stride, stride)
        if body == stride:
            strip[: height * body] = view[top * stride : (top + height) * stride]
        else:
            for line, at in enumerate(lines):
                strip[line * body : (line + 1) * body] = view[at : at + body]
        row: list[memoryview] = []
        if whole:
            table = strip[: height * body].cast("B", (height * whole, span))
            row = [table[column::whole] for column in range(whole)]
        if body < stride:
            row.append(memoryview(b"".join([view[at + body : at + stride] for at in lines])))
        yield row
