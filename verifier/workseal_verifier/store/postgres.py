"""PostgreSQL: several workers, several hosts, one log.

Rules:
- A commit counts when it is as durable as the server was told to make it, never less than on its
  own disk. A warning while committing means that a standby may not have it: the outcome is unknown.
- Nothing cancels a commit from here. One that takes too long loses its connection, and a connection
  that is lost leaves the outcome unknown too.
- What others committed may be read before a standby has it: `settle` waits for that.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from workseal_verifier.errors import (
    ConfigError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreRaceError,
)
from workseal_verifier.store.postgresconnections import WARNINGS, engine_for

# Of the classes of SQLSTATE, by their first two or by all five characters.
_FULL = {"53100"}
_CORRUPT = {"XX001", "XX002", "58030"}
_RACES = {"40001", "40P01"}
# No commit is acknowledged earlier than this asks for.
_DURABLE = {"on", "remote_apply"}
# Keys of advisory locks that are this program's own: "WORKSEAL" in ASCII, and the next ones.
_LEADER = 0x574F524B5345414C
_TABLES, _SETTLING = _LEADER + 1, _LEADER + 2
# Locks with two numbers are others than those with one: "TURN" in ASCII, and whose.
_TURNS = 0x5455524E
_NO_LIMIT = 2**62
# How the columns' types are called in a COPY.
_KINDS = {BigInteger: "int8", LargeBinary: "bytea", Text: "text"}
# So long a commit may wait for a standby, while its senders hold their connections.
COMMIT_S = 15.0


class PostgresBackend:
    """What is particular to PostgreSQL."""

    shared = True

    def __init__(self, url: str) -> None:
        self._url = url

    def engine(self) -> Engine:
        """Prepare to connect."""
        return engine_for(self._url, reads_alone=False)

    def check(self, connection: Connection) -> None:
        """Refuse a server that would acknowledge what a power cut takes back.

        Holds a lock until the transaction ends: two processes must not make the tables at once.
        """
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLES})
        found = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("fsync", "full_page_writes", "synchronous_commit")
        }
        if found["fsync"] != "on" or found["full_page_writes"] != "on":
            raise ConfigError("the database runs with fsync or full_page_writes off: turn both on")
        if found["synchronous_commit"] not in _DURABLE:
            raise ConfigError(
                f"the database has synchronous_commit = {found['synchronous_commit']}:"
                " set it to on, or remote_apply"
            )

    def reading(self, engine: Engine) -> Engine:  # noqa: ARG002
        """Give the connections for single reads: others, that stay as these want them."""
        return engine_for(self._url, reads_alone=True)

    @contextmanager
    def committing(self, connection: Connection) -> Iterator[None]:
        """Doubt a commit that warns, such as a wait for a standby cut short, or takes too long."""
        warnings = connection.info[WARNINGS]
        warnings.clear()
        late = threading.Event()
        driver = connection.connection.driver_connection
        timer = threading.Timer(COMMIT_S, _cut, (driver, late))
        timer.daemon = True
        timer.start()
        try:
            yield
        except SQLAlchemyError:
            if late.is_set():
                raise StoreError(
                    f"the database did not confirm a commit in {COMMIT_S:.0f} s:"
                    " perhaps a standby is missing"
                ) from None
            raise
        finally:
            timer.cancel()
        if warnings:
            raise StoreError("the commit may not be where it should be: the database warned")

    def settle(self, connection: Connection) -> None:
        """Write something, so that the commit waits for the standbys, where there are any.

        One at a time: without its standby a server would fill with those who wait.
        """
        if connection.exec_driver_sql("SHOW synchronous_standby_names").scalar_one():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETTLING})
            connection.exec_driver_sql("SELECT pg_logical_emit_message(true, 'workseal', '')")

    def snapshot(self, connection: Connection) -> Connection:
        """Let a connection see one moment."""
        return connection.execution_options(isolation_level="REPEATABLE READ")

    def insert(self, connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert many rows with one COPY."""
        names = ", ".join(map(connection.dialect.identifier_preparer.format_column, table.columns))
        copied = f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)"
        kinds = [_KINDS[type(column.type)] for column in table.columns]
        driver: Any = connection.connection.driver_connection
        dbapi: Any = connection.dialect.dbapi
        try:
            with driver.cursor() as cursor, cursor.copy(copied) as copy:
                copy.set_types(kinds)
                for row in rows:
                    copy.write_row(row)
        except dbapi.Error as error:
            # As SQLAlchemy wraps what passes through it.
            raise DBAPIError(None, None, error, hide_parameters=True) from error

    def upsert(self, table: Table) -> Insert:
        """Make an INSERT that can say what to do on a conflict."""
        return Insert(table)

    def lead(self, connection: Connection) -> bool:
        """Tell whether this connection leads; it does until it ends."""
        query = text("SELECT pg_try_advisory_lock(:key)")
        return bool(connection.execute(query, {"key": _LEADER}).scalar_one())

    def resign(self, connection: Connection) -> None:
        """Let another one lead now, and not when the server has noticed that this one ended."""
        connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")

    def take_turn(self, connection: Connection, name: bytes) -> None:
        """Wait until no other transaction has the turn of this name."""
        turn = {"space": _TURNS, "name": int.from_bytes(name[:4], signed=True)}
        connection.execute(text("SELECT pg_advisory_xact_lock(:space, :name)"), turn)

    def free_bytes(self) -> int:
        """Leave it to the database to say that it is full."""
        return _NO_LIMIT

    def translate(self, error: SQLAlchemyError) -> StoreError:
        """Say what failed by its SQLSTATE alone: the server's text may quote values."""
        cause = error.orig if isinstance(error, DBAPIError) else None
        state = str(getattr(cause, "sqlstate", None) or "")
        message = f"the database refused: {state or type(cause or error).__name__}"
        if isinstance(error, OperationalError) and not state:
            # The driver tells why in the server's words alone, with addresses and names.
            message = (
                "the database cannot be reached or lets this program not in:"
                " look at database_url, and into the database's own log"
            )
        if state in _FULL:
            return StoreFullError(message)
        if state in _CORRUPT:
            return StoreCorruptError(message)
        if state in _RACES:
            return StoreRaceError(message)
        return StoreError(message)


def _cut(driver: Any, late: threading.Event) -> None:
    """Cut a connection from this side; the server goes on with what it was told."""
    late.set()
    with contextlib.suppress(OSError):
        if not driver.closed:
            with socket.socket(fileno=os.dup(driver.fileno())) as handle:
                handle.shutdown(socket.SHUT_RDWR)
