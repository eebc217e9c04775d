"""The key file on the disk: new once, changed whole, never half written.

Rules: one program changes it at a time; it reads the file again under the lock. What is written
aside is durable and was read back before it takes the old file's place.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from workseal_agent.errors import KeystoreError
from workseal_agent.language import phrase

_PART = ".part"


def read_file(path: Path, limit: int) -> bytes:
    """Return at most a byte more than `limit`; `KeystoreError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise KeystoreError(
            phrase("the key file cannot be read: {reason}", reason=error.strerror)
        ) from error


def write_new(path: Path, data: bytes) -> None:
    """Write aside, fsync, link into place: never over a key file that exists."""
    try:
        with _aside(path, data) as part:
            os.link(part, path)
            _sync_folder(path.parent)
    except FileExistsError as error:
        raise KeystoreError("there is a key file already; it is never replaced") from error
    except OSError as error:
        raise KeystoreError(
            phrase("the key file cannot be written: {reason}", reason=error.strerror)
        ) from error


def change_file(path: Path, limit: int, change: Callable[[bytes], bytes]) -> None:
    """Replace a key file by what `change` makes of it, in one step; whatever raises changes none.

    Other changes of this file wait meanwhile.
    """
    try:
        with _locked(path.parent):
            for left in path.parent.glob(f"{path.name}-*{_PART}"):
                left.unlink(missing_ok=True)  # of a change that was broken off
            data = change(read_file(path, limit))
            with _aside(path, data) as part:
                part.replace(path)
                _sync_folder(path.parent)
    except OSError as error:
        raise KeystoreError(
            phrase("the key file cannot be written: {reason}", reason=error.strerror)
        ) from error


@contextlib.contextmanager
def _aside(path: Path, data: bytes) -> Iterator[Path]:
    part = path.with_name(f"{path.name}-{secrets.token_hex(4)}{_PART}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if part.read_bytes() != data:
            raise KeystoreError("the disk does not give back the key file that was written")
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
