"""What one opened frame shows: a line of figures, and its picture as files or for the viewer.

Rules: only tiles that verified are drawn, and what is drawn is marked for who asked. Which ones are
hidden stands in words and figures beside each picture, because a screen can show any picture.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workseal_protocol.cli.frames import PlacedFrame
from workseal_protocol.cli.png import encode_png
from workseal_protocol.cli.shownshare import ShownShare
from workseal_protocol.cli.text import count
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import VerifiedTiles
from workseal_protocol.watermark import LASTING, marked

if TYPE_CHECKING:
    from workseal_protocol.cli.viewing import ShownFrame


@dataclass(frozen=True, slots=True)
class OpenedFrame:
    """Say what one frame shows, and hold its files or its packed picture; never its pixels."""

    line: str
    share: ShownShare
    parts: tuple[tuple[str, bytes], ...] = ()
    shown: "ShownFrame | None" = None


def line_alone(place: PlacedFrame, tiles: VerifiedTiles, _mark: Digest) -> OpenedFrame:
    """Say what the frame shows, and draw nothing."""
    return OpenedFrame(_line(place, tiles), _share(place, tiles))


def parts_of(place: PlacedFrame, tiles: VerifiedTiles, mark: Digest) -> OpenedFrame:
    """Draw the frame into files: its picture, and what is shown of it."""
    parts = tuple(_parts(place, tiles, mark))
    return OpenedFrame(_line(place, tiles), _share(place, tiles), parts)


def shown_of(place: PlacedFrame, tiles: VerifiedTiles, mark: Digest) -> OpenedFrame:
    """Draw the frame for a page of this machine; nothing of it is a file."""
    from workseal_protocol.cli.viewing import ShownFrame  # noqa: PLC0415 - the viewer alone needs it

    grid, line = tiles.header.grid, _line(place, tiles)
    picture = marked(tiles.render(), grid.width, grid.height, mark)
    size = (grid.width, grid.height)
    frame = ShownFrame.of(place.name, line, size, picture)
    return OpenedFrame(line, _share(place, tiles), shown=frame)


def _share(place: PlacedFrame, tiles: VerifiedTiles) -> ShownShare:
    return ShownShare(place.name, len(tiles.shown), tiles.header.grid.count)


def _line(place: PlacedFrame, tiles: VerifiedTiles) -> str:
    return (
        f"frame {place.name}: holds; {len(tiles.shown)} of"
        f" {count(tiles.header.grid.count, 'tile')} shown,"
        f" {tiles.shown_pixels} of {tiles.all_pixels} pixels,"
        f" {count(tiles.flat_tiles, 'shown tile')} of one colour only{_lost(tiles)}"
    )


def _lost(tiles: VerifiedTiles) -> str:
    """Say it where all that is shown is so small that the mark may be lost with the rest."""
    boxes = [tiles.header.grid.box_of(number) for number in tiles.shown]
    if not boxes:
        return ""
    width = max(one.left + one.width for one in boxes) - min(one.left for one in boxes)
    height = max(one.top + one.height for one in boxes) - min(one.top for one in boxes)
    if min(width, height) >= LASTING:
        return ""
    return (
        f"; it lies within {width} x {height} pixels: a part that small, cut out, may not tell"
        " whose copy it was"
    )


def _parts(place: PlacedFrame, tiles: VerifiedTiles, mark: Digest) -> Iterator[tuple[str, bytes]]:
    header = tiles.header
    grid = header.grid
    # What verified are the tiles; who sees them sees them marked.
    picture = marked(tiles.render(), grid.width, grid.height, mark)
    yield f"{place.name}.png", encode_png(grid.width, grid.height, picture)
    facts = {
        "frame": str(place.commitment),
        "segment": str(place.segment),
        "round": header.round,
        "offset_ms": header.offset_ms,
        "display": header.display,
        "width": grid.width,
        "height": grid.height,
        "tile": grid.tile,
        "tiles": grid.count,
        "mark": str(mark),
        "shown": [
            {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
            for box in map(grid.box_of, tiles.shown)
        ],
    }
    yield f"{place.name}.json", (json.dumps(facts, indent=2) + "\n").encode()
