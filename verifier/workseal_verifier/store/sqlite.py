"""SQLite: one file, one server process.

Rules:
- WAL with `synchronous=FULL`: a commit that returned survives a power cut.
- Writers begin with BEGIN IMMEDIATE: two never find out at the end that they raced.
- Temporary tables live in memory: no statement ever lies in a temporary file.
"""

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from workseal_verifier.errors import StoreCorruptError, StoreError, StoreFullError

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA trusted_schema=OFF",
    # What a party deletes, such as a mail address, is overwritten: only some builds do so unasked.
    "PRAGMA secure_delete=ON",
    # Digests lie anywhere in their index: the pages that one tick changes are changed by the next.
    "PRAGMA cache_size=-32768",
    "PRAGMA wal_autocheckpoint=4000",
)
WRITE = "workseal_write"
# The second: what its connections share could not grow, before anything can even be read.
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}


class SqliteBackend:
    """What is particular to SQLite."""

    # One process at a time: what its memory holds is what the file holds.
    shared = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def engine(self) -> Engine:
        """Open the file."""
        engine = create_engine(
            f"sqlite:///{self._path}",
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=56,
            # The connection that wrote last: what it has read is still what the file holds.
            pool_use_lifo=True,
            # Statement bodies would otherwise stand in the text of errors.
            hide_parameters=True,
        )
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        return engine

    def check(self, connection: Connection) -> None:
        """Have nothing to check: each connection sets what durability needs."""

    def reading(self, engine: Engine) -> Engine:
        """Give the connections for single reads: the same."""
        return engine

    def committing(self, connection: Connection) -> AbstractContextManager[None]:  # noqa: ARG002
        """Have nothing to doubt: a commit that returned is on the disk."""
        return nullcontext()

    def settle(self, connection: Connection) -> None:
        """Have nothing to wait for: what can be read is on the disk."""

    def snapshot(self, connection: Connection) -> Connection:
        """Let a connection see one moment: BEGIN does in WAL."""
        return connection

    def insert(self, connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert many rows; straight to the driver, for each costs more on the way than there."""
        # Of no rows the driver would make one without values.
        if many := list(rows):
            made = str(Insert(table).compile(dialect=connection.dialect))
            connection.exec_driver_sql(made, many)

    def upsert(self, table: Table) -> Insert:
        """Make an INSERT that can say what to do on a conflict."""
        return Insert(table)

    def lead(self, connection: Connection) -> bool:
        """Tell whether this process leads: there is no other."""
        return not connection.closed

    def resign(self, connection: Connection) -> None:
        """Do nothing: nobody waits."""

    def take_turn(self, connection: Connection, name: bytes) -> None:
        """Have nothing to wait for: every write is alone."""

    def free_bytes(self) -> int:
        """Count the bytes that are free where the file lies."""
        return shutil.disk_usage(self._path.parent).free

    def translate(self, error: SQLAlchemyError) -> StoreError:
        """Say what failed by its class alone: SQLAlchemy's own text would carry parameters."""
        cause = error.orig if isinstance(error, DBAPIError) else None
        code = getattr(cause, "sqlite_errorcode", None)
        text = f"the database refused: {getattr(cause, 'sqlite_errorname', type(error).__name__)}"
        if code is not None and (code in _FULL or code & 0xFF in _FULL):
            return StoreFullError(f"{text}: there is no space where {self._path.name} lies")
        if code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return StoreCorruptError(text)
        return StoreError(text)


def _on_connect(connection: Any, _record: object) -> None:
    # SQLAlchemy's BEGIN is replaced by ours below, so the driver must not begin by itself.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
