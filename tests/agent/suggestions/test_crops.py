from itertools import pairwise

import numpy as np
import pytest

from workseal_agent.suggestions.crops import CROP_HEIGHT, CROP_WIDTH, OVERLAP, crops_of


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (64, 48), (1, 1)])
def test_an_ordinary_frame_is_one_crop(size: tuple[int, int]) -> None:
    (crop,) = crops_of(*size)
    assert (crop.left, crop.top, crop.width, crop.height) == (0, 0, *size)


@pytest.mark.parametrize("size", [(3840, 2160), (2560, 1440), (7680, 4320), (1985, 1281)])
def test_crops_cover_a_large_frame_and_none_is_scaled_down(size: tuple[int, int]) -> None:
    width, height = size
    seen = np.zeros((height, width), np.bool_)
    for crop in crops_of(width, height):
        assert crop.width <= CROP_WIDTH
        assert crop.height <= CROP_HEIGHT
        seen[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width] = True
    assert seen.all()


def test_crops_beside_each_other_overlap() -> None:
    lefts = sorted({(crop.left, crop.width) for crop in crops_of(3840, 2160)})
    assert len(lefts) == 3
    for (left, width), (following, _) in pairwise(lefts):
        assert left + width - following >= OVERLAP
