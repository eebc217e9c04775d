"""What must outlive a command outlives it whole, or is not there at all."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.builders import CLIENT, make_offer
from workseal_protocol.cli.acting import keeping
from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.records import sign

if TYPE_CHECKING:
    from collections.abc import Callable

STATEMENT = sign(make_offer(), CLIENT)
OTHER = sign(make_offer(claimed_at=1), CLIENT)
CASE = Digest(bytes(32))


@pytest.fixture
def folder(tmp_path: Path) -> CaseFolder:
    return CaseFolder.beside(tmp_path / "client.key")


def test_what_was_signed_is_kept_once(folder: CaseFolder) -> None:
    folder.keep_unanswered("a case", STATEMENT)
    with pytest.raises(CommandError, match="another command acts in this case now"):
        folder.keep_unanswered("a case", OTHER)
    assert folder.unanswered("a case") == STATEMENT
    assert [path.name for path in folder.folder.iterdir()] == ["a case.unanswered"]
    assert (folder.folder / "a case.unanswered").stat().st_mode & 0o777 == 0o600


def test_where_a_disk_has_no_links_it_is_kept_once_too(
    folder: CaseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _part: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    test_what_was_signed_is_kept_once(folder)


@pytest.mark.parametrize("point", ["write", "link", "sync"])
def test_a_command_that_dies_leaves_a_whole_statement_or_none(
    folder: CaseFolder, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """However far it came, the next command finds what it can send, or nothing."""
    folder.told(CASE)
    folder.keep_told(CASE, b"")

    def die(*_words: object) -> None:
        raise KeyboardInterrupt

    def half(path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])
        raise KeyboardInterrupt

    places: dict[str, tuple[object, str, Callable[..., None]]] = {
        "write": (keeping, "write_new_secret", half),
        "link": (Path, "hardlink_to", die),
        "sync": (keeping, "sync_folder", die),
    }
    with monkeypatch.context() as patch:
        place, name, dies = places[point]
        patch.setattr(place, name, dies)
        with pytest.raises(KeyboardInterrupt):
            folder.keep_unanswered("a case", STATEMENT)
    kept = folder.unanswered("a case")
    assert kept == (STATEMENT if point == "sync" else None)
    assert folder.is_kept("a case") is (kept is not None)
    if kept is None:
        folder.keep_unanswered("a case", OTHER)


def test_a_folder_that_others_may_use_is_refused(folder: CaseFolder) -> None:
    folder.keep_unanswered("a case", STATEMENT)
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    folder.folder.chmod(0o750)
    for use in (
        lambda: folder.unanswered("a case"),
        lambda: folder.keep_told(CASE, b"x"),
        lambda: folder.new_secret(CASE),
    ):
        with pytest.raises(CommandError, match="may be used by others; run: chmod 700"):
            use()
    folder.folder.chmod(0o700)
    assert folder.unanswered("a case") == STATEMENT


def test_the_name_of_a_new_folder_and_of_a_new_key_is_on_disk(
    folder: CaseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a power cut could leave what was sent, and nothing that says so."""
    synced: list[Path] = []
    monkeypatch.setattr(keeping, "sync_folder", synced.append)
    folder.new_case_key(CASE, folder.case_key_file(CASE))
    # The folder, the key, and the note of whose key it is.
    own = folder.folder.absolute()
    assert synced == [own.parent, own, own]


def test_a_key_is_of_one_case_wherever_it_lies(folder: CaseFolder, tmp_path: Path) -> None:
    other, elsewhere = Digest(bytes([1]) * 32), tmp_path / "stick.key"
    assert folder.made_case_key(CASE, elsewhere) is None
    private = folder.new_case_key(CASE, elsewhere)
    assert folder.made_case_key(CASE, elsewhere) == private
    with pytest.raises(CommandError, match="was not made for this case"):
        folder.made_case_key(other, elsewhere)
    # Under the name of a case, too, if it is known to be another's.
    folder.new_case_key(other, folder.case_key_file(other))
    folder.case_key_file(other).unlink()
    folder.case_key_file(other).write_bytes(elsewhere.read_bytes())
    folder.case_key_file(other).chmod(0o600)
    with pytest.raises(CommandError, match="was not made for this case"):
        folder.made_case_key(other, folder.case_key_file(other))


def test_a_key_of_a_command_that_was_stopped_before_its_note_is_used(folder: CaseFolder) -> None:
    path = folder.case_key_file(CASE)
    private = folder.new_case_key(CASE, path)
    (folder.folder / f"{CASE}.made").unlink()
    assert folder.made_case_key(CASE, path) == private
