"""What can go wrong with the ledger, in words that a person can do something about."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase

# What opening takes: the index of the write-ahead log, and a few pages of it.
_LEAST_BYTES = 65_536
# The last byte of SQLite's codes is the kind of the error.
_KIND = 0xFF


class LedgerError(AgentError):
    """Say that the ledger cannot be read or written; what stood in it before still stands."""


def reason_of(error: sqlite3.Error | OSError, path: Path) -> str:
    """Say why the ledger's file cannot be used; SQLite tells a full disk as an error of it."""
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    kind = getattr(error, "sqlite_errorcode", 0) & _KIND
    if kind == sqlite3.SQLITE_BUSY:
        return phrase("another program is writing in it, and does not end")
    if kind == sqlite3.SQLITE_READONLY:
        return phrase("its folder is read-only, or another user's")
    if kind == sqlite3.SQLITE_FULL or _is_full(path.parent):
        return phrase("the disk is full")
    return str(error)


def _is_full(folder: Path) -> bool:
    with suppress(OSError):
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize < _LEAST_BYTES
    return False
