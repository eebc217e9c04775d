import numpy as np
import pytest

from workseal_agent.suggestions.reading import ReadingError
from workseal_agent.suggestions.review import review_frame
from workseal_agent.suggestions.suggestion import Kind, Reading, Suggestion, Sureness, Why
from workseal_protocol.frame import Box, Grid

GRID = Grid(128, 64, 32)
FOUND = Suggestion(Kind.EMAIL, Why.FORM, Sureness.SURE, (Box(5, 5, 20, 9),))


class Reads:
    def __init__(self) -> None:
        self.asked: list[Box] = []

    def read(self, width: int, height: int, pixels: bytes, area: Box) -> tuple[Suggestion, ...]:
        assert len(pixels) == width * height * 3
        self.asked.append(area)
        return (FOUND,)


class Fails:
    def read(self, *_frame: object) -> tuple[Suggestion, ...]:
        raise ReadingError("the frame could not be read")


def noisy() -> bytes:
    image = np.zeros((64, 128, 3), np.uint8)
    image[:32:2, :32] = 255
    return image.tobytes()


def test_what_is_read_is_what_is_suggested() -> None:
    review = review_frame(GRID, noisy(), Reads())
    assert (review.reading, review.suggestions) == (Reading.READ, (FOUND,))


@pytest.mark.parametrize(("reader", "told"), [(None, Reading.ABSENT), (Fails(), Reading.FAILED)])
def test_what_is_not_flat_is_suggested_where_nothing_is_read(
    reader: Fails | None, told: Reading
) -> None:
    review = review_frame(GRID, noisy(), reader)
    assert review.reading is told
    assert [one.kind for one in review.suggestions] == [Kind.BUSY]
    assert review.without_any(range(GRID.count)) == tuple(
        number for number in range(GRID.count) if GRID.box_of(number) != Box(0, 0, 32, 32)
    )


def test_nobody_reads_a_flat_frame() -> None:
    review = review_frame(GRID, bytes(128 * 64 * 3), Fails())
    assert (review.reading, review.suggestions) == (Reading.EMPTY, ())


def test_what_lies_beside_and_above_the_shown_tiles_is_read_too() -> None:
    grid = Grid(1920, 1080, 32)
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[:, ::2] = 255
    reader = Reads()
    (number,) = (n for n in range(grid.count) if grid.box_of(n) == Box(960, 512, 32, 32))
    review_frame(grid, image.tobytes(), reader, shown=(number,))
    review_frame(grid, image.tobytes(), reader)
    assert reader.asked == [Box(640, 416, 672, 224), Box(0, 0, 1920, 1080)]
