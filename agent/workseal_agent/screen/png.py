"""Pictures in the form PNG, from a file: read strictly, sized before a decoder sees them.

Rule: 8-bit RGB, not interlaced, with one picture inside, and every chunk's checksum right.
"""

import struct
import zlib
from collections.abc import Iterator

from workseal_protocol.frame import MAX_PIXELS

MAX_FILE_BYTES = 64 * 2**20
MAX_SIDE = 16_384
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# depth, colour type, compression, filter, interlace
_RGB_8BIT = (8, 2, 0, 0, 0)
_RGBA_8BIT = (8, 6, 0, 0, 0)
_DECIDING = frozenset({b"acTL", b"fcTL", b"fdAT", b"eXIf", b"tRNS"})


def read_png(data: bytes, *, alpha: bool = False) -> tuple[int, int, bytes]:
    """Return width, height and RGB pixels; `ValueError` when the data is anything else.

    With `alpha`, a picture may have that channel; it is dropped, not blended: of a screen it has no
    meaning.
    """
    # Most screens give no PNG: the recording process stays light without a decoder.
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    try:
        width, height = _read_size(data, (_RGB_8BIT, _RGBA_8BIT) if alpha else (_RGB_8BIT,))
        picture = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except (struct.error, cv2.error) as error:
        raise ValueError("the form of the picture") from error
    if picture is None or picture.shape != (height, width, 3):
        raise DamagedError("the pixels of the picture")
    return width, height, picture[:, :, ::-1].tobytes()


class DamagedError(ValueError):
    """Say that a picture has the right form, and pixels that cannot be read."""


def _read_size(data: bytes, forms: tuple[tuple[int, ...], ...]) -> tuple[int, int]:
    """Check the form of a PNG file and return its size; `ValueError` when it is another form."""
    if len(data) > MAX_FILE_BYTES or not data.startswith(_SIGNATURE):
        raise ValueError("signature")
    chunks = tuple(_chunks(data))
    kinds = [kind for kind, _ in chunks]
    if kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or _DECIDING.intersection(kinds):
        raise ValueError("chunks")
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    if tuple(form) not in forms:
        raise ValueError("form")
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise ValueError("size")
    return width, height


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if checksum != zlib.crc32(body, zlib.crc32(kind)):
            raise ValueError("checksum")
        yield kind, body
        at += 12 + length
