import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workseal_protocol import merkle
from workseal_verifier.errors import StoreCorruptError
from workseal_verifier.services.tree import TileTree


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4)) for number in range(count)]


def grow(steps: list[int]) -> tuple[TileTree, dict[tuple[int, int], bytes]]:
    """Append in steps, storing and reloading after each, as crashes would."""
    stored: dict[tuple[int, int], bytes] = {}

    def load(level: int, number: int) -> bytes | None:
        return stored.get((level, number))

    tree = TileTree(0, load)
    all_leaves = leaves(sum(steps))
    for step in steps:
        tree.extend(all_leaves[tree.size : tree.size + step])
        stored.update(tree.pending())
        tree = TileTree(tree.size, load)
    return tree, stored


@settings(max_examples=30)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_has_the_root_of_its_leaves_however_it_grew(steps: list[int]) -> None:
    tree, _ = grow(steps)
    assert tree.root() == merkle.root_of(leaves(sum(steps)))


@pytest.fixture(scope="module")
def big() -> tuple[TileTree, list[bytes]]:
    return grow([255, 1, 1, 65_279, 300, 700])[0], leaves(66_536)


@settings(max_examples=60)
@given(st.data())
def test_every_range_of_the_tree_has_its_hash(
    big: tuple[TileTree, list[bytes]], data: st.DataObject
) -> None:
    tree, all_leaves = big
    size = data.draw(st.integers(1, len(all_leaves)))
    index = data.draw(st.integers(0, size - 1))
    path = merkle.sparse_proof(tree.node, size, [index], [])
    assert path == merkle.sparse_proof(
        lambda low, high: merkle.root_of(all_leaves[low:high]), size, [index], []
    )


def test_serves_old_sizes_while_it_grows(big: tuple[TileTree, list[bytes]]) -> None:
    tree, all_leaves = big
    for size in (1, 255, 256, 257, 511, 65_535, 65_536, 65_537):
        assert tree.root(size) == merkle.root_of(all_leaves[:size])


def test_refuses_to_answer_beyond_its_size(big: tuple[TileTree, list[bytes]]) -> None:
    with pytest.raises(ValueError, match="does not reach"):
        big[0].node(66_536, 66_537)


def test_a_tile_that_was_filled_here_is_not_read_again() -> None:
    tree = TileTree(0, lambda level, number: pytest.fail(f"tile {level}/{number} was read"))
    tree.extend(leaves(600))
    tree.settle()
    assert tree.root(512) == merkle.root_of(leaves(512))
    assert tree.node(7, 8) == leaves(8)[7]


def test_a_tile_that_grew_still_answers_for_a_smaller_tree() -> None:
    """Another process may have appended since the size was read."""
    _, stored = grow([300])
    smaller = TileTree(290, lambda level, number: stored.get((level, number)))
    assert smaller.root() == merkle.root_of(leaves(290))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: None, id="missing"),
        pytest.param(lambda data: data[:-32], id="short"),
        pytest.param(lambda data: data[:-1], id="cut inside a hash"),
    ],
)
def test_refuses_a_damaged_tile(damage: Callable[[bytes], bytes | None]) -> None:
    _, stored = grow([300])
    with pytest.raises(StoreCorruptError, match="tile 0/1 must have 44 hashes"):
        TileTree(300, lambda level, number: damage(stored[level, number]) if number else b"")


def test_what_memory_has_is_answered_without_the_store() -> None:
    hashes = leaves(700)
    grown = TileTree(0, lambda *_: None)
    grown.extend(hashes)
    stored, read = grown.pending(), []

    def load(level: int, number: int) -> bytes | None:
        read.append((level, number))
        return stored[level, number]

    tree = TileTree(700, load)
    read.clear()
    ranges = [(512, 640), (640, 700), (3, 4), (0, 700)]
    assert tree.remembered(ranges[:2]) == [tree.node(*one) for one in ranges[:2]]
    # The third lies in a full tile that nobody asked for yet.
    assert tree.remembered(ranges) is None
    assert read == []
    found = [tree.node(*one) for one in ranges]
    assert read == [(0, 0)]
    assert tree.remembered(ranges) == found
    assert read == [(0, 0)]


def test_what_memory_has_is_waited_for_by_nobody() -> None:
    held, done = threading.Event(), threading.Event()

    def load(_level: int, _number: int) -> bytes | None:
        held.set()
        done.wait(20)
        return None

    tree = TileTree(0, load)
    tree.extend(leaves(600))
    tree.settle()
    tree._full.clear()

    def reads() -> None:
        with pytest.raises(StoreCorruptError):
            tree.node(0, 1)

    reading = threading.Thread(target=reads)
    reading.start()
    held.wait(20)
    assert tree.remembered([(512, 513)]) is None
    done.set()
    reading.join()
    assert tree.remembered([(512, 513)]) == [tree.node(512, 513)]
