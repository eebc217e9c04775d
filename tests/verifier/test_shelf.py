"""Tiles in memory: so many, the one that is asked for least lately goes first."""

from workseal_verifier.services.shelf import Shelf


def test_keeps_levels_and_entries_apart() -> None:
    shelf: Shelf[tuple[int | None, int], bytes] = Shelf(4)
    shelf.put((0, 1), b"a")
    shelf.put((1, 1), b"b")
    shelf.put((None, 1), b"c")
    assert [shelf.get(place) for place in ((0, 1), (1, 1), (None, 1))] == [b"a", b"b", b"c"]
    assert shelf.get((0, 0)) is None


def test_makes_room_for_the_newest_and_keeps_what_was_asked_for() -> None:
    shelf: Shelf[tuple[int | None, int], bytes] = Shelf(2)
    shelf.put((0, 1), b"a")
    shelf.put((0, 2), b"b")
    assert shelf.get((0, 1)) == b"a"
    shelf.put((0, 3), b"c")
    assert shelf.get((0, 2)) is None
    assert [shelf.get((0, number)) for number in (1, 3)] == [b"a", b"c"]


def test_one_that_is_put_again_takes_no_second_place() -> None:
    shelf: Shelf[tuple[int | None, int], bytes] = Shelf(2)
    for _ in range(3):
        shelf.put((0, 1), b"a")
    shelf.put((0, 2), b"b")
    assert [shelf.get((0, number)) for number in (1, 2)] == [b"a", b"b"]
