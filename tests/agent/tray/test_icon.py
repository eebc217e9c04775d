"""The shapes of the icon: each is told from every other without its colour."""

from itertools import combinations

import pytest

from workseal_agent.tray.icon import SIZES, Sign, pixmaps

# Of all pixels; two shapes that differ in less are one shape in a panel of 22 pixels.
LEAST_SHARE = 0.08


def light(sign: Sign, size: int) -> list[int]:
    """Return how bright each pixel is on a black panel."""
    (pixels,) = [data for width, _, data in pixmaps(sign) if width == size]
    return [pixels[at] * pixels[at + 1] // 255 for at in range(0, len(pixels), 4)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("one", "other"), list(combinations(Sign, 2)))
def test_two_states_differ_in_shape(one: Sign, other: Sign, size: int) -> None:
    pairs = zip(light(one, size), light(other, size), strict=True)
    assert sum(abs(a - b) for a, b in pairs) / 255 / size**2 >= LEAST_SHARE


@pytest.mark.parametrize("sign", list(Sign))
def test_an_icon_has_a_size_four_bytes_a_pixel_and_no_colour(sign: Sign) -> None:
    for width, height, data in pixmaps(sign):
        assert (width, height, len(data)) == (width, width, 4 * width * height)
        greys = {data[at + 1 : at + 4] for at in range(0, len(data), 4)}
        assert all(len(set(grey)) == 1 for grey in greys)
        # A rim that is dark and covers, so that white is seen on a white panel too.
        assert any(data[at] > 200 and data[at + 1] < 60 for at in range(0, len(data), 4))
        assert data[:4] == bytes(4), "a corner is not covered"
