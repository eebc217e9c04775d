import io
import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support.homes import WORDS, RigHome, by_words
from support.vaults import PRIVATE, PUBLIC, file_of
from workseal_agent import restore
from workseal_agent.backup import write_backup
from workseal_agent.backupfile import end_backup, start_backup
from workseal_agent.chain import OwnChain, OwnChainError
from workseal_agent.config import Settings
from workseal_agent.errors import AgentError, WrongPassphraseError
from workseal_agent.ledger import Ledger
from workseal_agent.restore import RestoreError, restore_home
from workseal_agent.sealedstream import SealedStreamError
from workseal_agent.vault import VaultReader
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import SeedSigner


@pytest.fixture
def home(tmp_path: Path) -> RigHome:
    return RigHome(tmp_path / "home")


@pytest.fixture
def backup(home: RigHome, tmp_path: Path) -> Path:
    write_backup(home.settings, home.ledger, PUBLIC, tmp_path / "b", by_words)
    return tmp_path / "b"


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "ledger" not in path.name and path.suffix != ".lock"
    }


def test_a_restored_home_is_the_home(home: RigHome, backup: Path, tmp_path: Path) -> None:
    new = tmp_path / "somewhere" / "new"
    made = restore_home(backup, new, WORDS)
    assert (made.vault.frames, made.vault.problems) == (5, ())
    assert made.engagements == (home.rig.engagement.id,)
    assert files(new) == files(home.settings.home)
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in new.rglob("*") if one.is_file()} == {0o600}
    with Ledger(new / "ledger.sqlite") as ledger:
        bodies = [one.body for one in ledger.chain(home.rig.engagement.id)]
    assert bodies == [one.body for one in home.ledger.chain(home.rig.engagement.id)]
    assert made.statements == home.ledger.counts(home.rig.engagement.id).statements > len(bodies)
    assert [one.name for one in new.parent.iterdir()] == ["new"]


def test_a_restored_home_signs_nothing_before_it_caught_up(
    home: RigHome, backup: Path, tmp_path: Path
) -> None:
    restore_home(backup, tmp_path / "new", WORDS)
    signer = SeedSigner(home.keystore.unlock_seed(WORDS))
    with Ledger(tmp_path / "new" / "ledger.sqlite") as ledger:
        chain = OwnChain(ledger, home.rig.engagement, signer)
        with pytest.raises(OwnChainError, match="catch-up"):
            chain.append(lambda _: pytest.fail("something was signed"))


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(lambda path: path.write_text("mine"), id="a file"),
        pytest.param(lambda path: (path.mkdir(), (path / "mine").touch()), id="a folder in use"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link"),
    ],
)
def test_nothing_is_written_over(
    backup: Path, tmp_path: Path, there: Callable[[Path], object]
) -> None:
    new = tmp_path / "new"
    there(new)
    before = sorted(one.name for one in tmp_path.iterdir())
    with pytest.raises(RestoreError, match="never written over"):
        restore_home(backup, new, WORDS)
    assert sorted(one.name for one in tmp_path.iterdir()) == before


def test_an_empty_folder_may_become_the_home(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert restore_home(backup, tmp_path / "new", WORDS).vault.frames == 5


def test_a_wrong_passphrase_or_a_damaged_file_leaves_nothing(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    middle = len(whole) // 2
    for data, typed, error in (
        (whole, "another passphrase", WrongPassphraseError),
        (whole[:-1], WORDS, SealedStreamError),
        (whole[: -len(whole) // 3], WORDS, SealedStreamError),
        (whole + b"x", WORDS, SealedStreamError),
        (whole[:middle] + b"x" + whole[middle + 1 :], WORDS, SealedStreamError),
        (b"no backup", WORDS, MalformedError),
    ):
        backup.write_bytes(data)
        with pytest.raises(error):
            restore_home(backup, tmp_path / "new", typed)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "home"]


def packed(out: Path, members: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    """Write a backup of anything, as somebody with the passphrase could."""
    with out.open("wb") as file:
        stream = start_backup(file, by_words)
        with tarfile.open(fileobj=stream, mode="w|") as archive:  # type: ignore[call-overload]
            for name, data in members.items():
                member = tarfile.TarInfo(name)
                member.size, member.type = len(data), kind
                archive.addfile(member, io.BytesIO(data))
        end_backup(stream)
    return out


@pytest.mark.parametrize(
    "name",
    [
        "../keys",
        "/keys",
        "keys/../x",
        "vault/../keys",
        "vault/x",
        "control.sock",
        "vault/" + "F" * 32,
    ],
)
def test_refuses_names_that_are_not_of_a_home(tmp_path: Path, name: str) -> None:
    made = packed(tmp_path / "b", {name: b"x"})
    with pytest.raises(RestoreError, match="not of a home"):
        restore_home(made, tmp_path / "new", WORDS)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE]
)
def test_refuses_what_is_no_file(tmp_path: Path, kind: bytes) -> None:
    made = packed(tmp_path / "b", {"keys": b""}, kind)
    with pytest.raises(RestoreError, match="not of a home"):
        restore_home(made, tmp_path / "new", WORDS)


def gnu_sparse(size: int) -> bytes:
    """Make a member that is one hole of this size, in GNU's old form."""
    member = tarfile.TarInfo("vault/" + "0" * 32)
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    for at, number in ((386, size), (398, 0), (483, size)):
        header[at : at + 12] = b"%011o\0" % number
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def pax_sparse(size: int) -> bytes:
    """Make the same in the form of pax."""
    member = tarfile.TarInfo("vault/" + "0" * 32)
    member.pax_headers = {"GNU.sparse.map": f"{size},0", "GNU.sparse.size": str(size)}
    return member.tobuf(tarfile.PAX_FORMAT)


@pytest.mark.parametrize("make", [gnu_sparse, pax_sparse])
def test_refuses_a_member_that_is_a_hole_before_a_byte_of_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[int], bytes]
) -> None:
    """A few bytes of it would fill a disk."""
    with (tmp_path / "b").open("wb") as file:
        stream = start_backup(file, by_words)
        stream.write(make(1 << 30) + bytes(10_240))
        end_backup(stream)
    monkeypatch.setattr(restore, "_write", lambda *_: pytest.fail("something is written"))
    with pytest.raises(RestoreError, match="not of a home"):
        restore_home(tmp_path / "b", tmp_path / "new", WORDS)


def test_refuses_the_same_file_twice(tmp_path: Path) -> None:
    with (tmp_path / "b").open("wb") as file:
        stream = start_backup(file, by_words)
        with tarfile.open(fileobj=stream, mode="w|") as archive:  # type: ignore[call-overload]
            for _ in range(2):
                member = tarfile.TarInfo("keys")
                archive.addfile(member, io.BytesIO(b""))
        end_backup(stream)
    with pytest.raises(RestoreError, match="File exists"):
        restore_home(tmp_path / "b", tmp_path / "new", WORDS)


def test_nothing_counts_before_the_end_was_read(home: RigHome, tmp_path: Path) -> None:
    with (tmp_path / "b").open("wb") as file:
        stream = start_backup(file, by_words)
        with tarfile.open(fileobj=stream, mode="w|") as archive:  # type: ignore[call-overload]
            archive.add(home.settings.keys_file, "keys")
        stream.write(bytes(200_000) + b"something after the archive")
        end_backup(stream)
    with pytest.raises(SealedStreamError, match="goes on"):
        restore_home(tmp_path / "b", tmp_path / "new", WORDS)


def test_a_backup_that_is_not_whole_makes_no_home(home: RigHome, tmp_path: Path) -> None:
    keys = home.settings.keys_file.read_bytes()
    copy = tmp_path / "copy"
    home.ledger.snapshot(copy)
    for members, sentence in (
        ({"keys": keys}, "no ledger"),
        ({"ledger.sqlite": copy.read_bytes()}, "cannot be read"),
        ({"keys": b"x", "ledger.sqlite": b""}, "damaged"),
    ):
        made = packed(tmp_path / "b", members)
        with pytest.raises(AgentError, match=sentence):
            restore_home(made, tmp_path / "new", WORDS)
        assert not (tmp_path / "new").exists()


def test_damaged_and_missing_objects_cost_nothing_but_themselves(
    home: RigHome, backup: Path, tmp_path: Path
) -> None:
    rows = home.ledger.captures(home.rig.engagement.id)
    rotten = file_of(home.settings.vault_folder, rows[1].commitment)
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"x")
    backup.unlink()
    write_backup(home.settings, home.ledger, PUBLIC, backup, by_words)
    made = restore_home(backup, tmp_path / "new", WORDS)
    (problem,) = made.vault.problems
    assert problem.name.startswith(f"frame {rows[1].number} of engagement ")
    reader = VaultReader(tmp_path / "new" / "vault", PRIVATE)
    assert reader.commitments() == tuple(sorted(row.commitment for row in rows if row != rows[1]))
    # What was damaged is kept as it is: perhaps another copy helps to mend it.
    assert files(tmp_path / "new") == files(home.settings.home)
    # The restored home is saved again.
    with Ledger(tmp_path / "new" / "ledger.sqlite") as ledger:
        write_backup(Settings(tmp_path / "new"), ledger, PUBLIC, tmp_path / "again", by_words)
    again = restore_home(tmp_path / "again", tmp_path / "third", WORDS)
    assert again.vault.problems == made.vault.problems


# A process that ends without a word at a place of a restore, as by SIGKILL.
KILLED = """
import os, sys
from pathlib import Path
from workseal_agent import restore
place, backup, home, words = sys.argv[1:]
setattr(restore, place, lambda *_: os._exit(9))
restore.restore_home(Path(backup), Path(home), words)
"""


@pytest.mark.parametrize("place", ["_write", "_checked", "_drop_unnamed", "_sync"])
def test_a_restore_that_is_killed_leaves_no_home_that_signs(
    home: RigHome, backup: Path, tmp_path: Path, place: str
) -> None:
    words = [sys.executable, "-c", KILLED, place, str(backup), str(tmp_path / "new"), WORDS]
    assert subprocess.run(words, check=False).returncode == 9
    (left,) = tmp_path.glob("new-*.part")
    if (left / "ledger.sqlite").exists():
        with Ledger(left / "ledger.sqlite") as ledger:
            assert ledger.is_restored(home.rig.engagement.id)
    mine = tmp_path / "new-00000000.part"
    mine.mkdir()
    restore_home(backup, tmp_path / "new", WORDS)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "home", "new", mine.name]


def test_leaves_a_restore_alone_that_still_runs(backup: Path, tmp_path: Path) -> None:
    again: list[int] = []

    def meanwhile(_: int) -> None:
        if not again:
            again.append(1)
            restore_home(backup, tmp_path / "new", WORDS)

    with pytest.raises(RestoreError, match="is there already"):
        restore_home(backup, tmp_path / "new", WORDS, progress=meanwhile)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "home", "new"]


def test_a_disk_that_fails_leaves_nothing(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RestoreError, match="No space left"):
            restore_home(backup, tmp_path / "new", WORDS)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "home"]
