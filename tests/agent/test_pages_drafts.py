import pytest
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.pages.drafts import Drafts, read_bits, write_bits
from workseal_protocol.digest import Digest
from workseal_protocol.frame import Grid

grids = st.builds(Grid, st.integers(1, 700), st.integers(1, 700), st.sampled_from((16, 32, 64)))


@given(st.data(), grids)
def test_reading_is_the_inverse_of_writing(data: st.DataObject, grid: Grid) -> None:
    tiles = tuple(sorted(data.draw(st.sets(st.integers(0, grid.count - 1)))))
    assert read_bits(grid, write_bits(grid, tiles)) == tiles


def test_bits_go_row_by_row_and_tiles_in_their_own_order() -> None:
    grid = Grid(96, 64, 32)
    assert [grid.order[tile] for tile in read_bits(grid, b"\x01")] == [(0, 0)]
    assert [grid.order[tile] for tile in read_bits(grid, b"\x04")] == [(2, 0)]
    assert [grid.order[tile] for tile in read_bits(grid, b"\x08")] == [(0, 1)]


@pytest.mark.parametrize("data", [b"", b"\x00\x00", b"\x40"])
def test_refuses_bits_of_another_grid(data: bytes) -> None:
    with pytest.raises(ValueError, match="tile"):
        read_bits(Grid(96, 64, 32), data)


def test_without_a_draft_everything_is_hidden() -> None:
    drafts = Drafts()
    one, other = Digest(bytes(32)), Digest(b"\x01" * 32)
    assert drafts.get(one, 1) == ()
    drafts.put(one, 1, (3, 4))
    drafts.put(other, 1, (5,))
    assert drafts.get(one, 1) == (3, 4)
    drafts.put(one, 1, ())
    assert drafts.get(one, 1) == ()
    drafts.drop(other)
    assert drafts.get(other, 1) == ()
