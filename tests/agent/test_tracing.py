import random
import struct
import zlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import ImageFile

from workseal_agent import tracing
from workseal_agent.tracing import FOUND, MAX_PIXELS, PictureError, read_picture, trace
from workseal_protocol.digest import Digest
from workseal_protocol.watermark import mark_for, marked

Picture = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 1280, 800
RECORDED = Path(__file__).parents[2] / "deploy" / "recorded"
REQUEST = Digest.of(b"request")
KEYS = [Digest.of(b"key", bytes([number])) for number in range(6)]
MARKS = [mark_for(key, REQUEST) for key in KEYS]


def written(ink: int, paper: int) -> Picture:
    """Fill a screen with text, line under line."""
    rng = random.Random(3)
    picture = np.full((HEIGHT, WIDTH, 3), paper, np.uint8)
    for y in range(12, HEIGHT, 14):
        words = "".join(chr(rng.randint(33, 121)) for _ in range(190))
        cv2.putText(
            picture, words, (3, y), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (ink, ink, ink), 1, cv2.LINE_AA
        )
    return picture


def photographed() -> Picture:
    rng = np.random.default_rng(3)
    grain = rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    return cv2.GaussianBlur(grain, (0, 0), 1.2).astype(np.uint8)


def desktop() -> Picture:
    picture = cv2.imread(str(RECORDED / "00.png"))
    assert picture is not None
    return picture.astype(np.uint8)


SCREENS = {
    "a desktop": desktop(),
    "text on white": written(20, 255),
    "text on black": written(235, 0),
    "a photograph": photographed(),
}


@cache
def with_mark(name: str, mark: Digest) -> Picture:
    picture = SCREENS[name]
    height, width = picture.shape[:2]
    done = marked(picture.tobytes(), width, height, mark)
    return np.frombuffer(done, np.uint8).reshape(picture.shape)


def coded(picture: Picture, *, form: str = ".jpg", quality: int) -> Picture:
    flag = cv2.IMWRITE_JPEG_QUALITY if form == ".jpg" else cv2.IMWRITE_WEBP_QUALITY
    done, data = cv2.imencode(form, picture, [flag, quality])
    assert done
    grey = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return grey.astype(np.uint8)


def cut(picture: Picture, rng: random.Random, least: int = 200) -> Picture:
    height, width = rng.randint(least, HEIGHT // 2), rng.randint(least, WIDTH // 2)
    top, left = rng.randint(0, HEIGHT - height), rng.randint(0, WIDTH - width)
    return picture[top : top + height, left : left + width]


def test_the_recipient_is_found_after_a_crop_and_another_coding() -> None:
    """In 95 of 100 trials at least, and never anybody else."""
    rng = random.Random(7)
    trials, right = 0, 0
    for number in range(100):
        screen = sorted(SCREENS)[number % len(SCREENS)]
        key = rng.randrange(len(MARKS))
        form = rng.choice([".jpg", ".jpg", ".webp"])
        left = cut(with_mark(screen, MARKS[key]), rng)
        best, second, *_ = trace(coded(left, form=form, quality=rng.randint(40, 90)), MARKS)
        trials += 1
        right += best.found and best.mark == MARKS[key]
        assert not second.found
        assert not (best.found and best.mark != MARKS[key])
    assert right >= 0.95 * trials


@pytest.mark.parametrize("name", SCREENS)
def test_nobody_is_found_in_a_picture_without_a_mark(name: str) -> None:
    best, *_ = trace(coded(SCREENS[name], quality=80), MARKS)
    assert best.score < FOUND - 1


@pytest.mark.parametrize("scale", [2.0, 1.5])
def test_a_picture_from_a_screen_that_draws_larger_is_brought_back(scale: float) -> None:
    picture = with_mark("a desktop", MARKS[2])
    larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    best, *_ = trace(coded(larger.astype(np.uint8), quality=80), MARKS)
    assert (best.mark, best.found) == (MARKS[2], True)


def test_an_empty_picture_fits_nobody() -> None:
    assert [one.score for one in trace(np.zeros((300, 300), np.uint8), MARKS)] == [0.0] * 6


def test_reads_a_picture_that_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "found.png"
    cv2.imwrite(str(path), with_mark("a desktop", MARKS[0]))
    assert trace(read_picture(path), MARKS)[0].mark == MARKS[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no picture that can be read"),
        (b"a letter", "no picture that can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "no picture that can be read"),
    ],
)
def test_refuses_what_is_no_picture(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "found"
    path.write_bytes(data)
    with pytest.raises(PictureError, match=says):
        read_picture(path)


def png_of(width: int, height: int) -> bytes:
    """Write a small PNG of many black pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)

    packer = zlib.compressobj(9)
    row = bytes(1 + width)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    ends = chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(ends)


@pytest.mark.parametrize("size", [(9_000, 8_000), (20_000, 20_000)])
def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(*size))
    assert path.stat().st_size < MAX_PIXELS // 100
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    with pytest.raises(PictureError, match=r"pixels|no picture that can be read"):
        read_picture(path)


def test_one_pixel_too_many_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "found.png"
    path.write_bytes(png_of(100, 100))
    monkeypatch.setattr(tracing, "MAX_PIXELS", 10_000)
    assert read_picture(path).shape == (100, 100)
    monkeypatch.setattr(tracing, "MAX_PIXELS", 9_999)
    with pytest.raises(PictureError, match="100 x 100 pixels: expected 64 a side or more, up to"):
        read_picture(path)


def test_refuses_a_picture_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "found.bmp"
    cv2.imwrite(str(path), np.zeros((100, 100), np.uint8))
    with pytest.raises(PictureError, match="PNG, JPEG or WebP"):
        read_picture(path)


def test_refuses_pictures_that_are_too_small_or_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "small.png"
    cv2.imwrite(str(path), np.zeros((63, 400), np.uint8))
    with pytest.raises(PictureError, match="has 400 x 63 pixels: expected 64 a side"):
        read_picture(path)
    monkeypatch.setattr(tracing, "MAX_FILE_BYTES", 10)
    with pytest.raises(PictureError, match="more than 10 bytes"):
        read_picture(path)
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(tmp_path / "nothing")
