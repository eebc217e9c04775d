"""One server per home: an exclusive lock, and the mark that notices a restored backup.

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
    """The held lock of one home; released by `close` or by the end of the process."""

    def __init__(self, folder: Path) -> None:
        path = folder / "server.lock"
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"{path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise ConfigError(f"another server already runs on this home ({path})") from None

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
        """Move the mark.

        Without fsync: it guards against a restore, not against a power cut, after which an older
        mark is still a true one. Padded to one width, so that one write replaces all of it.
        """
        line = f"{mark.size} {mark.root.hex()}\n".encode()
        os.pwrite(self._handle, line.ljust(_WIDTH), 0)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._handle)
