"""One SQLite file, opened so that what was committed stays committed.

Rules:
- WAL with `synchronous=FULL`: a commit that returned survives a power cut.
- Writers begin with BEGIN IMMEDIATE: two never find out at the end that they raced.
- A write that raised has an unknown outcome. The caller reads the store again before it goes on.
- Temporary tables live in memory: no statement ever lies in a temporary file.
"""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from workseal_verifier.errors import StoreCorruptError, StoreError, StoreFullError
from workseal_verifier.store.schema import SCHEMA_VERSION, metadata

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA trusted_schema=OFF",
)
_WRITE = "workseal_write"


def _on_connect(connection: Any, _record: object) -> None:
    # SQLAlchemy's BEGIN is replaced by ours below, so the driver must not begin by itself.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _translated(error: SQLAlchemyError) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorcode", None)
    # The class alone goes into the text: SQLAlchemy's own text would carry the parameters.
    text = f"the database refused: {getattr(cause, 'sqlite_errorname', type(error).__name__)}"
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return StoreFullError(text)
    if code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreCorruptError(text)
    return StoreError(text)


class Database:
    """Transactions on one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = threading.local()
        self._engine: Engine = create_engine(
            f"sqlite:///{path}",
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=56,
            # Statement bodies would otherwise stand in the text of errors.
            hide_parameters=True,
        )
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)

    def create(self) -> None:
        """Create the tables of a new log; refuse a file that has other tables."""
        with self.write() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version == 0:
                metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
                return
        self.check_version()

    def check_version(self) -> None:
        """Raise `StoreError` unless this program knows the tables."""
        with self.read() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"the database has schema {version}, this program knows {SCHEMA_VERSION}"
            )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run one durable transaction; on `StoreError` its outcome is unknown."""
        try:
            with self._engine.connect().execution_options(**{_WRITE: True}) as connection:  # noqa: SIM117
                with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            raise _translated(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let every read of this thread see one moment, whatever is written meanwhile."""
        try:
            with self._engine.connect() as connection:
                self._seen.connection = connection
                try:
                    yield
                finally:
                    del self._seen.connection
        except SQLAlchemyError as error:
            raise _translated(error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run one consistent read."""
        seen = getattr(self._seen, "connection", None)
        if seen is not None:
            yield seen
            return
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _translated(error) from error

    def free_bytes(self) -> int:
        """Count the bytes that are free where the database lies."""
        return shutil.disk_usage(self.path.parent).free

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
