"""What a witness must not forget, in one SQLite file: its logs, what it has seen, forks.

Rules: WAL with `synchronous=FULL`, so a commit that returned survives a power cut. Whoever compares
and stores does it in one transaction that began with BEGIN IMMEDIATE, so neither threads nor
processes can both go on from one size. A write that raised has an unknown outcome: sign nothing.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.note import VerifierKey
from workseal_protocol.witness import Seen
from workseal_witness.errors import StoreError

SCHEMA_VERSION = 1
# One is proof enough; a log that forks without end does not fill the disk.
MAX_FORKS = 64
_BUSY_S = 10.0
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF")
_TABLES = """
CREATE TABLE identity (
  one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, vkeys TEXT NOT NULL
) STRICT;
CREATE TABLE logs (vkey TEXT PRIMARY KEY, origin TEXT NOT NULL) STRICT;
CREATE TABLE seen (
  origin TEXT PRIMARY KEY, note BLOB NOT NULL, cosigned_at INTEGER NOT NULL
) STRICT;
CREATE TABLE forks (
  number INTEGER PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
  cosigned BLOB NOT NULL, refused BLOB NOT NULL, found_at INTEGER NOT NULL,
  UNIQUE (origin, size, root)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class SeenRow:
    """The largest tree of a log that was cosigned: with the log's lines alone, and when."""

    signed: SignedCheckpoint
    cosigned_at: int

    @property
    def seen(self) -> Seen:
        """Return its size and root."""
        return Seen(self.signed.checkpoint.size, self.signed.checkpoint.root)


@dataclass(frozen=True, slots=True)
class Fork:
    """Two checkpoints of one log and size with two roots, both signed by the log."""

    number: int
    origin: str
    size: int
    cosigned: bytes
    refused: bytes
    found_at: int


class Store:
    """Transactions on the file of one witness; may be shared between threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            # Never made here: a witness whose database is gone must not begin again.
            self._sql = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=_BUSY_S,
                isolation_level=None,
                check_same_thread=False,
            )
            for pragma in _PRAGMAS:
                self._sql.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise _refused(error) from error

    @classmethod
    def create(cls, path: Path, name: str, vkeys: list[str]) -> Self:
        """Make the file of a new witness; one that exists is never touched."""
        with path.open("xb"):
            path.chmod(0o600)
        store = cls(path)
        with store.write() as writing:
            writing.found(name, vkeys)
        return store

    @contextmanager
    def write(self) -> Iterator["Transaction"]:
        """Run one transaction: durable when the block has ended, absent when the block raised."""
        with self._lock:
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                try:
                    yield Transaction(self._sql)
                    self._sql.execute("COMMIT")
                finally:
                    if self._sql.in_transaction:
                        self._sql.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise _refused(error) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()


class Transaction:
    """What can be read and written while nobody else writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def found(self, name: str, vkeys: list[str]) -> None:
        """Make the tables of a new witness."""
        for table in _TABLES.split(";\n")[:-1]:
            self._sql.execute(table)
        self._sql.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self._sql.execute("INSERT INTO identity VALUES (1, ?, ?)", (name, "\n".join(vkeys)))

    def identity(self) -> tuple[str, list[str]]:
        """Return the name and the keys that this state belongs to."""
        (version,) = self._sql.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA_VERSION:
            raise StoreError(f"the database has schema {version}, expected {SCHEMA_VERSION}")
        name, vkeys = self._sql.execute("SELECT name, vkeys FROM identity").fetchone()
        return name, vkeys.split("\n")

    def add_log(self, key: VerifierKey) -> bool:
        """Trust a key of a log; tell whether it is new."""
        added = self._sql.execute(
            "INSERT INTO logs VALUES (?, ?) ON CONFLICT DO NOTHING", (key.encode(), key.name)
        )
        return added.rowcount == 1

    def logs(self) -> list[VerifierKey]:
        """Return the keys of all logs, by origin."""
        rows = self._sql.execute("SELECT vkey FROM logs ORDER BY origin, vkey")
        return [VerifierKey.parse(vkey) for (vkey,) in rows]

    def keys_of(self, origin: str) -> list[VerifierKey]:
        """Return the keys of one log."""
        rows = self._sql.execute("SELECT vkey FROM logs WHERE origin = ?", (origin,))
        return [VerifierKey.parse(vkey) for (vkey,) in rows]

    def seen(self, origin: str) -> SeenRow | None:
        """Return the largest tree of a log that was cosigned."""
        row = self._sql.execute(
            "SELECT note, cosigned_at FROM seen WHERE origin = ?", (origin,)
        ).fetchone()
        return None if row is None else SeenRow(SignedCheckpoint.parse(row[0]), row[1])

    def put_seen(self, row: SeenRow) -> None:
        """Store the largest tree of a log, in place of the one before."""
        self._sql.execute(
            "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE SET"
            " note = excluded.note, cosigned_at = excluded.cosigned_at",
            (row.signed.checkpoint.origin, row.signed.encode(), row.cosigned_at),
        )

    def keep_fork(self, cosigned: SignedCheckpoint, refused: SignedCheckpoint, at: int) -> bool:
        """Keep the proof that a log has two histories; tell whether it is new."""
        checkpoint = refused.checkpoint
        (count,) = self._sql.execute(
            "SELECT count(*) FROM forks WHERE origin = ?", (checkpoint.origin,)
        ).fetchone()
        if count >= MAX_FORKS:
            return False
        place = (checkpoint.origin, checkpoint.size, checkpoint.root.raw)
        kept = self._sql.execute(
            "INSERT INTO forks (origin, size, root, cosigned, refused, found_at)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*place, cosigned.encode(), refused.encode(), at),
        )
        return kept.rowcount == 1

    def forks(self) -> list[Fork]:
        """Return every proof of a fork, oldest first."""
        rows = self._sql.execute(
            "SELECT number, origin, size, cosigned, refused, found_at FROM forks ORDER BY number"
        )
        return [Fork(*row) for row in rows]


def _refused(error: sqlite3.Error) -> StoreError:
    # The name alone: the text could quote what was stored.
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreError(f"the database refused: {name}")
