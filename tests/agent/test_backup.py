import errno
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from support.homes import WORDS, RigHome, by_words
from support.places import PLACES, Place
from support.vaults import PUBLIC, file_of
from workseal_agent import backup
from workseal_agent.backup import (
    BackupError,
    Saved,
    remove_unfinished_backups,
    write_backup,
)
from workseal_agent.backupleft import alone
from workseal_agent.ledger import Ledger
from workseal_agent.restore import restore_home
from workseal_agent.vaultfile import open_object_file


@pytest.fixture
def home(tmp_path: Path) -> RigHome:
    return RigHome(tmp_path / "home")


def save(home: RigHome, out: Path, **more: object) -> Saved:
    return write_backup(home.settings, home.ledger, PUBLIC, out, by_words, **more)  # type: ignore[arg-type]


def test_a_backup_is_one_private_file_of_a_padded_length(home: RigHome, tmp_path: Path) -> None:
    saved = save(home, tmp_path / "b")
    assert (saved.objects, saved.frames) == (5, 5)
    assert saved.octets == (tmp_path / "b").stat().st_size
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b", "home"]
    assert not any("part" in one.name for one in home.settings.home.iterdir())


def test_nothing_of_the_home_is_readable_in_it(home: RigHome, tmp_path: Path) -> None:
    save(home, tmp_path / "b")
    data = (tmp_path / "b").read_bytes()
    for word in (b"SQLite", b"vault/", b"WSVAULT", home.keystore.signing_public, b"ustar"):
        assert word not in data


def test_never_takes_a_files_place(home: RigHome, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(BackupError, match="exists already"):
        save(home, tmp_path / "b")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(BackupError, match="exists already"):
        save(home, tmp_path / "link")
    assert (tmp_path / "b").read_text() == "mine"


def test_what_happens_meanwhile_is_in_it_or_not_but_never_half(
    home: RigHome, tmp_path: Path
) -> None:
    """While objects are being saved, frames are taken and withdrawn, saved ones and others."""
    turns = []

    def meanwhile(*_: int) -> None:
        turns.append(1)
        if len(turns) == 2:
            for place in (1, 3, 5):
                home.withdraw(place)
            home.work(30)
        if len(turns) == 6:
            home.work(20)
            home.withdraw(7)

    save(home, tmp_path / "b", progress=meanwhile)
    made = restore_home(tmp_path / "b", tmp_path / "new", WORDS)
    assert made.vault.problems == ()
    with Ledger(tmp_path / "new" / "ledger.sqlite") as ledger:
        rows = ledger.captures(home.rig.engagement.id)
    assert made.vault.frames == sum(not row.withdrawn for row in rows)
    assert len(list((tmp_path / "new" / "vault").iterdir())) == made.vault.objects
    # What was withdrawn before the copy of the ledger is in no restored vault.
    assert {row.number for row in rows if row.withdrawn} >= {1, 3, 5}


def test_a_frame_that_is_destroyed_while_it_is_read_is_left_out(
    home: RigHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backup._add
    done: list[str] = []

    def adding(archive: tarfile.TarFile, name: str, path: Path) -> bool:
        if not name.startswith("vault/") or done:
            return real(archive, name, path)
        done.append(name)
        member = tarfile.TarInfo(name)
        member.size = path.stat().st_size
        # Opened whole, read when its key is overwritten already.
        with path.open("rb", buffering=0) as file:
            (row,) = [
                row
                for row in home.ledger.captures(home.rig.engagement.id)
                if file_of(home.settings.vault_folder, row.commitment) == path
            ]
            home.withdraw(row.number)
            archive.addfile(member, file)
        return True

    monkeypatch.setattr(backup, "_add", adding)
    save(home, tmp_path / "b")
    made = restore_home(tmp_path / "b", tmp_path / "new", WORDS)
    assert (made.vault.frames, made.vault.problems) == (4, ())


def test_what_the_vault_lost_is_named_and_everything_else_is_saved(
    home: RigHome, tmp_path: Path
) -> None:
    row = home.ledger.captures(home.rig.engagement.id)[2]
    file_of(home.settings.vault_folder, row.commitment).unlink()
    for out in (tmp_path / "b", tmp_path / "later"):
        saved = save(home, out)
        (lost,) = saved.lost
        assert lost.name.startswith(f"frame {row.number} of engagement ")
        assert lost.text == "it is missing in the vault"
        assert (saved.frames, saved.objects) == (4, 4)
    made = restore_home(tmp_path / "b", tmp_path / "new", WORDS)
    assert [(one.name, one.text) for one in made.vault.problems] == [
        (lost.name, "the frame is missing")
    ]


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_in_a_frames_place_is_not_saved_and_holds_up_nothing(
    home: RigHome, tmp_path: Path, place: Place
) -> None:
    row = home.ledger.captures(home.rig.engagement.id)[2]
    path = file_of(home.settings.vault_folder, row.commitment)
    place(path, path.rename(tmp_path / "elsewhere"))
    saved = save(home, tmp_path / "b")
    assert [one.text for one in saved.lost] == ["it is missing in the vault"]
    assert (saved.frames, saved.objects) == (4, 4)


def test_a_frame_that_the_disk_does_not_give_costs_only_itself(
    home: RigHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = home.ledger.captures(home.rig.engagement.id)[2]
    bad = file_of(home.settings.vault_folder, row.commitment)
    real = open_object_file

    class BadDisk(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if self.tell() > 512:
                raise OSError(errno.EIO, "Input/output error")
            return data or b""

    def opening(path: Path) -> object:
        return BadDisk(path) if path == bad else real(path)

    with monkeypatch.context() as patch:
        patch.setattr(backup, "open_object_file", opening)
        saved = save(home, tmp_path / "b")
    assert [one.text for one in saved.lost] == ["the disk does not give all of it"]
    assert (saved.frames, saved.objects) == (4, 5)
    made = restore_home(tmp_path / "b", tmp_path / "new", WORDS)
    assert [one.name for one in made.vault.problems] == [saved.lost[0].name]


def test_a_home_without_readable_keys_is_not_saved(
    home: RigHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def opening(path: Path, *args: str, **more: object) -> object:
        if path == home.settings.keys_file:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opening)
    with pytest.raises(BackupError, match="keys of this home cannot be read"):
        save(home, tmp_path / "b")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["home"]


def test_the_owners_list_of_names_is_in_it(home: RigHome, tmp_path: Path) -> None:
    home.settings.names_file.write_text("Confidentia\n")
    save(home, tmp_path / "b")
    assert b"Confidentia" not in (tmp_path / "b").read_bytes()
    restore_home(tmp_path / "b", tmp_path / "new", WORDS)
    assert (tmp_path / "new" / "names").read_text() == "Confidentia\n"
    assert stat.S_IMODE((tmp_path / "new" / "names").stat().st_mode) == 0o600


def test_a_full_disk_leaves_nothing(
    home: RigHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BackupError, match="No space left"):
            save(home, tmp_path / "b")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["home"]


def test_one_backup_at_a_time(home: RigHome, tmp_path: Path) -> None:
    refused = []

    def again(*_: int) -> None:
        with pytest.raises(BackupError, match="another backup") as caught:
            save(home, tmp_path / "other")
        refused.append(caught)

    save(home, tmp_path / "b", progress=again)
    assert len(refused) == 5
    assert (tmp_path / "b").exists()
    # What was broken off is removed by the next one.
    left = home.settings.home / "backup.part"
    left.mkdir()
    (left / "ledger.sqlite").write_text("half")
    save(home, tmp_path / "c")
    assert not left.exists()


def test_memory_is_bounded_whatever_the_size(home: RigHome, tmp_path: Path) -> None:
    big = home.settings.vault_folder / min(one.name for one in home.settings.vault_folder.iterdir())
    with big.open("r+b") as file:
        file.truncate(1 << 26)
    tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    save(home, tmp_path / "b")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "b").stat().st_size > 1 << 26
    assert peak - before < 1 << 23


# A process that is killed at a place of a backup. Its verifier is not needed: nothing is sent.
KILLED = """
import os, signal, sys
from pathlib import Path
from workseal_agent import backup, backupfile
from workseal_agent.backupfile import TypedDoor
from workseal_agent.config import Settings
from workseal_agent.keystore import Cost, SlotKind
from workseal_agent.ledger import Ledger
place, home, out, public, words = sys.argv[1:]
real = getattr(backup, place)
def die(*given):
    if place == "_add" and not given[1].startswith("vault/"):
        return real(*given)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(backup, place, die)
settings = Settings(Path(home))
door = lambda key: TypedDoor.seal(SlotKind.WORDS, words, key, Cost())
with Ledger(settings.ledger_file) as ledger:
    backup.write_backup(settings, ledger, bytes.fromhex(public), Path(out), door)
"""


@pytest.mark.parametrize("place", ["start_backup", "_copied", "_add", "end_backup", "_sync_folder"])
def test_what_a_killed_backup_left_is_removed_by_the_next(
    home: RigHome, tmp_path: Path, place: str
) -> None:
    for name in ("drive", "other"):
        (tmp_path / name).mkdir()
    mine = tmp_path / "drive" / "monday-0000000000000000.part"
    mine.write_bytes(b"mine")
    files = (str(home.settings.home), str(tmp_path / "drive" / "monday"))
    words = [place, *files, PUBLIC.hex(), WORDS]
    ended = subprocess.run([sys.executable, "-c", KILLED, *words], check=False)
    assert ended.returncode == -signal.SIGKILL
    left = {one.name for one in (tmp_path / "drive").iterdir()} - {mine.name}
    whole = place == "_sync_folder"  # it has its name by then
    assert len(left) == 1
    assert (left == {"monday"}) is whole
    save(home, tmp_path / "other" / "tuesday")
    kept = {mine.name, "monday"} if whole else {mine.name}
    assert {one.name for one in (tmp_path / "drive").iterdir()} == kept
    assert [one.name for one in (tmp_path / "other").iterdir()] == ["tuesday"]
    assert not home.settings.left_file.exists()
    for file in ((tmp_path / "drive" / "monday"), (tmp_path / "other" / "tuesday")):
        if file.exists():
            restore_home(file, tmp_path / f"from-{file.name}", WORDS)


def test_what_a_killed_backup_left_is_removed_without_another_one(
    home: RigHome, tmp_path: Path
) -> None:
    words = ["_add", str(home.settings.home), str(tmp_path / "monday"), PUBLIC.hex(), WORDS]
    ended = subprocess.run([sys.executable, "-c", KILLED, *words], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.glob("monday-*.part"))
    assert home.settings.backup_scratch_folder.is_dir()
    with alone(home.settings.backup_lock_file):
        assert remove_unfinished_backups(home.settings) == 0
        assert list(tmp_path.glob("monday-*.part"))
        assert home.settings.backup_scratch_folder.is_dir()
    assert remove_unfinished_backups(home.settings) == 1
    assert not list(tmp_path.glob("monday-*.part"))
    assert not home.settings.backup_scratch_folder.exists()
    assert remove_unfinished_backups(home.settings) == 0
