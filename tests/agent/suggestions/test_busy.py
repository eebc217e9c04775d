import cv2
import numpy as np
import pytest

from workseal_agent.suggestions.busy import (
    busy_tiles,
    suggest_busy,
    suggest_pictures,
    suggest_unread,
)
from workseal_agent.suggestions.suggestion import Kind, Suggestion
from workseal_protocol.frame import Box, Grid

GRID = Grid(200, 120, 32)


def blank(colour: tuple[int, int, int] = (30, 30, 34)) -> np.ndarray:
    return np.full((GRID.height, GRID.width, 3), colour, np.uint8)


def covered(suggestions: tuple[Suggestion, ...]) -> frozenset[int]:
    return frozenset[int]().union(*(one.tiles(GRID) for one in suggestions))


def test_a_flat_frame_and_a_gentle_gradient_are_not_busy() -> None:
    assert not busy_tiles(GRID, blank().tobytes()).any()
    slope = blank()
    slope[:, :, 1] = np.linspace(0, 200, GRID.width, dtype=np.uint8)
    assert not busy_tiles(GRID, slope.tobytes()).any()


@pytest.mark.parametrize("ink", [(220, 220, 220), (90, 90, 94), (30, 34, 120)])
def test_text_is_busy_also_when_it_is_faint_or_coloured(ink: tuple[int, int, int]) -> None:
    image = blank()
    cv2.putText(image, "secret", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1)
    rows, columns = np.nonzero((image != blank()).any(axis=2))
    written = GRID.tiles_touching(
        Box(int(x), int(y), 1, 1) for x, y in zip(columns, rows, strict=True)
    )
    busy = busy_tiles(GRID, image.tobytes())
    found = covered(suggest_busy(GRID, busy))
    # A tile that only the edge of one letter touches may be left out.
    assert len(written - found) <= 1
    assert len(found) < GRID.count / 2


def test_stretches_of_busy_tiles_end_with_the_frame() -> None:
    busy = np.zeros((GRID.rows, GRID.columns), np.bool_)
    busy[3, 4:] = True
    busy[0, 0] = busy[0, 2] = True
    found = suggest_busy(GRID, busy)
    assert [one.boxes for one in found] == [
        (Box(0, 0, 32, 32),),
        (Box(64, 0, 32, 32),),
        (Box(128, 96, 72, 24),),
    ]


def test_a_photograph_is_a_picture_and_text_is_none() -> None:
    image = blank()
    cv2.putText(image, "no picture", (4, 110), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (250, 250, 250), 1)
    image[:96, 96:192] = np.random.default_rng(7).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    busy = busy_tiles(GRID, image.tobytes())
    (picture,) = suggest_pictures(GRID, image.tobytes(), busy)
    assert picture.kind is Kind.PICTURE
    assert picture.bounds() == Box(96, 0, 96, 96)


def test_an_icon_is_too_small_for_a_picture() -> None:
    image = blank()
    image[:32, :64] = np.random.default_rng(7).integers(0, 256, (32, 64, 3), dtype=np.uint8)
    assert suggest_pictures(GRID, image.tobytes(), busy_tiles(GRID, image.tobytes())) == ()


def test_a_line_that_nothing_covers_is_suggested_and_a_border_is_not() -> None:
    image = blank()
    cv2.putText(image, "left out by all", (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (250,) * 3, 1)
    image[50, :] = image[:, 180] = 255
    found = covered(suggest_unread(GRID, image.tobytes(), frozenset()))
    rows = {GRID.box_of(number).top for number in found}
    assert rows == {0}
    assert suggest_unread(GRID, image.tobytes(), found) == ()


def test_the_edges_of_uncovered_letters_in_the_next_row_of_tiles_go_with_them() -> None:
    image = blank()
    cv2.putText(image, "just below it", (4, 65), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (250,) * 3, 1)
    written = (image != blank()).any(axis=2)
    assert written[64:].any()
    found = covered(suggest_unread(GRID, image.tobytes(), frozenset()))
    for number in range(GRID.count):
        box = GRID.box_of(number)
        inside = written[box.top : box.top + box.height, box.left : box.left + box.width]
        assert number in found or not inside[:, 1:].any()
