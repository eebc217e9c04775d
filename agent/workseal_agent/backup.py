"""Writing a backup of a home while it may be recording: keys, settings, ledger, vault objects.

Rules: memory is bounded by a chunk, whatever the home's size. The ledger is a copy of one moment,
and each object that it names is in the file, or named to the caller as lost. The file appears
whole or not at all. The witness is left out: what it saw must never go back in time.
"""

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from workseal_agent.backupfile import MAGIC, Door, end_backup, start_backup
from workseal_agent.backupleft import LeftFiles, alone
from workseal_agent.config import Settings
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Ledger
from workseal_agent.vault import VaultProblem
from workseal_agent.vaultcheck import Expected, expected_objects
from workseal_agent.vaultfile import NoObjectError, open_object_file

KEYS, CONFIG, NAMES = "keys", "config.toml", "names"
LEDGER, VAULT = "ledger.sqlite", "vault/"
# Each pass saves what came while the one before ran: the second has almost nothing to do.
_PASSES = 8

Progress = Callable[[int, int], None]


class BackupError(AgentError):
    """Say why no backup was written; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Count what is in a backup, and how long the file is; `lost` names what is not whole in it.

    A frame that cannot be read to its end counts as lost; what of it can be read is in the file.
    """

    objects: int
    frames: int
    octets: int
    lost: tuple[VaultProblem, ...]


def write_backup(
    settings: Settings,
    ledger: Ledger,
    public: bytes,
    out: Path,
    make_door: Callable[[bytes], Door],
    *,
    progress: Progress = lambda _done, _all: None,
) -> Saved:
    """Write one file that holds the home; it may be recording meanwhile."""
    if os.path.lexists(out):
        raise BackupError(
            phrase("{out} exists already; a backup never takes a file's place", out=out)
        )
    left = LeftFiles(settings.left_file, MAGIC)
    with _scratch(settings) as scratch, _appearing(out, left) as file:
        stream = start_backup(file, make_door)
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="w|", format=tarfile.PAX_FORMAT
        ) as archive:
            for name, path in _small_files(settings):
                _add_whole(archive, name, path)
            copy = scratch / LEDGER
            saving = _VaultSaving(archive, settings.vault_folder)
            expected = saving.save(lambda: _copied(ledger, copy, public, saving.folder), progress)
            _add_whole(archive, LEDGER, copy)
        end_backup(stream)
    lost = tuple(saving.lost(expected))
    frames = len(expected.kept) - len(expected.kept.keys() & saving.not_whole)
    return Saved(len(saving.saved), frames, out.stat().st_size, lost)


def remove_unfinished_backups(settings: Settings) -> int:
    """Remove what killed backups of this home left, unless one is being written; counts the files.

    The copy of the ledger that was made for one goes too. Where nothing is left nothing is
    written, not even a lock.
    """
    left = LeftFiles(settings.left_file, MAGIC)
    if not left.has_any() and not os.path.lexists(settings.backup_scratch_folder):
        return 0
    with alone(settings.backup_lock_file) as mine:
        if not mine:
            return 0
        shutil.rmtree(settings.backup_scratch_folder, ignore_errors=True)
        return left.remove()


def _small_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    files = {
        KEYS: settings.keys_file,
        CONFIG: settings.config_file,
        NAMES: settings.names_file,
    }
    return ((name, path) for name, path in files.items() if path.exists())


class _VaultSaving:
    """Save the objects that the ledger names, while a recording may add and withdraw some."""

    def __init__(self, archive: tarfile.TarFile, folder: Path) -> None:
        self.folder = folder
        self.saved: set[str] = set()
        self._archive = archive
        self._missing: set[str] = set()
        self._unreadable: set[str] = set()

    @property
    def not_whole(self) -> set[str]:
        """Return the names of what is not in the archive, or only in part."""
        return self._missing | self._unreadable

    def save(self, copied: Callable[[], Expected], progress: Progress) -> Expected:
        """Save objects until a copy of the ledger names none that may still be saved.

        What was withdrawn while a pass ran is missing in it, and the next copy of the ledger says
        so. What that copy names again was lost before.
        """
        for _ in range(_PASSES):
            expected = copied()
            missing = self._pass(expected, progress)
            if missing <= self._missing:
                self._missing = missing
                return expected
            self._missing = missing
        raise BackupError("frames are withdrawn faster than they are saved: try again")

    def lost(self, expected: Expected) -> Iterator[VaultProblem]:
        """Name what the ledger names and the archive has not, or not whole."""
        labels = expected.parts | expected.kept
        for name, label in labels.items():
            if name in self._missing:
                yield VaultProblem(label, phrase("it is missing in the vault"))
            elif name in self._unreadable:
                yield VaultProblem(label, phrase("the disk does not give all of it"))

    def _pass(self, expected: Expected, progress: Progress) -> set[str]:
        """Save what is not saved yet; returns what is not there."""
        wanted = sorted({*expected.kept, *expected.parts, *expected.announced} - self.saved)
        missing = set()
        for number, name in enumerate(wanted, 1):
            if self._save(name):
                self.saved.add(name)
            elif name not in expected.announced:
                missing.add(name)
            progress(len(self.saved), len(self.saved) + len(wanted) - number)
        return missing

    def _save(self, name: str) -> bool:
        """Save an object; False when it is not there, or went away meanwhile."""
        path = self.folder / name
        try:
            whole = _add(self._archive, f"{VAULT}{name}", path)
        except _UnopenedError:
            return False
        if not whole:
            self._unreadable.add(name)
        return path.exists()


def _copied(ledger: Ledger, copy: Path, public: bytes, folder: Path) -> Expected:
    for old in copy.parent.glob(f"{copy.name}*"):
        old.unlink()
    ledger.snapshot(copy)
    with Ledger(copy) as snapshot:
        return expected_objects(snapshot, public, folder)


class _UnopenedError(Exception):
    """Say that a file could not be opened, so nothing of it was added."""


class _Given:
    """Read a file as far as the disk gives it: what it does not give becomes zero bytes.

    A member of an archive has the length that was announced, whatever the disk does then.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size
        self.whole = True

    def read(self, size: int) -> bytes:
        size = min(size, self._left)
        try:
            data = self._file.read(size) if self.whole else b""
        except OSError:
            data = b""
        self.whole = self.whole and len(data) == size
        self._left -= size
        return data.ljust(size, b"\0")


def _add_whole(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Add a file without which there is no home."""
    try:
        whole = _add(archive, name, path)
    except _UnopenedError:
        whole = False
    if not whole:
        raise BackupError(
            phrase("the backup cannot be written: {name} of this home cannot be read", name=name)
        )


def _add(archive: tarfile.TarFile, name: str, path: Path) -> bool:
    """Add a file with nothing but its name and its content; False when not all could be read."""
    try:
        # What its owner keeps elsewhere may be a link; an object of the vault never is.
        file = open_object_file(path) if name.startswith(VAULT) else path.open("rb")
    except (OSError, NoObjectError) as error:
        raise _UnopenedError from error
    with file:
        member = tarfile.TarInfo(name)
        member.size = os.fstat(file.fileno()).st_size
        member.mode = 0o600
        given = _Given(file, member.size)
        archive.addfile(member, cast("IO[bytes]", given))
    return given.whole


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    """Give a folder beside the ledger, as protected as that; one backup at a time has it."""
    folder = settings.backup_scratch_folder
    try:
        with alone(settings.backup_lock_file) as mine:
            if not mine:
                raise BackupError("another backup of this home is being written")
            shutil.rmtree(folder, ignore_errors=True)  # of a backup that was broken off
            try:
                folder.mkdir(mode=0o700)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise BackupError(
            phrase("the backup cannot be written: {reason}", reason=error.strerror)
        ) from error


@contextmanager
def _appearing(out: Path, left: LeftFiles) -> Iterator[BinaryIO]:
    """Write a file of mode 0600 aside; it has its name when the block ended well.

    What a backup of this home left when it was killed is removed first.
    """
    left.remove()
    try:
        part = left.announce(out)
    except OSError as error:
        raise BackupError(
            phrase("the backup cannot be written: {reason}", reason=error.strerror)
        ) from error
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.lexists(out):
            raise BackupError(
                phrase("{out} exists already; a backup never takes a file's place", out=out)
            )
        part.rename(out)
        _sync_folder(out.absolute().parent)
    except OSError as error:
        raise BackupError(
            phrase("the backup cannot be written: {reason}", reason=error.strerror)
        ) from error
    finally:
        left.finish(part)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
