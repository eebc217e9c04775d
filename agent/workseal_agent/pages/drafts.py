"""What was chosen to be shown, until it is disclosed or these pages end.

Rules: a draft holds numbers of tiles and nothing of a picture, in memory alone. Without a draft
every tile of a frame is hidden.
"""

from workseal_protocol.digest import Digest
from workseal_protocol.frame import Grid
from workseal_protocol.frame.grid import tile_numbers

_BITS = 8


class Drafts:
    """Keep the tiles chosen for each frame of each request."""

    def __init__(self) -> None:
        self._tiles: dict[tuple[Digest, int], tuple[int, ...]] = {}

    def get(self, request: Digest, frame: int) -> tuple[int, ...]:
        """Return the tiles to show; none without a draft."""
        return self._tiles.get((request, frame), ())

    def put(self, request: Digest, frame: int, tiles: tuple[int, ...]) -> None:
        """Keep what is to be shown of a frame; showing nothing is no draft."""
        if tiles:
            self._tiles[request, frame] = tiles
        else:
            self._tiles.pop((request, frame), None)

    def drop(self, request: Digest) -> None:
        """Forget all drafts of a request."""
        for place in [place for place in self._tiles if place[0] == request]:
            del self._tiles[place]


def read_bits(grid: Grid, data: bytes) -> tuple[int, ...]:
    """Read which tiles are shown: one bit a tile, row by row, the first bit the lowest.

    Raises `ValueError` for any other length, or a bit beyond the last tile.
    """
    if len(data) != -(-grid.count // _BITS):
        raise ValueError("one bit for each tile is expected")
    bits = int.from_bytes(data, "little")
    if bits >> grid.count:
        raise ValueError("there are more bits than tiles")
    numbers = tile_numbers(grid.columns, grid.rows)
    return tuple(sorted(numbers[place] for place in range(grid.count) if bits >> place & 1))


def write_bits(grid: Grid, tiles: tuple[int, ...] | frozenset[int]) -> bytes:
    """Write what `read_bits` reads."""
    numbers = tile_numbers(grid.columns, grid.rows)
    shown = frozenset(tiles)
    bits = sum(1 << place for place in range(grid.count) if numbers[place] in shown)
    return bits.to_bytes(-(-grid.count // _BITS), "little")
