"""What left this machine: each request, kept for its owner, before it is sent.

Rules: one file of the owner's alone (0600), bounded: the oldest requests give way, and how many did
is kept. No pixel lies here: of a disclosure, and of a sealed package, only the length stands here,
and the tiles themselves lie in the vault. A full disk holds up no evidence: what could not be
written down is sent, counted, and told.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workseal_client import Request, Response, Transport

# Months of a full-time engagement; a row that passes this gives way to newer ones.
MOST_BYTES = 64 << 20
_BUSY_SECONDS = 2.0
# A page of text at a time is what anybody reads.
_MOST_ROWS = 200
# What carries tiles, open or sealed to the arbitrator.
_WITH_TILES = ("/v1/disclosures", "/v1/sealed/")
_TABLES = """
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    head BLOB NOT NULL,
    body BLOB,
    length INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sums (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    kept INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    gone_bytes INTEGER NOT NULL,
    unwritten INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO sums VALUES (1, 0, 0, 0, 0);
"""
_COLUMNS = "number, at_ms, method, target, head, body, length"


@dataclass(frozen=True, slots=True)
class Departure:
    """Hold one request; `body` is None when it carried tiles, which lie in the vault."""

    number: int
    at_ms: int
    method: str
    target: str
    head: bytes = field(repr=False)
    body: bytes | None = field(repr=False)
    length: int

    @property
    def size(self) -> int:
        """Count all bytes of the request."""
        return len(self.head) + self.length


@dataclass(frozen=True, slots=True)
class DepartureSums:
    """Count what is kept, what gave way to newer requests, and what could not be written down."""

    kept: int
    kept_bytes: int
    gone: int
    gone_bytes: int
    unwritten: int


class DepartureRecorder:
    """Pass requests on after writing each into the file; made at the first request."""

    def __init__(
        self,
        inner: Transport,
        file: Path,
        now_ms: Callable[[], int],
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._inner = inner
        self._file = file
        self._now_ms = now_ms
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._sql: sqlite3.Connection | None = None
        self._unwritten = 0

    def send(self, request: Request) -> Response:
        """Write the request, then send it."""
        with self._lock:
            try:
                self._write(request)
                self._unwritten = 0
            except (sqlite3.Error, OSError):
                self._unwritten += 1
        return self._inner.send(request)

    def close(self) -> None:
        """Close the file and the transport below."""
        with self._lock:
            if self._sql is not None:
                self._sql.close()
                self._sql = None
        self._inner.close()

    def _write(self, request: Request) -> None:
        if self._sql is None:
            self._sql = _open(self._file)
        head, body, target = request.head(), request.body, request.target
        kept = None if target.startswith(_WITH_TILES) and request.method != "GET" else body
        size = len(head) + len(kept or b"")
        with self._sql:
            self._sql.execute("BEGIN IMMEDIATE")
            self._sql.execute(
                "INSERT INTO requests (at_ms, method, target, head, body, length)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self._now_ms(), request.method, target, head, kept, len(body)),
            )
            self._sql.execute(
                "UPDATE sums SET kept = kept + ?, unwritten = unwritten + ?",
                (size, self._unwritten),
            )
            self._give_way(self._sql)

    def _give_way(self, sql: sqlite3.Connection) -> None:
        """Drop the oldest requests until the rest fits; the newest always stays."""
        (kept,) = sql.execute("SELECT kept FROM sums").fetchone()
        while kept > self._most_bytes:
            number, size, length = sql.execute(
                "SELECT number, length(head) + COALESCE(length(body), 0), length(head) + length"
                " FROM requests ORDER BY number LIMIT 1"
            ).fetchone()
            if sql.execute("SELECT MAX(number) FROM requests").fetchone() == (number,):
                return
            sql.execute("DELETE FROM requests WHERE number = ?", (number,))
            sql.execute(
                "UPDATE sums SET kept = kept - ?, gone = gone + 1, gone_bytes = gone_bytes + ?",
                (size, length),
            )
            kept -= size


class Departures:
    """Read what left; each look opens the file and closes it again."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def newest(
        self, *, before: int | None = None, like: str = "%", limit: int = _MOST_ROWS
    ) -> tuple[Departure, ...]:
        """Return requests, newest first, whose target is like an SQL pattern."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM requests WHERE number < ? AND target LIKE ?"  # noqa: S608
            " ORDER BY number DESC LIMIT ?",
            before if before is not None else 1 << 62,
            like,
            min(limit, _MOST_ROWS),
        )
        return tuple(Departure(*row) for row in rows)

    def one(self, number: int) -> Departure | None:
        """Return one request, None when it gave way or never was."""
        rows = self._rows(f"SELECT {_COLUMNS} FROM requests WHERE number = ?", number)  # noqa: S608
        return Departure(*rows[0]) if rows else None

    def sums(self) -> DepartureSums:
        """Count everything that ever left from this home."""
        rows = self._rows(
            "SELECT (SELECT COUNT(*) FROM requests),"
            " (SELECT COALESCE(SUM(length(head) + length), 0) FROM requests),"
            " gone, gone_bytes, unwritten FROM sums"
        )
        return DepartureSums(*(rows[0] if rows else (0, 0, 0, 0, 0)))

    def _rows(self, query: str, *parameters: object) -> list[Any]:
        if not self._file.exists():
            return []
        with closing(_open(self._file)) as sql:
            return list(sql.execute(query, parameters))


def _open(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600)
    sql = sqlite3.connect(
        file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        sql.execute("PRAGMA journal_mode = WAL")
        # A power cut may cost the last rows of this list; the evidence lies in the ledger.
        sql.execute("PRAGMA synchronous = NORMAL")
        sql.execute("PRAGMA secure_delete = ON")
        sql.executescript(_TABLES)
    except sqlite3.Error:
        sql.close()
        raise
    return sql
