"""How a large frame is cut before it is read: small text is lost when a picture is scaled down."""

from collections.abc import Iterator
from typing import Final

from workseal_protocol.frame import Box

# The detector scales what is larger than this; both were tried on full HD, which is one crop.
CROP_WIDTH: Final = 1_984
CROP_HEIGHT: Final = 1_280
# What is cut is seen whole on one side, or joined again in its row.
OVERLAP: Final = 256
_LEAST: Final = 64


def crops_of(width: int, height: int) -> Iterator[Box]:
    """Yield overlapping boxes that cover a frame, each small enough to be read as it is."""
    for top, lines in _parts(height, CROP_HEIGHT, _LEAST):
        for left, columns in _parts(width, CROP_WIDTH, OVERLAP):
            yield Box(left, top, columns, lines)


def _parts(length: int, most: int, overlap: int) -> Iterator[tuple[int, int]]:
    count = 1 if length <= most else -(-(length - overlap) // (most - overlap))
    part = -(-(length + (count - 1) * overlap) // count)
    for number in range(count):
        start = number * (part - overlap)
        yield start, min(part, length - start)
