"""A PNG writer for what verified: 8-bit RGB, no palette, no metadata, the same bytes every time.

Written here because the base install has no image library, and because a writer, unlike a reader,
never meets bytes of somebody else's making. W3C PNG (third edition), sections 5 and 11.
"""

import struct
import zlib
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_RGB8: Final = (8, 2, 0, 0, 0)  # bit depth, colour type, compression, filter, interlace
_NO_FILTER: Final = b"\x00"


def encode_png(width: int, height: int, rgb: bytes) -> bytes:
    """Write RGB pixels, row-major, as a PNG file."""
    stride = width * 3
    if width < 1 or height < 1 or len(rgb) != stride * height:
        raise ValueError("the pixels do not have the size of the picture")
    rows = b"".join(
        _NO_FILTER + rgb[start : start + stride] for start in range(0, len(rgb), stride)
    )
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">II5B", width, height, *_RGB8)),
            _chunk(b"IDAT", zlib.compress(rows, 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
