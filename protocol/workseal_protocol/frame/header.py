"""The header of a frame: 41 bytes that say what it is and where it belongs."""

from dataclasses import dataclass
from struct import Struct
from typing import Final, Self

from workseal_protocol.digest import Tag
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame.grid import Grid

NONCE_BYTES: Final = 16
# A browser's numbers are exact below this.
MAX_ROUND: Final = 2**53 - 1

_VERSION: Final = 1
_HEADER: Final = Struct(">cBIIHBQI16s")
HEADER_BYTES: Final = _HEADER.size


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Say what a frame is and where it belongs; public once a part of the frame is disclosed.

    `display` numbers the displays of one capture, `offset_ms` counts from the start of the round,
    and the nonce makes the seeds of each frame their own.
    """

    width: int
    height: int
    tile: int
    display: int
    round: int
    offset_ms: int
    nonce: bytes

    def __post_init__(self) -> None:
        Grid(self.width, self.height, self.tile)
        if not 0 <= self.display <= 255:
            raise ValueError("a display number lies between 0 and 255")
        if not 0 <= self.round <= MAX_ROUND:
            raise ValueError("a round number does not fit in 53 bits")
        if not 0 <= self.offset_ms < 1 << 32:
            raise ValueError("an offset does not fit in 32 bits")
        if len(self.nonce) != NONCE_BYTES:
            raise ValueError("a frame nonce has 16 bytes")

    @property
    def grid(self) -> Grid:
        """Return the tiles of the frame."""
        return Grid(self.width, self.height, self.tile)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a header, or raise `MalformedError`."""
        if len(data) != HEADER_BYTES:
            raise MalformedError(f"a frame header has {HEADER_BYTES} bytes")
        tag, version, *rest = _HEADER.unpack(data)
        if tag != Tag.FRAME or version != _VERSION:
            raise MalformedError("a frame header begins with tag 2 and version 1")
        try:
            return cls(*rest)
        except ValueError as e:
            raise MalformedError(f"frame header: {e}") from e

    def encode(self) -> bytes:
        """Write the header; `parse` is its inverse."""
        return _HEADER.pack(
            Tag.FRAME,
            _VERSION,
            self.width,
            self.height,
            self.tile,
            self.display,
            self.round,
            self.offset_ms,
            self.nonce,
        )
