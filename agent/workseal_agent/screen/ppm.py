"""Pictures in the form PPM, which a program can hand over through a pipe without a file.

Rule: one form is read, binary RGB with 8 bits, and its size is bounded before its pixels are
looked at.
"""

import re

from workseal_protocol.frame import MAX_PIXELS

MAX_HEAD = 32
MAX_BYTES = MAX_PIXELS * 3 + MAX_HEAD
_HEAD = re.compile(rb"P6\n([1-9][0-9]{0,4}) ([1-9][0-9]{0,4})\n255\n")


def read_ppm(data: bytes) -> tuple[int, int, bytes]:
    """Return width, height and RGB pixels; `ValueError` when the data is anything else."""
    head = _HEAD.match(data[:MAX_HEAD])
    if head is None:
        raise ValueError("not a binary PPM picture with 8 bits")
    width, height = int(head[1]), int(head[2])
    if width * height > MAX_PIXELS or len(data) - head.end() != width * height * 3:
        raise ValueError("the picture does not have the size that it tells")
    return width, height, data[head.end() :]
