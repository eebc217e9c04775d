import stat
from pathlib import Path

import pytest

from workseal_protocol.keys import Algorithm
from workseal_protocol.note import NoteType
from workseal_witness.errors import HomeError
from workseal_witness.home import Home, create, opened, witness_of

NAME = "witness.example/w1"


def test_makes_private_files_and_keys_of_its_own(home: Home) -> None:
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    files = [path for path in home.folder.iterdir() if path.is_file()]
    assert len(files) >= 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    with opened(home) as state:
        assert [key.type for key in state.keys] == [
            NoteType.COSIGNATURE,
            NoteType.MLDSA_COSIGNATURE,
        ]
        assert {key.name for key in state.keys} == {NAME}


def test_one_key_is_the_default(tmp_path: Path) -> None:
    home = Home(tmp_path / "w")
    create(home, NAME)
    with opened(home) as state:
        assert [key.type for key in state.keys] == [NoteType.COSIGNATURE]
        witness_of(home, state)


def test_overwrites_nothing(home: Home) -> None:
    before = {path: path.read_bytes() for path in home.folder.glob("*.*")}
    with pytest.raises(HomeError, match="not empty"):
        create(home, "another.example/w")
    assert {path: path.read_bytes() for path in before} == before


def test_refuses_a_name_that_no_key_may_have_and_makes_nothing(tmp_path: Path) -> None:
    for name in ("", "two words", "a+b"):
        with pytest.raises(ValueError, match="key name"):
            create(Home(tmp_path / "w"), name)
    assert list(tmp_path.iterdir()) == []


def test_a_key_whose_memory_is_gone_signs_no_more(home: Home) -> None:
    home.database.unlink()
    with pytest.raises(HomeError, match="signs no more"), opened(home):
        pass
    assert not home.database.exists()


def test_no_home_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="init"), opened(Home(tmp_path / "none")):
        pass


def test_refuses_another_key_than_the_memory_belongs_to(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    create(other, NAME)
    for one in (home, other):
        one.key_file(Algorithm.EDDSA).chmod(0o600)
    home.key_file(Algorithm.EDDSA).write_bytes(other.key_file(Algorithm.EDDSA).read_bytes())
    with opened(home) as state, pytest.raises(HomeError, match="another key"):
        witness_of(home, state)


def test_refuses_to_run_without_the_folder_of_marks(home: Home) -> None:
    home.marks.rmdir()
    with opened(home) as state, pytest.raises(HomeError, match="no older copy"):
        witness_of(home, state)
