"""Reviewing a frame before anything of it is shown: what is not flat, then what is written there.

Rules: where nothing can be read, what is not flat is all that is suggested, and the review says so.
"""

from typing import Protocol

from workseal_agent.suggestions.busy import busy_tiles, suggest_busy, suggest_pictures
from workseal_agent.suggestions.reading import ReadingError
from workseal_agent.suggestions.suggestion import Reading, Review, Suggestion
from workseal_protocol.frame import Grid


class Reader(Protocol):
    """What a review needs to have a frame read."""

    def read(self, width: int, height: int, pixels: bytes) -> tuple[Suggestion, ...]:
        """Return what is suggested for the text of a frame."""
        ...


def review_frame(grid: Grid, pixels: bytes, reader: Reader | None) -> Review:
    """Suggest what to hide in a frame; never raises for one that cannot be read."""
    busy = busy_tiles(grid, pixels)
    if not busy.any():
        return Review(grid, (), Reading.EMPTY)
    pictures = suggest_pictures(grid, pixels, busy)
    if reader is None:
        return Review(grid, (*pictures, *suggest_busy(grid, busy)), Reading.ABSENT)
    try:
        text = reader.read(grid.width, grid.height, pixels)
    except ReadingError:
        return Review(grid, (*pictures, *suggest_busy(grid, busy)), Reading.FAILED)
    return Review(grid, (*text, *pictures), Reading.READ)
