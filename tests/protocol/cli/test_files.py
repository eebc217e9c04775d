import os
import resource
import signal
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from workseal_protocol.cli import files
from workseal_protocol.cli.files import (
    MAX_BUNDLE_BYTES,
    fill_folder,
    read_bytes,
    read_secret_text,
    read_text,
    read_typed,
    require_empty_folder,
    require_new,
    write_new,
    write_new_secret,
)
from workseal_protocol.cli.problem import CommandError


@pytest.mark.parametrize("write", [write_new, write_new_secret])
def test_overwrites_nothing(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    file = tmp_path / "file"
    write(file, b"first")
    with pytest.raises(CommandError, match="exists already"):
        write(file, b"second")
    assert file.read_bytes() == b"first"


def test_does_not_follow_a_dangling_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CommandError, match="exists already"):
        write_new(link, b"x")
    with pytest.raises(CommandError, match="exists already"):
        require_new(link)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_secret_file_is_its_owners_alone_from_its_first_moment(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_new_secret(tmp_path / "secret", b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_refuses_a_secret_that_others_may_read(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text("x")
    file.chmod(mode)
    with pytest.raises(CommandError, match="may be read by others"):
        read_secret_text(file, what="key file")


def test_a_missing_file_a_folder_and_a_long_file_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(bytes(11))
    with pytest.raises(CommandError, match=r"cannot read the bundle .*: no such file"):
        read_bytes(tmp_path / "missing", limit=10, what="bundle")
    with pytest.raises(CommandError, match="is a directory"):
        read_bytes(tmp_path, limit=10, what="bundle")
    with pytest.raises(CommandError, match="more than 10 bytes"):
        read_bytes(tmp_path / "long", limit=10, what="bundle")


def test_reads_a_file_of_exactly_the_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(10))
    assert read_bytes(tmp_path / "file", limit=10, what="bundle") == bytes(10)


def test_refuses_text_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(CommandError, match="not UTF-8"):
        read_text(tmp_path / "file", what="policy")


def test_fills_a_new_folder_with_its_parts(tmp_path: Path) -> None:
    fill_folder(tmp_path / "new", {"a": b"1", "b/c.txt": b"2"})
    assert (tmp_path / "new" / "a").read_bytes() == b"1"
    assert (tmp_path / "new" / "b" / "c.txt").read_bytes() == b"2"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_what_it_fills_is_its_owners_alone(tmp_path: Path) -> None:
    fill_folder(tmp_path / "new", {"a": b"1", "b/c.txt": b"2"})
    modes = {
        path.stat().st_mode & 0o077 for path in [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    }
    assert modes == {0}


def test_refuses_a_folder_that_holds_anything(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(CommandError, match="not empty"):
        fill_folder(tmp_path, {"other": b"x"})
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_cannot_be_filled_is_left_as_it_was(tmp_path: Path, *, there: bool) -> None:
    """A part of a case would be taken for the whole, and a second try refused."""
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    parts = {"a": b"1", "b/c/d.txt": b"2", "b/e": b"3"}
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The last part is larger than a file may be here, as where the disk is full.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, room[1]))
    try:
        with pytest.raises(CommandError, match="cannot write"):
            fill_folder(folder, parts | {"z": bytes(9_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert folder.exists() is there
    assert [*tmp_path.rglob("*")] == [folder] * there
    fill_folder(folder, parts)
    assert sorted(path.name for path in folder.rglob("*")) == ["a", "b", "c", "d.txt", "e"]


def test_what_came_to_the_folder_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = files.write_new_secret

    def meanwhile(path: Path, data: bytes) -> None:
        (path.parent / "theirs").write_text("precious")
        write(path, data)

    monkeypatch.setattr(files, "write_new_secret", meanwhile)
    with pytest.raises(CommandError, match="exists already"):
        fill_folder(tmp_path / "new", {"a": b"1", "theirs": b"2"})
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["theirs"]
    assert (tmp_path / "new" / "theirs").read_text() == "precious"


def test_refuses_a_file_as_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CommandError, match="as a folder"):
        require_empty_folder(tmp_path / "file")


@pytest.mark.parametrize(
    "name", ["../out", "a/../../out", "/out", "a//b", "", ".", "c:out", "a\\b"]
)
def test_a_name_that_would_leave_the_folder_is_a_mistake_of_the_caller(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ValueError, match="below its folder"):
        fill_folder(tmp_path / "new", {name: b"x"})
    assert not (tmp_path / "out").exists()


def test_a_short_file_takes_no_room_for_a_long_one(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"short")
    tracemalloc.start()
    data = read_bytes(tmp_path / "short", limit=MAX_BUNDLE_BYTES, what="bundle")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data == b"short"
    assert peak < MAX_BUNDLE_BYTES / 64


def test_a_typed_text_is_read_without_what_an_editor_adds(tmp_path: Path) -> None:
    path = tmp_path / "typed"
    for saved, read in (
        (b"\xef\xbb\xbfone\r\ntwo", "one\ntwo\n"),
        (b"one\rtwo\n", "one\rtwo\n"),
        (b"", ""),
        ("one \ufeff\n".encode(), "one \ufeff\n"),
    ):
        path.write_bytes(saved)
        assert read_typed(path, what="text") == read
