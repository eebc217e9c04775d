"""Whose copy of a picture this is: find the mark that the recipient's viewer drew into it.

Rules: marks are not read, they are tried: of each key and request to which something was shown. The
answer is how far the best fit stands out from all other places at which the pattern could lie, and
below a line that no picture without the mark came near it is that nobody is found. A file that
somebody passed on is decoded here, once its head has told a bounded size; this needs no key and
opens no vault.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_protocol.digest import Digest
from workseal_protocol.watermark import CHIP, PERIOD, chips_of

# How many standard deviations the best place stands above the mean of all places: pictures without
# the mark stayed below 7, crops of 200 x 200 pixels with it, after a JPEG, above 12.
FOUND: Final = 9.0
MAX_FILE_BYTES: Final = 64 * 2**20
MAX_PIXELS: Final = 64_000_000
# Screens that draw a pixel as several: what was taken from one is brought back first.
SCALES: Final = (1.0, 2.0, 1.5, 1.25)
# Text is far from its surroundings, the mark is near: what is further away is left out.
_AROUND: Final = 9
_NEAR: Final = 10.0
_LEAST_SIDE: Final = 64
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
# What its decoders raise for bytes that are no picture, or for far too many pixels.
_UNREADABLE: Final = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip

_Plane = npt.NDArray[np.float64]
_Spectrum = npt.NDArray[np.complex128]


class PictureError(AgentError):
    """Say why a file cannot be looked at."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Say how well a mark fits a picture; from `FOUND` on it is in it."""

    mark: Digest
    score: float

    @property
    def found(self) -> bool:
        """Say whether the mark is in the picture."""
        return self.score >= FOUND


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture's brightness, or raise `PictureError`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PictureError(
            phrase("{path} cannot be read: {reason}", path=path, reason=error.strerror)
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise PictureError(
            phrase("{path} has more than {most} bytes", path=path, most=MAX_FILE_BYTES)
        )
    try:
        return _grey(data, path)
    except _UNREADABLE as error:
        raise PictureError(
            phrase("{path} is no picture that can be read: PNG, JPEG or WebP", path=path)
        ) from error


def _grey(data: bytes, path: Path) -> npt.NDArray[np.uint8]:
    """Decode a picture, after its head told how many pixels that gives."""
    with warnings.catch_warnings():
        # The bound is ours: of its own one, which is higher, the library warns.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
    with picture:
        width, height = picture.size
        if width * height > MAX_PIXELS or min(width, height) < _LEAST_SIDE:
            raise PictureError(
                phrase(
                    "{path} has {width} x {height} pixels: expected {least_side} a side or more,"
                    " up to {most} in all",
                    path=path,
                    width=width,
                    height=height,
                    least_side=_LEAST_SIDE,
                    most=MAX_PIXELS,
                )
            )
        # Of a JPEG, the brightness as it is stored.
        picture.draft("L", None)
        return np.asarray(picture.convert("L"), np.uint8)


def trace(picture: npt.NDArray[np.uint8], marks: Sequence[Digest]) -> tuple[Trace, ...]:
    """Try each mark, and return how well they fit, the best first."""
    spectra = [np.fft.rfft2(_folded(_at_scale(picture, scale))) for scale in SCALES]
    tried = [Trace(mark, _stands_out(spectra, mark)) for mark in marks]
    return tuple(sorted(tried, key=lambda one: -one.score))


def _at_scale(picture: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.uint8]:
    if scale == 1:
        return picture
    height, width = picture.shape
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _folded(picture: npt.NDArray[np.uint8]) -> _Plane:
    """Lay all periods of a picture over one another: the mark adds up, the picture does not."""
    around = cv2.medianBlur(picture, _AROUND).astype(np.float64)
    left = picture.astype(np.float64) - around
    left[np.abs(left) > _NEAR] = 0
    height, width = left.shape
    rows, columns = -(-height // PERIOD), -(-width // PERIOD)
    padded = np.zeros((rows * PERIOD, columns * PERIOD))
    padded[:height, :width] = left
    folded: _Plane = padded.reshape(rows, PERIOD, columns, PERIOD).sum(axis=(0, 2))
    return folded


def _stands_out(spectra: Sequence[_Spectrum], mark: Digest) -> float:
    """Compare with the pattern at every place at once: a crop may begin anywhere."""
    chips = np.where(np.array(chips_of(mark)), 1.0, -1.0)
    pattern = np.fft.rfft2(np.kron(chips, np.ones((CHIP, CHIP)))).conj()
    return max(_above_the_rest(np.fft.irfft2(each * pattern)) for each in spectra)


def _above_the_rest(fit: _Plane) -> float:
    spread = float(fit.std())
    return float(fit.max() - fit.mean()) / spread if spread > 0 else 0.0
