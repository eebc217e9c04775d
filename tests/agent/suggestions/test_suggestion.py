import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.suggestions import (
    MARGIN,
    Kind,
    Reading,
    Review,
    Suggestion,
    Sureness,
    Why,
)
from workseal_protocol.frame import Box, Grid

GRID = Grid(200, 120, 32)
boxes = st.builds(
    Box, st.integers(-20, 190), st.integers(-20, 110), st.integers(1, 90), st.integers(1, 60)
)


def suggestion(kind: Kind, *places: Box) -> Suggestion:
    return Suggestion(kind, Why.FORM, Sureness.LIKELY, places)


def review(*suggestions: Suggestion) -> Review:
    return Review(GRID, suggestions, Reading.READ)


@given(st.lists(boxes, min_size=1, max_size=4), st.sampled_from([Kind.EMAIL, Kind.TEXT]))
def test_no_pixel_of_a_suggestion_or_its_margin_lies_in_a_shown_tile(
    places: list[Box], kind: Kind
) -> None:
    shown = review(suggestion(kind, *places)).without_any(range(GRID.count))
    for number in shown:
        tile = GRID.box_of(number)
        for box in places:
            apart = (
                tile.left >= box.left + box.width + MARGIN
                or tile.left + tile.width <= box.left - MARGIN
                or tile.top >= box.top + box.height + MARGIN
                or tile.top + tile.height <= box.top - MARGIN
            )
            assert apart


def test_a_margin_of_three_pixels_reaches_into_the_next_tile() -> None:
    near = suggestion(Kind.EMAIL, Box(35, 35, 10, 10))
    inside = suggestion(Kind.EMAIL, Box(34, 40, 10, 10))
    assert len(near.tiles(GRID)) == 1
    assert len(inside.tiles(GRID)) == 2


def test_whole_tiles_take_no_neighbours() -> None:
    assert len(suggestion(Kind.BUSY, Box(32, 32, 32, 32)).tiles(GRID)) == 1
    assert len(suggestion(Kind.TEXT, Box(32, 32, 32, 32)).tiles(GRID)) == 9


def test_every_suggestion_is_named_whether_it_is_followed_or_not() -> None:
    one = review(
        suggestion(Kind.TEXT, Box(40, 40, 8, 8)), suggestion(Kind.CARD, Box(100, 40, 8, 8))
    )
    for shown in (range(GRID.count), (), one.without_marked(range(GRID.count))):
        told = one.exposures(shown)
        assert [each.suggestion.kind for each in told] == [Kind.CARD, Kind.TEXT]
    card, text = one.exposures(one.without_marked(range(GRID.count)))
    assert (card.seen, text.seen) == (0, text.tiles)
    assert {each.seen for each in one.exposures(one.without_any(range(GRID.count)))} == {0}


def test_only_what_is_pre_marked_and_would_be_seen_is_in_the_way() -> None:
    one = review(
        suggestion(Kind.TEXT, Box(40, 40, 8, 8)), suggestion(Kind.CARD, Box(100, 40, 8, 8))
    )
    assert [each.suggestion.kind for each in one.marked_in(range(GRID.count))] == [Kind.CARD]
    assert one.marked_in(one.without_marked(range(GRID.count))) == ()


def test_text_pictures_and_busy_tiles_are_not_pre_marked() -> None:
    assert {kind for kind in Kind if not kind.marked} == {Kind.PICTURE, Kind.TEXT, Kind.BUSY}


def test_the_bounds_hold_every_box() -> None:
    one = suggestion(Kind.TOKEN, Box(10, 20, 5, 5), Box(30, 40, 5, 9))
    assert one.bounds() == Box(10, 20, 25, 29)


def test_refuses_a_suggestion_of_nowhere() -> None:
    with pytest.raises(ValueError, match="at least one box"):
        suggestion(Kind.TEXT)
