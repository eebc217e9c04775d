"""Files that backups which were ended by a kill, or by the machine, left beside their place.

Rules: the home notes, durably, the name of such a file before it makes it, and nothing but what it
noted is ever removed: a plain file of this user's that is empty or begins as a backup does. What
cannot be reached now (a drive that is unplugged) stays noted. A note that cannot be read is none.
"""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
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
        """Remove an announced file, if it is still there, and its note."""
        part.unlink(missing_ok=True)
        with suppress(OSError):
            self._write(one for one in self._noted() if one != part)

    def remove(self) -> int:
        """Remove what earlier backups left; returns how many files that were."""
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
        """Remove one file; False when it is none of ours, or gone. `OSError`: ask again later."""
        try:
            descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            # Gone, if its folder is there; else the drive is away, and this raises.
            part.parent.stat()
            return False
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                return False
            if not self._magic.startswith(file.read(len(self._magic))):
                return False
        part.unlink()
        return True

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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
