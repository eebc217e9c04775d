import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_protocol.digest import Digest
from workseal_protocol.watermark import (
    CHIP,
    CHIPS,
    INK,
    PERIOD,
    STRENGTH,
    chips_of,
    mark_for,
    marked,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "frames" / "watermark.json"
MARK = mark_for(Digest.of(b"arbitrator"), Digest.of(b"request"))
OTHER = mark_for(Digest.of(b"arbitrator"), Digest.of(b"another request"))


def flat(level: int, width: int, height: int, mark: Digest = MARK) -> bytes:
    return marked(bytes([level]) * (width * height * 3), width, height, mark)


def test_a_mark_is_of_one_key_and_one_request() -> None:
    keys, requests = (Digest.of(b"a"), Digest.of(b"b")), (Digest.of(b"c"), Digest.of(b"d"))
    assert len({mark_for(key, request) for key in keys for request in requests}) == 4
    assert mark_for(keys[0], keys[1]) != mark_for(keys[1], keys[0])


def test_chips_are_of_both_kinds_and_of_one_mark() -> None:
    chips = chips_of(MARK)
    assert [len(row) for row in chips] == [CHIPS] * CHIPS
    bright = sum(map(sum, chips))
    assert 0.45 < bright / CHIPS**2 < 0.55
    differing = sum(
        one != other
        for mine, theirs in zip(chips, chips_of(OTHER), strict=True)
        for one, other in zip(mine, theirs, strict=True)
    )
    assert 0.45 < differing / CHIPS**2 < 0.55


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
def test_every_level_shows_the_whole_pattern(level: int) -> None:
    # The first rows have no digits.
    picture = flat(level, PERIOD, CHIP)
    centre = min(max(level, STRENGTH), 255 - STRENGTH)
    expected = [centre + (STRENGTH if one else -STRENGTH) for one in chips_of(MARK)[0]]
    assert list(picture[:: 3 * CHIP][:CHIPS]) == expected


@given(st.binary(min_size=3 * 70 * 9, max_size=3 * 70 * 9), st.integers(0, 5))
def test_no_pixel_moves_far(rgb: bytes, seed: int) -> None:
    picture = marked(rgb, 70, 9, Digest.of(bytes([seed])))
    assert len(picture) == len(rgb)
    assert max(abs(a - b) for a, b in zip(picture, rgb, strict=True)) <= 2 * STRENGTH


def test_the_digits_can_be_read() -> None:
    """Read them by their dots: as a person does, by how they differ from what is around."""
    picture = flat(255, PERIOD, PERIOD)
    rows = [picture[y * PERIOD * 3 : (y + 1) * PERIOD * 3 : 3] for y in range(PERIOD)]
    inked = {(x, y) for y, row in enumerate(rows) for x, level in enumerate(row) if level < 230}
    assert all(40 <= x < 40 + 8 * 12 and 120 <= y < 134 for x, y in inked)
    dots = 0
    for place in range(8):
        left = 40 + place * 12
        dots += len({one for one in inked if left <= one[0] < left + 10})
    assert dots == len(inked) > 8 * 4 * 9
    other = flat(255, PERIOD, PERIOD, OTHER)
    differing = [a != b and min(a, b) < 230 for a, b in zip(picture, other, strict=True)]
    assert any(differing)
    assert INK > 5 * STRENGTH


@pytest.mark.parametrize("size", [(0, 1), (1, 0), (2, 2), (-1, -1)])
def test_refuses_pixels_of_another_size(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="size of the picture"):
        marked(bytes(3), *size, MARK)


@pytest.mark.parametrize("size", [(0, 0), (0, 1), (1, 0)])
def test_no_pixels_are_no_picture(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="size of the picture"):
        marked(b"", *size, MARK)


def test_vectors() -> None:
    for vector in json.loads(VECTORS.read_text())["marks"]:
        recipient, request = (
            Digest(bytes.fromhex(vector[name])) for name in ("recipient", "request")
        )
        mark = mark_for(recipient, request)
        assert str(mark) == vector["mark"]
        row = "".join("+" if one else "-" for one in chips_of(mark)[0])
        assert row == vector["first_row"]
        width, height = vector["size"]
        picture = marked(bytes([vector["level"]]) * (width * height * 3), width, height, mark)
        assert hashlib.sha256(picture).hexdigest() == vector["picture"]
