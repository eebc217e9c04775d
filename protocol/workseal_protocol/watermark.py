"""Mark a picture for the one who gets to see it, so that a copy says whose copy it was.

Rules: what is marked is what was drawn from verified tiles, never the tiles; so the pixels that the
commitment proves are those before the mark. A mark follows from the recipient's key and the
request, and holds nothing else. It is two things: a pattern over the whole picture, too faint to
disturb and found again after a crop and a JPEG, and eight digits that a person can read. Whoever
draws pictures with a program of their own gets them without. docs/spec/watermark.md
"""

from collections.abc import Iterator, Sequence
from typing import Final

from workseal_protocol.digest import Digest, sha256

# The pattern repeats, so that a part of the picture has all of it; a chip outlives the blocks of a
# JPEG, which are 8 pixels wide.
PERIOD: Final = 256
CHIP: Final = 4
CHIPS: Final = PERIOD // CHIP
# Levels of 255 by which each pixel is moved up or down.
STRENGTH: Final = 3
# Pixels a side from which on a part that is cut out keeps its mark, by trial.
LASTING: Final = 200
# Levels by which the readable digits differ from what is below them.
INK: Final = 40

_LABEL: Final = b"workseal/watermark/v1"
_CHANNELS: Final = 3
_SCALE: Final = 2
_DIGITS: Final = 8
_LEFT, _TOP = 40, 120
# Five dots wide, seven high: the dots of each line, the leftmost is the highest bit.
_GLYPHS: Final = {
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31), "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
    "a": (0, 0, 14, 1, 15, 17, 15), "b": (16, 16, 22, 25, 17, 17, 30),
    "c": (0, 0, 14, 16, 16, 17, 14), "d": (1, 1, 13, 19, 17, 17, 15),
    "e": (0, 0, 14, 17, 31, 16, 14), "f": (6, 9, 8, 28, 8, 8, 8),
}  # fmt: skip


def mark_for(recipient: Digest, request: Digest) -> Digest:
    """Return the mark of what one recipient sees by one request."""
    return Digest(sha256(_LABEL, recipient.raw, request.raw))


def chips_of(mark: Digest) -> tuple[tuple[bool, ...], ...]:
    """Return the pattern of a mark: rows of chips, each brighter or darker."""
    count = CHIPS * CHIPS // 256
    blocks = b"".join(sha256(_LABEL, b"chips", mark.raw, bytes((n,))) for n in range(count))
    bits = [bool(byte >> bit & 1) for byte in blocks for bit in range(7, -1, -1)]
    return tuple(tuple(bits[at : at + CHIPS]) for at in range(0, len(bits), CHIPS))


def marked(rgb: bytes, width: int, height: int, mark: Digest) -> bytes:
    """Return the picture (8-bit RGB, row-major) with its mark."""
    stride = width * _CHANNELS
    if width < 1 or height < 1 or len(rgb) != stride * height:
        raise ValueError("the pixels do not have the size of the picture")
    up, down = _moved(STRENGTH), _moved(-STRENGTH)
    chips = [_mask(row, CHIP, width) for row in chips_of(mark)]
    ink = [_mask(row, 1, width) for row in _written(str(mark)[:_DIGITS])]
    lines = []
    for y in range(height):
        line = rgb[y * stride : (y + 1) * stride]
        chip, dots = chips[y % PERIOD // CHIP], ink[y % PERIOD]
        line = _chosen(line.translate(up), line.translate(down), chip)
        lines.append(_chosen(line.translate(_INKED), line, dots) if dots else line)
    return b"".join(lines)


def _moved(by: int) -> bytes:
    """Move every level, black and white too: both are drawn in, so that a chip always shows."""
    return bytes(min(max(level, STRENGTH), 255 - STRENGTH) + by for level in range(256))


_INKED: Final = bytes(level + INK if level < 128 else level - INK for level in range(256))


def _mask(row: Sequence[bool], dot: int, width: int) -> int:
    """Return a number with all bits set in the bytes of those pixels that are chosen."""
    pixels = b"".join((b"\xff" if one else b"\x00") * dot * _CHANNELS for one in row)
    return int.from_bytes((pixels * (width // PERIOD + 1))[: width * _CHANNELS])


def _chosen(first: bytes, second: bytes, mask: int) -> bytes:
    """Take `first` where the mask is set, else `second`: a whole line in four operations."""
    one, other = int.from_bytes(first), int.from_bytes(second)
    return (other ^ ((one ^ other) & mask)).to_bytes(len(first))


def _written(text: str) -> Iterator[list[bool]]:
    """Give the rows of one period, with the text in it."""
    for y in range(PERIOD):
        row = [False] * PERIOD
        line, rest = divmod(y - _TOP, _SCALE)
        if rest >= 0 and 0 <= line < 7:
            for place, digit in enumerate(text):
                for x in range(5 * _SCALE):
                    dot = _GLYPHS[digit][line] >> (4 - x // _SCALE) & 1
                    row[_LEFT + place * 6 * _SCALE + x] = bool(dot)
        yield row
