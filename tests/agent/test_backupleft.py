import os
from pathlib import Path

import pytest

from workseal_agent.backupleft import LeftFiles

MAGIC = b"MAGIC\x01"


@pytest.fixture
def note(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "backup.left"


@pytest.fixture
def left(note: Path) -> LeftFiles:
    return LeftFiles(note, MAGIC)


@pytest.mark.parametrize("data", [b"", b"MAG", MAGIC, MAGIC + b"and what follows"])
def test_what_was_left_is_removed_once(
    left: LeftFiles, note: Path, tmp_path: Path, data: bytes
) -> None:
    part = left.announce(tmp_path / "b")
    part.write_bytes(data)
    assert left.remove() == 1
    assert left.remove() == 0
    assert not part.exists()
    assert not note.exists()


def test_a_name_is_noted_before_there_is_a_file(left: LeftFiles, tmp_path: Path) -> None:
    part = left.announce(tmp_path / "b")
    assert not part.exists()
    assert part.name.startswith("b-")
    assert part.suffix == ".part"
    assert left.remove() == 0


def test_what_is_finished_is_noted_no_more(left: LeftFiles, note: Path, tmp_path: Path) -> None:
    first, second = left.announce(tmp_path / "b"), left.announce(tmp_path / "c")
    first.touch()
    left.finish(first)
    assert not first.exists()
    second.touch()
    assert left.remove() == 1
    assert not note.exists()


def test_only_what_was_noted_is_removed(left: LeftFiles, tmp_path: Path) -> None:
    others = [tmp_path / f"b-{number:016x}.part" for number in range(3)]
    for one in others:
        one.write_bytes(MAGIC)
    left.announce(tmp_path / "b").write_bytes(MAGIC)
    assert left.remove() == 1
    assert all(one.exists() for one in others)


def test_what_lies_there_now_and_is_no_backup_is_left_alone(
    left: LeftFiles, tmp_path: Path
) -> None:
    target = tmp_path / "mine"
    target.write_bytes(MAGIC)
    link, folder, pipe, text = (left.announce(tmp_path / name) for name in "abcd")
    link.symlink_to(target)
    folder.mkdir()
    os.mkfifo(pipe)
    text.write_text("mine")
    left.remove()
    assert link.is_symlink()
    assert folder.is_dir()
    assert pipe.exists()
    assert text.read_text() == "mine"
    assert target.read_bytes() == MAGIC


def test_a_file_of_somebody_else_is_left_alone(
    left: LeftFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = left.announce(tmp_path / "b")
    part.write_bytes(MAGIC)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert left.remove() == 0
    assert part.exists()


def test_a_drive_that_is_away_is_asked_again(left: LeftFiles, note: Path, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    left.announce(drive / "b").write_bytes(MAGIC)
    drive.rename(tmp_path / "away")
    assert left.remove() == 0
    assert note.exists()
    (tmp_path / "away").rename(drive)
    assert left.remove() == 1
    assert not list(drive.iterdir())


def test_the_note_does_not_grow(left: LeftFiles, note: Path, tmp_path: Path) -> None:
    for number in range(40):
        left.announce(tmp_path / "away" / str(number))
    assert note.stat().st_size < 16 * (len(str(tmp_path)) + 64)


@pytest.mark.parametrize("data", [b"", b"junk", b"\x81\x05", b"\x05", b"\x81\x41x"])
def test_a_note_that_cannot_be_read_removes_nothing(
    left: LeftFiles, note: Path, tmp_path: Path, data: bytes
) -> None:
    note.write_bytes(data)
    assert left.remove() == 0
    part = left.announce(tmp_path / "b")
    part.write_bytes(MAGIC)
    assert left.remove() == 1
