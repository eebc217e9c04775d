"""Writing a backup of a home while it may be recording: keys, settings, ledger, vault objects.

Rules: memory is bounded by a chunk, whatever the home's size. The ledger is a copy of one moment,
and each object that it names is in the file. The file appears whole or not at all. The witness is
left out: what it saw must never go back in time.
"""

import fcntl
import os
import secrets
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from workseal_agent.backupfile import Door, end_backup, start_backup
from workseal_agent.config import Settings
from workseal_agent.errors import AgentError
from workseal_agent.ledger import Ledger
from workseal_agent.vaultcheck import Expected, expected_objects

KEYS, CONFIG, LEDGER, VAULT = "keys", "config.toml", "ledger.sqlite", "vault/"
# Each pass saves what came while the one before ran: the second has almost nothing to do.
_PASSES = 8

Progress = Callable[[int, int], None]


class BackupError(AgentError):
    """Say why no backup was written; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Count what is in a backup, and how long the file is."""

    objects: int
    frames: int
    octets: int


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
        raise BackupError(f"{out} exists already; a backup never takes a file's place")
    with _scratch(settings.home) as scratch, _appearing(out) as file:
        stream = start_backup(file, make_door)
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="w|", format=tarfile.PAX_FORMAT
        ) as archive:
            for name, path in ((KEYS, settings.keys_file), (CONFIG, settings.config_file)):
                if path.exists():
                    _add(archive, name, path)
            copy = scratch / LEDGER
            saved, frames = _save_vault(
                archive, settings.vault_folder, ledger, public, copy, progress
            )
            _add(archive, LEDGER, copy)
        end_backup(stream)
    return Saved(saved, frames, out.stat().st_size)


def _save_vault(
    archive: tarfile.TarFile,
    folder: Path,
    ledger: Ledger,
    public: bytes,
    copy: Path,
    progress: Progress,
) -> tuple[int, int]:
    """Save objects until a copy of the ledger names none that is neither saved nor announced."""
    saved: set[str] = set()
    for _ in range(_PASSES):
        expected = _copied(ledger, copy, public, folder)
        wanted = sorted({*expected.kept, *expected.parts, *expected.announced} - saved)
        gone = False
        for number, name in enumerate(wanted, 1):
            if _save(archive, folder, name):
                saved.add(name)
            else:
                gone = gone or name not in expected.announced
            progress(len(saved), len(saved) + len(wanted) - number)
        # Withdrawn while this pass ran: the next copy of the ledger says so, or it is missing.
        if not gone:
            return len(saved), len(expected.kept)
    raise BackupError(
        "objects that the ledger names are missing in the vault: `workseal-agent vault check`"
        " names them"
    )


def _copied(ledger: Ledger, copy: Path, public: bytes, folder: Path) -> Expected:
    for old in copy.parent.glob(f"{copy.name}*"):
        old.unlink()
    ledger.snapshot(copy)
    with Ledger(copy) as snapshot:
        return expected_objects(snapshot, public, folder)


def _save(archive: tarfile.TarFile, folder: Path, name: str) -> bool:
    """Save an object; False when it is not there, or went away meanwhile."""
    path = folder / name
    try:
        _add(archive, f"{VAULT}{name}", path)
    except FileNotFoundError:
        return False
    return path.exists()


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Add a file with nothing but its name and its content."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        member = tarfile.TarInfo(name)
        member.size = found.st_size
        member.mode = 0o600
        archive.addfile(member, file)


@contextmanager
def _scratch(home: Path) -> Iterator[Path]:
    """Give a folder beside the ledger, as protected as that; one backup at a time has it."""
    folder = home / "backup.part"
    try:
        lock = os.open(home / "backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BackupError(f"the backup cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError("another backup of this home is being written") from error
        shutil.rmtree(folder, ignore_errors=True)  # of a backup that was broken off
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


@contextmanager
def _appearing(out: Path) -> Iterator[BinaryIO]:
    """Write a file of mode 0600 aside; it has its name when the block ended well."""
    part = out.with_name(f"{out.name}-{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.lexists(out):
            raise BackupError(f"{out} exists already; a backup never takes a file's place")
        part.rename(out)
        _sync_folder(out.absolute().parent)
    except OSError as error:
        raise BackupError(f"the backup cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
