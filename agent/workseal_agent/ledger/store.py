"""The ledger: one SQLite file with everything this agent has signed, and what became of it.

Rules: one transaction for each statement and all that belongs to it; nothing is sent before its
transaction is durable; nothing is ever removed from the queue but by a verified receipt.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from workseal_agent.language import kept_again, phrase
from workseal_agent.ledger.errors import LedgerError, reason_of
from workseal_agent.ledger.frames import Frames
from workseal_agent.ledger.room import ROOM_BYTES, make_room, room_of
from workseal_agent.ledger.rows import Engagement, Incident, Memo
from workseal_agent.ledger.schema import BUSY_MS, open_database
from workseal_agent.ledger.sealing import LedgerKey
from workseal_agent.ledger.statements import Statements
from workseal_agent.ledger.transaction import Transaction
from workseal_protocol.encoding import decode


class Ledger(Frames, Statements):
    """Read the ledger, and open transactions that write it; may be shared between threads."""

    def __init__(self, path: Path, key: LedgerKey | None = None, *, busy_ms: int = BUSY_MS) -> None:
        super().__init__(open_database(path, busy_ms), path, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Run one transaction: durable when the block ends, absent when it raises.

        A `LedgerError` of the commit itself leaves it unknown which: read before trying again.
        """
        with self._lock:
            try:
                self._sql.execute("BEGIN IMMEDIATE")
                try:
                    yield Transaction(self._sql, self._key)
                    self._commit()
                except BaseException:
                    if self._sql.in_transaction:
                        self._sql.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise LedgerError(
                    phrase(
                        "the ledger cannot be written: {error}", error=reason_of(error, self._path)
                    )
                ) from error

    def _commit(self) -> None:
        self._sql.execute("COMMIT")

    def keep_room(self, octets: int = ROOM_BYTES) -> None:
        """Keep room for what is written while the disk is full; `LedgerError` if it is so now."""
        with self._lock:
            try:
                if room_of(self._sql, self._path) < octets // 2:
                    make_room(self._sql, octets)
            except sqlite3.Error as error:
                raise LedgerError(
                    phrase(
                        "the ledger has no room of its own: {error}",
                        error=reason_of(error, self._path),
                    )
                ) from error

    def engagements(self) -> tuple[Engagement, ...]:
        """Return all engagements, oldest first."""
        rows = self._rows(
            "SELECT id, offer, acceptance, url, tsa_roots FROM engagements ORDER BY number"
        )
        return tuple(
            Engagement(id_, offer, acceptance, url, _octets(decode(roots)))
            for id_, offer, acceptance, url, roots in rows
        )

    def is_restored(self, engagement: bytes) -> bool:
        """Tell whether this is a copy that has not learned yet what was signed after it."""
        return bool(self._one("SELECT 1 FROM restored WHERE engagement = ?", engagement))

    def snapshot(self, path: Path) -> None:
        """Copy the whole ledger, as it is at one moment, into a new file; nobody waits for it."""
        try:
            path.touch(mode=0o600, exist_ok=False)
            with self._lock, closing(sqlite3.connect(path)) as target:
                self._sql.backup(target)
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                phrase("the ledger cannot be copied: {error}", error=error)
            ) from error

    def memo(self, engagement: bytes) -> Memo | None:
        """Return the memo of the off-screen stretch that is not declared yet."""
        row = self._one("SELECT begin_ms, sealed FROM memos WHERE engagement = ?", engagement)
        if row is None:
            return None
        return Memo(row[0], self._opener().open(b"memo" + engagement, row[1]).decode())

    def incidents(self, engagement: bytes) -> tuple[Incident, ...]:
        """Return the evidence against the log, oldest first."""
        rows = self._rows(
            "SELECT number, at_ms, text, evidence, made FROM incidents WHERE engagement = ?"
            " ORDER BY number",
            engagement,
        )
        return tuple(
            Incident(number, at_ms, kept_again(text, made), evidence)
            for number, at_ms, text, evidence, made in rows
        )


def _octets(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not all(isinstance(item, bytes) for item in value):
        raise LedgerError("the ledger's list of time-stamp roots is damaged")
    return tuple(item for item in value if isinstance(item, bytes))
