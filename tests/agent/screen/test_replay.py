import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.desktop import noise
from workseal_agent.errors import CaptureError, NoScreenError
from workseal_agent.screen import replay
from workseal_agent.screen.replay import ReplayScreen

WIDTH, HEIGHT = 20, 10


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    pixels: bytes,
    *extra: bytes,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    form: tuple[int, ...] = (8, 2, 0, 0, 0),
) -> bytes:
    """Write a PNG file without an image library: an independent statement of its pixels."""
    rows = (b"\0" + pixels[at : at + WIDTH * 3] for at in range(0, len(pixels), WIDTH * 3))
    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", *size, *form)),
        *extra,
        chunk(b"IDAT", zlib.compress(b"".join(rows))),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


PIXELS = noise(WIDTH, HEIGHT)


def test_shows_the_files_in_the_order_of_their_names_over_and_over(tmp_path: Path) -> None:
    pictures = {name: noise(WIDTH, HEIGHT, seed) for seed, name in enumerate(["b", "a", "c"])}
    for name, pixels in pictures.items():
        (tmp_path / f"{name}.png").write_bytes(png(pixels))
    (tmp_path / "notes.txt").write_text("not a picture")
    screen = ReplayScreen(tmp_path)
    frames = [screen.grab() for _ in range(4)]
    assert [frame.rgb for (frame,) in frames] == [pictures[name] for name in "abca"]
    assert {(frame.width, frame.height, frame.display) for (frame,) in frames} == {(20, 10, 0)}
    assert screen.virtual
    assert screen.windows() == ()
    assert screen.name == "recorded desktop (3 pictures)"
    screen.close()


def test_reads_what_the_usual_library_writes(tmp_path: Path) -> None:
    array = np.frombuffer(PIXELS, np.uint8).reshape(HEIGHT, WIDTH, 3)
    assert cv2.imwrite(str(tmp_path / "a.PNG"), array[:, :, ::-1])
    assert ReplayScreen(tmp_path).grab()[0].rgb == PIXELS


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"GIF89a", id="another format"),
        pytest.param(png(PIXELS, form=(8, 6, 0, 0, 0)), id="alpha"),
        pytest.param(png(PIXELS, form=(8, 3, 0, 0, 0)), id="palette"),
        pytest.param(png(PIXELS, form=(16, 2, 0, 0, 0)), id="16 bit"),
        pytest.param(png(PIXELS, form=(8, 2, 0, 0, 1)), id="interlaced"),
        pytest.param(png(PIXELS, chunk(b"eXIf", b"x")), id="orientation"),
        pytest.param(png(PIXELS, chunk(b"acTL", bytes(8))), id="animation"),
        pytest.param(png(PIXELS, chunk(b"tRNS", bytes(6))), id="transparent colour"),
        pytest.param(png(PIXELS, size=(0, 10)), id="no width"),
        pytest.param(png(PIXELS, size=(16_385, 1)), id="too wide"),
        pytest.param(png(PIXELS, size=(16_000, 16_000)), id="too many pixels"),
        pytest.param(png(PIXELS, size=(20, 11)), id="too few pixels"),
        pytest.param(png(PIXELS)[:-1], id="cut"),
        pytest.param(png(PIXELS)[:-12], id="no end"),
        pytest.param(png(PIXELS) + b"x", id="trailing byte"),
        pytest.param(png(PIXELS, chunk(b"tEXt", b"a\0b")[:-1] + b"!"), id="checksum"),
    ],
)
def test_refuses_any_other_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(CaptureError):
        ReplayScreen(tmp_path).grab()


@given(st.integers(0, 300), st.binary(max_size=12))
def test_only_capture_errors_leave_the_reader(at: int, junk: bytes) -> None:
    whole = png(PIXELS)
    try:
        frame = replay._decode(whole[:at] + junk + whole[at + len(junk) :])
    except CaptureError:
        return
    assert (frame.width, frame.height) == (WIDTH, HEIGHT)


def test_a_file_that_goes_away_is_a_capture_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(PIXELS))
    screen = ReplayScreen(tmp_path)
    (tmp_path / "a.png").unlink()
    with pytest.raises(CaptureError):
        screen.grab()


def test_refuses_a_folder_without_pictures(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(NoScreenError):
            ReplayScreen(folder)
