"""One server per home, or one home's workers; and the mark that notices a restored backup.

The lock file holds the largest size, and its root, that this home has signed or shown. It is never
part of a backup (give `lock/` a volume of its own): a database that is behind its mark was
restored, and signing again from there would make two histories.

Rule: the mark only ever grows, and is on the disk before what it stands for leaves this machine. A
move that failed has not happened, whatever can be read of it: the next one writes and syncs again.
"""

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from workseal_verifier.errors import ConfigError, StoreCorruptError, StoreError

_FORM = re.compile(rb"(0|[1-9][0-9]{0,18}) ([0-9a-f]{64})\n")
_WIDTH = 128


@dataclass(frozen=True, slots=True)
class Mark:
    """The largest size, and its root, that this home has signed or shown."""

    size: int
    root: bytes


class HomeLock:
    """The held lock of one home; released by `close` or by the end of the process.

    `shared` is for the workers of one server: they hold it together, and nobody else with them.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self._handle = _open(folder / "server.lock")
        # Several workers move the mark: each reads it again, and moves it on, under these locks.
        self._guard = _open(folder / "mark.lock")
        self._moving = threading.Lock()
        self._folder = folder
        # Whether what can be read was perhaps never on the disk.
        self._is_doubtful = False
        try:
            _hold(self._handle, folder, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        except ConfigError:
            self.close()
            raise

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
        """Move the mark, durably, unless it is as far already; refuse a second tree of one size.

        Raises `StoreError` where the disk does not take it: nothing that it stands for may leave.
        """
        with self._moving:
            fcntl.flock(self._guard, fcntl.LOCK_EX)
            try:
                before = self.read()
                if before is not None and before.size == mark.size and before != mark:
                    raise StoreCorruptError(f"another tree of size {mark.size} was signed before")
                if before is None or before.size < mark.size:
                    self._move(before, mark)
                elif self._is_doubtful:
                    self._move(before, before)
            finally:
                fcntl.flock(self._guard, fcntl.LOCK_UN)

    def _move(self, before: Mark | None, mark: Mark) -> None:
        """Write and sync a mark; where that fails, others must not take it for one that is kept."""
        try:
            os.pwrite(self._handle, _line(mark), 0)
            os.fdatasync(self._handle)
        except OSError as error:
            self._is_doubtful = True
            self._put_back(before)
            # The system's own words: which of the volumes it is stands before them.
            raise StoreError(f"{self._folder} cannot be written: {error.strerror}") from error
        self._is_doubtful = False

    def _put_back(self, before: Mark | None) -> None:
        with suppress(OSError):
            if before is None:
                os.ftruncate(self._handle, 0)
            else:
                os.pwrite(self._handle, _line(before), 0)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._handle)
        os.close(self._guard)


def _line(mark: Mark) -> bytes:
    """Write a mark, padded to one width, so that one write in one sector replaces all of it."""
    return f"{mark.size} {mark.root.hex()}\n".encode().ljust(_WIDTH)


def require_free(folder: Path) -> None:
    """Raise when another process holds a home; it is not held then, so who goes on still may not.

    For those who have much to load before they would find out.
    """
    # What is not there is held by nobody.
    for path in filter(Path.exists, (folder / "supervisor.lock", folder / "server.lock")):
        handle = _open(path)
        try:
            _hold(handle, folder, fcntl.LOCK_EX)
        finally:
            os.close(handle)


@contextmanager
def supervising(folder: Path) -> Iterator[None]:
    """Be the one server of a home whose workers share its lock."""
    handle = _open(folder / "supervisor.lock")
    try:
        _hold(handle, folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _hold(handle: int, folder: Path, kind: int) -> None:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(
            f"another process holds this home ({folder}):"
            " a server that runs, or recover, rotate or migrate"
        ) from None
    except OSError as error:
        raise ConfigError(f"{folder} cannot be locked: {error.strerror}") from error


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{path} cannot be opened: {error.strerror}") from error
