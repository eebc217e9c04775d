import os
from pathlib import Path

import pytest

from workseal_agent.backupleft import LeftFiles, LeftFolders, alone

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


# Folders

README = b"Everything that is yours\n"


@pytest.fixture
def folders(note: Path) -> LeftFolders:
    return LeftFolders(note, "README.txt", README)


@pytest.mark.parametrize("data", [None, b"", README[:9], README])
def test_a_folder_that_was_left_is_removed_once(
    folders: LeftFolders, note: Path, tmp_path: Path, data: bytes | None
) -> None:
    part = folders.announce(tmp_path / "all")
    part.mkdir()
    if data is not None:
        (part / "README.txt").write_bytes(data)
    if data == README:
        (part / "frames").mkdir()
        (part / "frames" / "1.png").write_bytes(b"a picture")
    assert folders.remove() == 1
    assert folders.remove() == 0
    assert not part.exists()
    assert not note.exists()


def test_a_folder_that_is_none_of_ours_is_left_alone(folders: LeftFolders, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "README.txt").write_bytes(README)
    link, file, others, without, linked = (folders.announce(tmp_path / name) for name in "abcde")
    link.symlink_to(mine)
    file.write_bytes(README)
    for folder in (others, without, linked):
        folder.mkdir()
    (others / "README.txt").write_text("of somebody else")
    (without / "work").touch()
    (linked / "README.txt").symlink_to(mine / "README.txt")
    folders.remove()
    assert link.is_symlink()
    assert (mine / "README.txt").read_bytes() == file.read_bytes() == README
    assert (others / "README.txt").read_text() == "of somebody else"
    assert (without / "work").exists()
    assert linked.is_dir()


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    with alone(tmp_path / "lock") as first, alone(tmp_path / "lock") as second:
        assert (first, second) == (True, False)
    with alone(tmp_path / "lock") as third:
        assert third
