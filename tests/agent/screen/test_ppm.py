import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.screen.ppm import read_ppm

PIXELS = bytes(range(24))


def test_reads_size_and_pixels() -> None:
    assert read_ppm(b"P6\n4 2\n255\n" + PIXELS) == (4, 2, PIXELS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"P5\n4 2\n255\n" + PIXELS,
        b"P6\n4 2\n65535\n" + PIXELS,
        b"P6\n# comment\n4 2\n255\n" + PIXELS,
        b"P6\n0 2\n255\n",
        b"P6\n04 2\n255\n" + PIXELS,
        b"P6\n99999 99999\n255\n" + PIXELS,
        b"P6\n4 2\n255\n" + PIXELS[:-1],
        b"P6\n4 2\n255\n" + PIXELS + b"x",
    ],
)
def test_refuses_any_other_form(data: bytes) -> None:
    with pytest.raises(ValueError, match="picture"):
        read_ppm(data)


@given(st.binary(max_size=60))
def test_only_value_errors_leave_the_reader(data: bytes) -> None:
    try:
        read_ppm(b"P6\n" + data)
    except ValueError:
        return
