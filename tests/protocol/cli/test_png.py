import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.cli.png import encode_png


@given(st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_another_reader_sees_the_same_pixels(width: int, height: int, rng: object) -> None:
    pixels = rng.randbytes(width * height * 3)  # type: ignore[attr-defined]
    file = np.frombuffer(encode_png(width, height, pixels), dtype=np.uint8)
    read = cv2.imdecode(file, cv2.IMREAD_COLOR_RGB)
    assert read is not None
    assert read.shape == (height, width, 3)
    assert read.tobytes() == pixels


def test_has_three_chunks_and_no_metadata() -> None:
    data = encode_png(2, 1, bytes(6))[8:]
    kinds = []
    while data:
        (length,) = struct.unpack(">I", data[:4])
        body, (crc,) = data[4 : 8 + length], struct.unpack(">I", data[8 + length : 12 + length])
        assert zlib.crc32(body) == crc
        kinds.append(body[:4])
        data = data[12 + length :]
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


@pytest.mark.parametrize(("width", "height", "size"), [(2, 2, 11), (0, 2, 0), (2, 0, 0), (1, 1, 4)])
def test_refuses_pixels_of_another_size(width: int, height: int, size: int) -> None:
    with pytest.raises(ValueError, match="size of the picture"):
        encode_png(width, height, bytes(size))
