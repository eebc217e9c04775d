from pathlib import Path

import pytest

from workseal_protocol.digest import Digest
from workseal_protocol.witness import NOTHING_SEEN, Seen
from workseal_witness.errors import HomeError, RestoredError
from workseal_witness.marks import Marks

ORIGIN = "log.example/1"


def seen(size: int, word: bytes = b"root") -> Seen:
    return Seen(size, Digest.of(word))


def test_a_log_without_a_mark_may_begin(tmp_path: Path) -> None:
    Marks(tmp_path).require_reached(ORIGIN, NOTHING_SEEN)


def test_refuses_what_is_behind_and_what_differs(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.move(ORIGIN, seen(7))
    marks.require_reached(ORIGIN, seen(7))
    marks.require_reached(ORIGIN, seen(8, b"grown"))
    marks.require_reached("another.example/1", NOTHING_SEEN)
    with pytest.raises(RestoredError, match=r"up to size 7, and its database ends at 6"):
        marks.require_reached(ORIGIN, seen(6))
    with pytest.raises(RestoredError, match="another tree"):
        marks.require_reached(ORIGIN, seen(7, b"fork"))


def test_a_mark_never_goes_back(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    for size in (7, 100, 9):
        marks.move(ORIGIN, seen(size))
    with pytest.raises(RestoredError, match="size 100"):
        Marks(tmp_path).require_reached(ORIGIN, seen(99))
    (only,) = tmp_path.iterdir()
    assert only.stat().st_mode & 0o777 == 0o600


def test_a_mark_that_is_being_made_is_none(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.move(ORIGIN, seen(7))
    (only,) = tmp_path.iterdir()
    only.write_bytes(b"")
    marks.require_reached(ORIGIN, NOTHING_SEEN)


def test_a_damaged_mark_is_one_sentence(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.move(ORIGIN, seen(7))
    (only,) = tmp_path.iterdir()
    only.write_bytes(b"7 nonsense\n")
    with pytest.raises(HomeError, match="is damaged"):
        marks.require_reached(ORIGIN, seen(7))


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="cannot be written"):
        Marks(tmp_path / "gone").move(ORIGIN, seen(7))
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="cannot be read"):
        Marks(tmp_path / "file").require_reached(ORIGIN, seen(7))
