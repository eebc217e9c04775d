"""Reviewing a frame before anything of it is shown: what is not flat, then what is written there.

Rules: where nothing can be read, what is not flat is all that is suggested, and the review says so.
Reading takes long, so only what lies near the tiles to be shown is read; the rest is called text.
"""

from collections.abc import Collection
from typing import Final, Protocol

from workseal_agent.suggestions.reading import ReadingError
from workseal_agent.suggestions.suggestion import Reading, Review, Suggestion
from workseal_protocol.frame import Box, Grid

# What stands beside a value, or above it, may say what it is.
_BESIDE: Final = 320
_ABOVE: Final = 96


class Reader(Protocol):
    """What a review needs to have a frame read."""

    def read(self, width: int, height: int, pixels: bytes, area: Box) -> tuple[Suggestion, ...]:
        """Return what is suggested for the text of a frame; lines outside the area stay unread."""
        ...


def review_frame(
    grid: Grid, pixels: bytes, reader: Reader | None, *, shown: Collection[int] | None = None
) -> Review:
    """Suggest what to hide in a frame; never raises for one that cannot be read.

    With `shown`, only text near these tiles is read; a review without reads everything.
    """
    # Every command knows of reviews, and few make one: arrays are loaded by these.
    from workseal_agent.suggestions.busy import (  # noqa: PLC0415
        busy_tiles,
        suggest_busy,
        suggest_pictures,
        suggest_unread,
    )

    busy = busy_tiles(grid, pixels)
    if not busy.any():
        return Review(grid, (), Reading.EMPTY)
    pictures = suggest_pictures(grid, pixels, busy)
    if reader is None:
        return Review(grid, (*pictures, *suggest_busy(grid, busy)), Reading.ABSENT)
    try:
        text = reader.read(grid.width, grid.height, pixels, _area(grid, shown))
    except ReadingError:
        return Review(grid, (*pictures, *suggest_busy(grid, busy)), Reading.FAILED)
    found = (*text, *pictures)
    covered = frozenset[int]().union(*(one.tiles(grid) for one in found))
    return Review(grid, (*found, *suggest_unread(grid, pixels, covered)), Reading.READ)


def _area(grid: Grid, shown: Collection[int] | None) -> Box:
    """Return what is to be read: around the tiles to be shown, or the whole frame."""
    if not shown:
        return Box(0, 0, grid.width, grid.height)
    boxes = [grid.box_of(number) for number in shown]
    left = min(box.left for box in boxes) - _BESIDE
    top = min(box.top for box in boxes) - _ABOVE
    right = max(box.left + box.width for box in boxes) + _BESIDE
    bottom = max(box.top + box.height for box in boxes) + _ABOVE
    return Box(left, top, right - left, bottom - top)
