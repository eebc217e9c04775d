"""The icons of the tray, drawn here: one shape for each state, in white with a dark rim.

Rules: the shape alone tells the state, so that it is told to whoever sees no colours and on panels
of any colour; the rim sets it apart from a light panel. Each pixel is four bytes, alpha first, as
StatusNotifierItem has it ("ARGB32, in network byte order").
"""

from collections.abc import Callable
from enum import Enum
from functools import cache
from math import hypot

# What panels ask for; they scale the nearest.
SIZES = (22, 32, 48)
_RIM = 0.07
_PARTS = 3  # places a side that a pixel is asked at, so that edges are smooth

Point = tuple[float, float]
Shape = Callable[[Point], float]


class Sign(Enum):
    """Name the shapes."""

    WORKING = "disc"
    OFF_SCREEN = "half disc"
    SEALED = "padlock"
    PAUSED = "two bars"
    STOPPED = "ring"
    TROUBLED = "triangle"


def _disc(point: Point) -> float:
    return _from_centre(point) - 0.36


def _half(point: Point) -> float:
    """Draw a ring of which the left half is full."""
    return min(_ring(point), max(_from_centre(point) - 0.36, point[0] - 0.5))


def _ring(point: Point) -> float:
    return abs(_from_centre(point) - 0.30) - 0.06


def _bars(point: Point) -> float:
    return min(_box(point, 0.34, 0.5, 0.09, 0.32), _box(point, 0.66, 0.5, 0.09, 0.32))


def _padlock(point: Point) -> float:
    x, y = point
    shackle = max(abs(hypot(x - 0.5, y - 0.42) - 0.18) - 0.055, y - 0.5)
    return min(_box(point, 0.5, 0.64, 0.30, 0.20), shackle)


def _triangle(point: Point) -> float:
    """Draw a triangle with an exclamation mark left out."""
    x, y = point
    outside = max(y - 0.85, 0.9 * abs(x - 0.5) - 0.46 * (y - 0.08))
    stroke = min(_box(point, 0.5, 0.5, 0.05, 0.14), _box(point, 0.5, 0.74, 0.05, 0.04))
    return max(outside, -stroke)


def _box(point: Point, x: float, y: float, half_width: float, half_height: float) -> float:
    return max(abs(point[0] - x) - half_width, abs(point[1] - y) - half_height)


def _from_centre(point: Point) -> float:
    return hypot(point[0] - 0.5, point[1] - 0.5)


# How far a point lies outside a shape; below zero is inside.
_SHAPES: dict[Sign, Shape] = {
    Sign.WORKING: _disc,
    Sign.OFF_SCREEN: _half,
    Sign.SEALED: _padlock,
    Sign.PAUSED: _bars,
    Sign.STOPPED: _ring,
    Sign.TROUBLED: _triangle,
}


@cache
def pixmaps(sign: Sign) -> tuple[tuple[int, int, bytes], ...]:
    """Return the icon of a sign in each size: width, height, pixels."""
    return tuple((size, size, _drawn(_SHAPES[sign], size)) for size in SIZES)


def _drawn(shape: Shape, size: int) -> bytes:
    return b"".join(_pixel(shape, x, y, size) for y in range(size) for x in range(size))


def _pixel(shape: Shape, x: int, y: int, size: int) -> bytes:
    steps = [(part + 0.5) / _PARTS for part in range(_PARTS)]
    outside = [shape(((x + right) / size, (y + down) / size)) for down in steps for right in steps]
    white = sum(one <= 0 for one in outside)
    covered = sum(one <= _RIM for one in outside)
    if not covered:
        return bytes(4)
    # What is not white of what is covered is the rim.
    return bytes((255 * covered // len(outside), *[255 * white // covered] * 3))
