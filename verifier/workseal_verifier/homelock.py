"""One server per home, or one home's workers; and the mark that notices a restored backup.

The lock file holds the size and root of the newest signed checkpoint. It is never part of a backup
(give `lock/` a volume of its own): a database that is behind its mark was restored, and signing
again from there would make two histories.
"""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path

from workseal_verifier.errors import ConfigError

_FORM = re.compile(rb"(0|[1-9][0-9]{0,18}) ([0-9a-f]{64})\n")
_WIDTH = 128


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest size and root that this home has signed."""

    size: int
    root: bytes


class HomeLock:
    """The held lock of one home; released by `close` or by the end of the process.

    `shared` is for the workers of one server: they hold it together, and nobody else with them.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self._handle = _open(folder / "server.lock")
        # Several workers move the mark: each reads it again, and moves it on, under this lock.
        self._guard = _open(folder / "mark.lock") if shared else None
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._handle, kind | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise ConfigError(f"another server already runs on this home ({folder})") from None

    def read(self) -> Mark | None:
        """Read the mark; None on a new home."""
        data = os.pread(self._handle, _WIDTH, 0)
        if not data:
            return None
        form = _FORM.fullmatch(data.rstrip(b" "))
        if form is None:
            raise ConfigError("the lock file is damaged: compare the log with a witness first")
        return Mark(int(form[1]), bytes.fromhex(form[2].decode()))

    def write(self, mark: Mark) -> None:
        """Move the mark; of several workers only the one that is ahead moves it.

        Without fsync: it guards against a restore, not against a power cut, after which an older
        mark is still a true one. Padded to one width, so that one write replaces all of it.
        """
        if self._guard is None:
            self._put(mark)
            return
        fcntl.flock(self._guard, fcntl.LOCK_EX)
        try:
            before = self.read()
            if before is None or before.size < mark.size:
                self._put(mark)
        finally:
            fcntl.flock(self._guard, fcntl.LOCK_UN)

    def _put(self, mark: Mark) -> None:
        line = f"{mark.size} {mark.root.hex()}\n".encode()
        os.pwrite(self._handle, line.ljust(_WIDTH), 0)

    def close(self) -> None:
        """Release the lock."""
        for handle in (self._handle, self._guard):
            if handle is not None:
                os.close(handle)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{path} cannot be opened: {error.strerror}") from error
