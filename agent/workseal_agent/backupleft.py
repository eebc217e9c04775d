"""What backups and exports that were ended by a kill, or by the machine, left beside their place.

Rules: the home notes, durably, the name of such a thing before it makes it, and nothing but what it
noted is ever removed: a plain file of this user's that is empty or begins as a backup does, or a
folder of this user's that is empty or whose first file begins as an export's does. What cannot be
reached now (a drive that is unplugged) stays noted. A note that cannot be read is none.
"""

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workseal_protocol.encoding import decode, encode
from workseal_protocol.errors import MalformedError

# A drive that never comes back must not make the note grow.
_MOST = 16


class LeftFiles:
    """Hold one home's note of unfinished files; whoever writes a backup has its lock."""

    def __init__(self, note: Path, magic: bytes) -> None:
        self._note = note
        self._magic = magic

    def announce(self, out: Path) -> Path:
        """Choose a name aside of `out` that nobody else has, and note it; raises `OSError`."""
        part = out.absolute().with_name(f"{out.name}-{secrets.token_hex(8)}.part")
        if os.path.lexists(part):
            raise FileExistsError(None, "File exists")
        self._write((*self._noted(), part))
        return part

    def finish(self, part: Path) -> None:
        """Remove what was announced, if it is still there, and its note."""
        self._delete(part)
        with suppress(OSError):
            self._write(one for one in self._noted() if one != part)

    def has_any(self) -> bool:
        """Tell whether anything is noted."""
        return os.path.lexists(self._note)

    def remove(self) -> int:
        """Remove what was left before; returns how many files or folders that were."""
        noted = self._noted()
        removed, kept = 0, []
        for part in noted:
            try:
                removed += self._remove(part)
            except OSError:
                kept.append(part)
        if noted:
            with suppress(OSError):
                self._write(kept)
        return removed

    def _remove(self, part: Path) -> bool:
        """Remove one; False when it is none of ours, or gone. `OSError`: ask again later."""
        try:
            if not self._is_ours(part):
                return False
        except FileNotFoundError:
            # Gone, if its folder is there; else the drive is away, and this raises.
            part.parent.stat()
            return False
        self._delete(part)
        return True

    def _is_ours(self, part: Path) -> bool:
        return _begins(part, self._magic)

    def _delete(self, part: Path) -> None:
        part.unlink(missing_ok=True)

    def _noted(self) -> tuple[Path, ...]:
        with suppress(OSError, MalformedError):
            value = decode(self._note.read_bytes())
            if isinstance(value, list):
                return tuple(Path(os.fsdecode(one)) for one in value if isinstance(one, bytes))
        return ()

    def _write(self, parts: Iterable[Path]) -> None:
        names = [os.fsencode(part) for part in parts][-_MOST:]
        if not names:
            self._note.unlink(missing_ok=True)
            return
        aside = self._note.with_suffix(".new")
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode(list(names)))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._note)
        _sync_folder(self._note.parent)


class LeftFolders(LeftFiles):
    """Hold the same of folders whose file `first` is written before all others."""

    def __init__(self, note: Path, first: str, magic: bytes) -> None:
        super().__init__(note, magic)
        self._first = first

    def _is_ours(self, part: Path) -> bool:
        found = part.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return False
        with suppress(FileNotFoundError):
            return _begins(part / self._first, self._magic)
        return not any(part.iterdir())

    def _delete(self, part: Path) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(part)


@contextmanager
def alone(lock: Path) -> Iterator[bool]:
    """Be the only one who holds a lock meanwhile; False when somebody else does."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _begins(path: Path, magic: bytes) -> bool:
    """Say whether a plain file of this user's is empty or begins like this."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            return False
        return magic.startswith(file.read(len(magic)))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
