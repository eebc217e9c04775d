import os
from pathlib import Path

import pytest

from support.places import PLACES, Place
from support.vaults import PRIVATE, PUBLIC, file_of, make
from workseal_agent.errors import VaultError
from workseal_agent.vault import VaultReader, VaultWriter, examine_outside, vault_size
from workseal_agent.vaultfile import NoObjectError, open_object_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Keep one frame; give its file."""
    VaultWriter(tmp_path / "vault", PUBLIC).put_frame(*make(0))
    return file_of(tmp_path / "vault", make(0)[1])


def replaced(path: Path, place: Place) -> Path:
    """Put something else in a frame's place; give where the frame is now."""
    whole = path.rename(path.parent.parent / "elsewhere")
    place(path, whole)
    return whole


def test_a_file_is_opened_to_read_and_to_write(path: Path) -> None:
    with open_object_file(path, write=True) as file:
        file.write(b"x")
    with open_object_file(path) as file:
        assert file.read(2) == b"xS"


def test_what_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_object_file(tmp_path / "nothing")


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_but_a_file_is_opened(path: Path, place: Place, write: bool) -> None:  # noqa: FBT001
    replaced(path, place)
    opened = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(NoObjectError):
        open_object_file(path, write=write)
    assert len(list(Path("/proc/self/fd").iterdir())) == opened


@pytest.mark.parametrize("place", PLACES)
def test_what_takes_the_place_between_look_and_opening_is_not_opened(
    path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = path.lstat()
    replaced(path, place)
    monkeypatch.setattr(Path, "lstat", lambda _: was)
    with pytest.raises(NoObjectError):
        open_object_file(path)


@pytest.mark.parametrize("place", PLACES)
def test_a_reader_and_a_check_name_it_and_go_on(path: Path, place: Place) -> None:
    whole = replaced(path, place)
    VaultWriter(path.parent, PUBLIC).put_frame(*make(1))
    reader = VaultReader(path.parent, PRIVATE)
    with pytest.raises(VaultError, match="not a vault object"):
        reader.frame(make(0)[1])
    with pytest.raises(VaultError, match="not a vault object"):
        examine_outside(path.parent, path.name)
    report = reader.check()
    assert report.frames == {make(1)[1]}
    assert [(one.name, one.text) for one in report.problems] == [(path.name, "not a vault object")]
    # A link counts as what it is, and not as what it leads to.
    assert vault_size(path.parent) < 2 * whole.stat().st_size


@pytest.mark.parametrize("place", PLACES)
def test_destroying_writes_to_nothing_else(path: Path, place: Place) -> None:
    whole = replaced(path, place)
    before = whole.read_bytes()
    with pytest.raises(VaultError, match="it is not a file"):
        VaultWriter(path.parent, PUBLIC).destroy(make(0)[1])
    assert whole.read_bytes() == before
    assert os.path.lexists(path)
