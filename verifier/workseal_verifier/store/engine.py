"""Transactions on one database, opened so that what was committed stays committed.

Rules:
- A path is an SQLite file, a URL is a PostgreSQL database; nothing above this module knows which.
- A write that raised has an unknown outcome. The caller reads the store again before it goes on.
- What a thread reads within its write, it reads in the same transaction.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.exc import SQLAlchemyError

from workseal_verifier.errors import ConfigError, StoreError
from workseal_verifier.store import tables
from workseal_verifier.store.sqlite import WRITE, SqliteBackend

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Where: TypeAlias = Path | str
Row: TypeAlias = tuple[Any, ...]
Upsert: TypeAlias = "sqlite.Insert | postgresql.Insert"


class Backend(Protocol):
    """What differs between the databases."""

    shared: bool

    def engine(self) -> Engine:
        """Prepare the connections."""
        ...

    def check(self, connection: Connection) -> None:
        """Raise `ConfigError` when commits would not be durable."""
        ...

    def reading(self, engine: Engine) -> Engine:
        """Give the connections for single reads."""
        ...

    def committing(self, connection: Connection) -> AbstractContextManager[None]:
        """Hold a commit; raise `StoreError` when it is in doubt, though it may have returned."""
        ...

    def settle(self, connection: Connection) -> None:
        """Let the commit of this transaction wait for all that others committed."""
        ...

    def snapshot(self, connection: Connection) -> Connection:
        """Let a connection see one moment."""
        ...

    def insert(self, connection: Connection, table: Table, rows: Iterable[Row]) -> None:
        """Insert many rows, each with all columns of the table in their order."""
        ...

    def upsert(self, table: Table) -> Any:
        """Make an INSERT that can say what to do on a conflict."""
        ...

    def lead(self, connection: Connection) -> bool:
        """Tell whether this connection leads."""
        ...

    def resign(self, connection: Connection) -> None:
        """Let another one lead at once."""
        ...

    def take_turn(self, connection: Connection, name: bytes) -> None:
        """Wait until no other transaction has the turn of this name."""
        ...

    def free_bytes(self) -> int:
        """Count the free bytes."""
        ...

    def translate(self, error: SQLAlchemyError) -> StoreError:
        """Say what failed, and quote nothing."""
        ...


class Database:
    """Transactions on one database."""

    def __init__(self, where: Where) -> None:
        self._backend = _backend_of(where)
        self._seen = threading.local()
        self._leading: Connection | None = None
        self._choosing = threading.Lock()
        self._engine = self._backend.engine()
        self._reading = self._backend.reading(self._engine)

    @property
    def shared(self) -> bool:
        """Tell whether other processes may write too."""
        return self._backend.shared

    def create(self) -> None:
        """Create the tables of a new log; refuse a database that another program made."""
        with self.write() as connection:
            self._backend.check(connection)
            tables.create(connection)

    def migrate(self) -> tuple[str, str]:
        """Bring the tables to what this program knows; returns the revisions before and after."""
        # Not above: a server never brings tables up, and has no use for what does.
        from workseal_verifier.store import migrating  # noqa: PLC0415

        with self.write() as connection:
            self._backend.check(connection)
            return migrating.upgrade(connection)

    def check_version(self) -> None:
        """Raise `StoreError` unless this program knows the tables."""
        with self.read() as connection:
            tables.require_current(connection)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run one durable transaction; on `StoreError` its outcome is unknown."""
        try:
            with (
                self._engine.connect().execution_options(**{WRITE: True}) as connection,
                connection.begin() as transaction,
            ):
                with self._through(connection):
                    yield connection
                with self._backend.committing(connection):
                    transaction.commit()
        except SQLAlchemyError as error:
            raise self._backend.translate(error) from error

    def settle(self) -> None:
        """Return when all that could be read until now is as durable as what is committed here.

        Where standbys are waited for, others see a commit whose wait was cut short; it may be lost.
        """
        if self.shared:
            with self.write() as connection:
                self._backend.settle(connection)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let every read of this thread see one moment, whatever is written meanwhile."""
        try:
            with self._engine.connect() as connection:
                seen = self._backend.snapshot(connection)
                # Said, for what is put to the driver itself begins nothing.
                with seen.begin(), self._through(seen):
                    yield
        except SQLAlchemyError as error:
            raise self._backend.translate(error) from error

    @contextmanager
    def _through(self, connection: Connection) -> Iterator[None]:
        before = getattr(self._seen, "connection", None)
        self._seen.connection = connection
        try:
            yield
        finally:
            self._seen.connection = before

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run one consistent read."""
        seen = getattr(self._seen, "connection", None)
        if seen is not None:
            yield seen
            return
        try:
            with self._reading.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._backend.translate(error) from error

    def insert(self, connection: Connection, table: Table, rows: Iterable[Row]) -> None:
        """Insert many rows, each with all columns of the table in their order."""
        self._backend.insert(connection, table, rows)

    def upsert(self, table: Table) -> Upsert:
        """Make an INSERT that can say what to do on a conflict."""
        made: Upsert = self._backend.upsert(table)
        return made

    def take_turn(self, connection: Connection, name: bytes) -> None:
        """Wait until no other transaction has the turn of this name; it has it until it ends.

        Names may be confounded: each transaction takes one turn, before all else.
        """
        self._backend.take_turn(connection, name)

    def lead(self) -> bool:
        """Tell whether this process does what only one may do; it keeps the part while it lives."""
        with self._choosing:
            try:
                if self._leading is None:
                    self._leading = self._reading.connect()
                leads = self._backend.lead(self._leading)
            except SQLAlchemyError:
                leads = False
            if not leads and self._leading is not None:
                self._leading.invalidate()
                self._leading = None
            return leads

    def require_alone(self) -> None:
        """Refuse while a server of this log runs, on whatever host; none leads from now on."""
        with self.read() as connection:
            # That there is no answer at all is told as what it is.
            connection.scalar(select(1))
        if not self.lead():
            raise ConfigError(
                "a server of this log runs, perhaps on another host: stop all of them before"
            )

    def free_bytes(self) -> int:
        """Count the bytes that are free where the database lies, as far as can be told."""
        return self._backend.free_bytes()

    def close(self) -> None:
        """Close all connections."""
        if self._leading is not None:
            with suppress(SQLAlchemyError):
                self._backend.resign(self._leading)
            self._leading.close()
            self._leading = None
        self._engine.dispose()
        self._reading.dispose()


def _backend_of(where: Where) -> Backend:
    if isinstance(where, Path):
        return SqliteBackend(where)
    # Its dialect takes memory that a server on SQLite has no use for.
    from workseal_verifier.store.postgres import PostgresBackend  # noqa: PLC0415

    return PostgresBackend(where)
