"""Opening the file of one vault object, and nothing else that may stand in its place.

Rules: nothing here waits, whatever has the name: a pipe, a device, a folder or a link is told as no
object, and is neither read, followed nor written to.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from workseal_agent.errors import VaultError

_CAREFUL = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
# A link, a socket, a device without a driver.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENODEV})


class NoObjectError(VaultError):
    """Say that something else than a file has the name."""


def open_object_file(path: Path, *, write: bool = False, buffering: int = -1) -> BinaryIO:
    """Open a plain file to read, or to read and write; `NoObjectError` for anything else.

    Raises `FileNotFoundError` when nothing is there, another `OSError` when the disk refuses.
    """
    # The look before spares a device even the opening; the one after is the one that counts.
    _require_plain(path.lstat())
    try:
        descriptor = os.open(path, (os.O_RDWR if write else os.O_RDONLY) | _CAREFUL)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NoObjectError("not a vault object") from error
        raise
    try:
        _require_plain(os.fstat(descriptor))
        return os.fdopen(descriptor, "r+b" if write else "rb", buffering)
    except BaseException:
        os.close(descriptor)
        raise


def _require_plain(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NoObjectError("not a vault object")
