"""A recorded desktop instead of a real one: the PNG files of a folder, in turn.

Rules: the files are the user's own, and still read strictly: 8-bit RGB, not interlaced, no second
picture inside. The size is read and bounded before a decoder sees the file.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.screen.frame import RawFrame
from workseal_agent.windows import WindowInfo
from workseal_protocol.frame import MAX_PIXELS

MAX_FILES = 4096
MAX_FILE_BYTES = 64 * 2**20
MAX_SIDE = 16_384
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB_8BIT = (8, 2, 0, 0, 0)  # depth, colour type, compression, filter, interlace
_DECIDING = frozenset({b"acTL", b"fcTL", b"fdAT", b"eXIf", b"tRNS"})


class ReplayScreen:
    """Show the pictures of a folder in the order of their names, over and over."""

    lists_windows = True

    def __init__(self, folder: Path) -> None:
        try:
            files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
        except OSError as error:
            raise NoScreenError("the folder of recorded pictures cannot be read") from error
        if not 1 <= len(files) <= MAX_FILES:
            raise NoScreenError(f"a recorded desktop needs 1 to {MAX_FILES} PNG files")
        self._files = files
        self._next = 0
        self.name = f"recorded desktop ({len(files)} pictures)"
        self.virtual = True

    def grab(self) -> tuple[RawFrame, ...]:
        """Return the next picture as one display."""
        path = self._files[self._next % len(self._files)]
        self._next += 1
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise CaptureError(CaptureFailure.OTHER, "a recorded picture cannot be read") from error
        return (_decode(data),)

    def windows(self) -> tuple[WindowInfo, ...]:
        """Return nothing: a recorded picture has no windows."""
        return ()

    def close(self) -> None:
        """Release nothing."""


def _decode(data: bytes) -> RawFrame:
    try:
        width, height = _read_size(data)
        picture = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except (ValueError, struct.error, cv2.error) as error:
        raise CaptureError(
            CaptureFailure.OTHER, "a recorded picture is not an 8-bit RGB PNG file"
        ) from error
    if picture is None or picture.shape != (height, width, 3):
        raise CaptureError(CaptureFailure.OTHER, "a recorded picture is damaged")
    return RawFrame(0, 0, 0, width, height, picture[:, :, ::-1].tobytes())


def _read_size(data: bytes) -> tuple[int, int]:
    """Check the form of a PNG file and return its size; `ValueError` when it is another form."""
    if len(data) > MAX_FILE_BYTES or not data.startswith(_SIGNATURE):
        raise ValueError("signature")
    chunks = tuple(_chunks(data))
    kinds = [kind for kind, _ in chunks]
    if kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or _DECIDING.intersection(kinds):
        raise ValueError("chunks")
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    if tuple(form) != _RGB_8BIT:
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
