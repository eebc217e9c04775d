"""The ledger: one SQLite file with everything this agent has signed, and what became of it.

Rules: one transaction for each statement and all that belongs to it; nothing is sent before its
transaction is durable; nothing is ever removed from the queue but by a verified receipt.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self, cast

from workseal_agent.language import kept_again, phrase
from workseal_agent.ledger.errors import LedgerError, reason_of
from workseal_agent.ledger.room import ROOM_BYTES, make_room, room_of
from workseal_agent.ledger.rows import (
    CaptureRow,
    Counts,
    Engagement,
    Incident,
    Memo,
    PrivateValue,
    RevealRow,
    SegmentRow,
    SendState,
    SessionSecrets,
    StoredStatement,
)
from workseal_agent.ledger.schema import BUSY_MS, open_database
from workseal_agent.ledger.sealing import LedgerKey
from workseal_agent.ledger.transaction import Transaction
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import decode
from workseal_protocol.terms import MAX_ROUND_MS

_SALT = 16
_STATEMENT = "number, engagement, seq, digest, kind, body, state, problem, log_index, successor"


class Ledger:
    """Read the ledger, and open transactions that write it; may be shared between threads."""

    def __init__(self, path: Path, key: LedgerKey | None = None, *, busy_ms: int = BUSY_MS) -> None:
        self._lock = threading.RLock()
        self._key = key
        self._path = path
        self._sql = open_database(path, busy_ms)

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

    def _rows(self, query: str, *parameters: Any) -> list[Any]:
        with self._lock:
            try:
                return self._sql.execute(query, parameters).fetchall()
            except sqlite3.Error as error:
                raise LedgerError(
                    phrase("the ledger cannot be read: {error}", error=reason_of(error, self._path))
                ) from error

    def _one(self, query: str, *parameters: Any) -> Any:
        rows = self._rows(query, *parameters)
        return rows[0] if rows else None

    def _opener(self) -> LedgerKey:
        if self._key is None:
            raise LedgerError("the ledger was opened without its key")
        return self._key

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

    def chain(self, engagement: bytes, from_seq: int = 0) -> Iterator[StoredStatement]:
        """Yield the chain's statements in order, reading a few at a time."""
        while True:
            rows = self._rows(
                f"SELECT {_STATEMENT} FROM statements WHERE engagement = ? AND seq >= ?"  # noqa: S608
                " ORDER BY seq LIMIT 512",
                engagement,
                from_seq,
            )
            for row in rows:
                yield _statement(row)
            if len(rows) < 512:
                return
            from_seq += 512

    def statements(self, engagement: bytes, state: SendState) -> tuple[StoredStatement, ...]:
        """Return the statements in one state, in the order in which they were made.

        A replaced one is in none: nothing is to be done about it.
        """
        return tuple(
            _statement(row)
            for row in self._rows(
                f"SELECT {_STATEMENT} FROM statements WHERE engagement = ? AND state = ?"  # noqa: S608
                " AND successor IS NULL ORDER BY number",
                engagement,
                str(state),
            )
        )

    def of_kind(self, engagement: bytes, kind: str) -> tuple[StoredStatement, ...]:
        """Return the statements of one kind, in the order in which they were made."""
        return tuple(
            _statement(row)
            for row in self._rows(
                f"SELECT {_STATEMENT} FROM statements WHERE engagement = ? AND kind = ?"  # noqa: S608
                " ORDER BY number",
                engagement,
                kind,
            )
        )

    def unchained(self, engagement: bytes) -> tuple[StoredStatement, ...]:
        """Return the statements that have no place in the chain, in the order of their making."""
        return tuple(
            _statement(row)
            for row in self._rows(
                f"SELECT {_STATEMENT} FROM statements WHERE engagement = ? AND seq IS NULL"  # noqa: S608
                " ORDER BY number",
                engagement,
            )
        )

    def sendable(self, engagement: bytes, limit: int) -> tuple[StoredStatement, ...]:
        """Return what can be sent now: chained statements behind a parked one wait for it."""
        return tuple(
            _statement(row)
            for row in self._rows(
                f"SELECT {_STATEMENT} FROM statements WHERE engagement = ?1 AND state = 'unsent'"  # noqa: S608
                " AND (seq IS NULL OR seq <= COALESCE((SELECT MIN(seq) FROM statements WHERE"
                " engagement = ?1 AND state = 'parked'), seq))"
                " ORDER BY number LIMIT ?2",
                engagement,
                limit,
            )
        )

    def statement(self, digest: Digest) -> StoredStatement | None:
        """Return one statement."""
        row = self._one(f"SELECT {_STATEMENT} FROM statements WHERE digest = ?", digest.raw)  # noqa: S608
        return _statement(row) if row else None

    def counts(self, engagement: bytes) -> Counts:
        """Count the statements; what is held counts as neither sent nor unsent."""
        row = self._one(
            "SELECT COUNT(*), COALESCE(SUM(state = 'unsent'), 0),"
            " COALESCE(SUM(state = 'parked' AND successor IS NULL), 0), MAX(log_index)"
            " FROM statements WHERE engagement = ?",
            engagement,
        )
        return Counts(*row)

    def newest_checkpoint(self, engagement: bytes) -> bytes | None:
        """Return the bytes of the largest checkpoint that was verified."""
        row = self._one(
            "SELECT body FROM checkpoints WHERE engagement = ? ORDER BY size DESC LIMIT 1",
            engagement,
        )
        return row[0] if row else None

    def checkpoints(self, engagement: bytes) -> tuple[bytes, ...]:
        """Return the bytes of all verified checkpoints, smallest first."""
        rows = self._rows(
            "SELECT body FROM checkpoints WHERE engagement = ? ORDER BY size", engagement
        )
        return tuple(body for (body,) in rows)

    def session_secrets(self, session: bytes) -> SessionSecrets:
        """Return a session's secrets, or raise `LedgerError`."""
        row = self._one("SELECT secrets FROM sessions WHERE id = ?", session)
        if row is None:
            raise LedgerError("the ledger does not know this session")
        plain = self._opener().open(b"session" + session, row[0])
        return SessionSecrets(plain[:32], plain[32:])

    def has_segment(self, session: bytes, begin_ms: int, end_ms: int) -> bool:
        """Tell whether exactly this stretch of a session is in the chain already."""
        return bool(
            self._one(
                "SELECT 1 FROM segments WHERE session = ? AND begin_ms = ? AND end_ms = ?",
                session,
                begin_ms,
                end_ms,
            )
        )

    def segments(self, engagement: bytes, from_ms: int, to_ms: int) -> tuple[SegmentRow, ...]:
        """Return the times of the segments that begin in [from, to)."""
        rows = self._rows(
            "SELECT session, begin_ms, end_ms, worked_ms, state FROM segments"
            " WHERE engagement = ? AND begin_ms >= ? AND begin_ms < ? ORDER BY begin_ms",
            engagement,
            from_ms,
            to_ms,
        )
        return tuple(SegmentRow(*row) for row in rows)

    def told_of(self, engagement: bytes, from_ms: int, to_ms: int) -> tuple[StoredStatement, ...]:
        """Return the statements that tell of [from, to): its segments, and all that is told late.

        Declarations and withdrawals are few and may be about any time, so each of them is there.
        """
        columns = ", ".join(f"s.{name}" for name in _STATEMENT.split(", "))
        rows = self._rows(
            f"SELECT {columns} FROM statements AS s WHERE s.digest IN (SELECT digest FROM segments"  # noqa: S608
            " WHERE engagement = ?1 AND begin_ms >= ?2 AND begin_ms < ?3 AND end_ms > ?4)"
            " UNION ALL"
            f" SELECT {columns} FROM statements AS s"
            " WHERE s.engagement = ?1 AND s.kind IN ('declaration', 'tombstone')",
            engagement,
            # Segments are no longer than the longest round: the index finds the first of the day.
            from_ms - MAX_ROUND_MS,
            to_ms,
            from_ms,
        )
        return tuple(_statement(row) for row in rows)

    def checkpoints_over(self, engagement: bytes, first: int, last: int) -> tuple[bytes, ...]:
        """Return the verified checkpoints that came first after each of the log's [first, last]."""
        rows = self._rows(
            "SELECT body FROM checkpoints WHERE engagement = ?1 AND size > ?2 AND size <="
            " (SELECT MIN(size) FROM checkpoints WHERE engagement = ?1 AND size > ?3)"
            " ORDER BY size",
            engagement,
            first,
            last,
        )
        return tuple(body for (body,) in rows)

    def private_values(self, statement: Digest) -> tuple[PrivateValue, ...]:
        """Return the values behind a statement's commitments, by kind."""
        rows = self._rows(
            "SELECT kind, sealed FROM openings WHERE statement = ? ORDER BY kind", statement.raw
        )
        values = []
        for kind, sealed in rows:
            plain = self._opener().open(b"opening" + statement.raw + bytes((kind,)), sealed)
            values.append(PrivateValue(kind, plain[:_SALT], plain[_SALT:]))
        return tuple(values)

    def captures(self, engagement: bytes) -> tuple[CaptureRow, ...]:
        """Return the frames that segments have committed to, in order."""
        rows = self._rows(
            "SELECT number, commitment, round, captured_ms, display, width, height, segment,"
            " tombstone IS NOT NULL FROM captures"
            " WHERE engagement = ? AND segment IS NOT NULL ORDER BY number",
            engagement,
        )
        return tuple(
            CaptureRow(n, Digest(c), r, ms, d, w, h, Digest(segment), bool(gone))
            for n, c, r, ms, d, w, h, segment, gone in rows
        )

    def orphans(self) -> tuple[Digest, ...]:
        """Return announced frames that no segment names: a crash came between."""
        rows = self._rows("SELECT commitment FROM captures WHERE segment IS NULL")
        return tuple(Digest(raw) for (raw,) in rows)

    def undestroyed(self) -> tuple[Digest, ...]:
        """Return withdrawn frames that the vault has perhaps not destroyed yet."""
        rows = self._rows(
            "SELECT commitment FROM captures WHERE tombstone IS NOT NULL AND NOT destroyed"
        )
        return tuple(Digest(raw) for (raw,) in rows)

    def memo(self, engagement: bytes) -> Memo | None:
        """Return the memo of the off-screen stretch that is not declared yet."""
        row = self._one("SELECT begin_ms, sealed FROM memos WHERE engagement = ?", engagement)
        if row is None:
            return None
        return Memo(row[0], self._opener().open(b"memo" + engagement, row[1]).decode())

    def disclosures(self, engagement: bytes) -> tuple[tuple[Digest, Digest, Digest], ...]:
        """Return (disclosure digest, statement digest, frame) of each disclosure made."""
        rows = self._rows(
            "SELECT digest, statement, frame FROM disclosures WHERE engagement = ? ORDER BY digest",
            engagement,
        )
        return tuple((Digest(d), Digest(s), Digest(f)) for d, s, f in rows)

    def reveals(self, engagement: bytes) -> tuple[RevealRow, ...]:
        """Return which tiles were shown by which disclosure, also of frames that are withdrawn."""
        rows = self._rows(
            "SELECT statement, frame, runs, tiles FROM reveals WHERE engagement = ?"
            " ORDER BY statement, frame",
            engagement,
        )
        return tuple(
            RevealRow(Digest(statement), Digest(frame), _shown(runs), tiles)
            for statement, frame, runs, tiles in rows
        )

    def held_objects(self, statement: Digest) -> tuple[bytes, ...] | None:
        """Return what a weekly statement committed to of its frames, None when it is not known."""
        row = self._one("SELECT objects FROM possessions WHERE statement = ?", statement.raw)
        if row is None:
            return None
        objects: bytes = row[0]
        return tuple(objects[at : at + DIGEST_BYTES] for at in range(0, len(objects), DIGEST_BYTES))

    def withdrawn(self, engagement: bytes) -> frozenset[Digest]:
        """Return the frames that were withdrawn, whether their tombstones are sent or not."""
        rows = self._rows(
            "SELECT commitment FROM captures WHERE engagement = ? AND tombstone IS NOT NULL",
            engagement,
        )
        return frozenset(Digest(raw) for (raw,) in rows)

    def has_captures(self, engagement: bytes) -> bool:
        """Tell whether a segment ever committed to a frame."""
        return bool(
            self._one(
                "SELECT 1 FROM captures WHERE engagement = ? AND segment IS NOT NULL LIMIT 1",
                engagement,
            )
        )

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


def _statement(row: Any) -> StoredStatement:
    number, engagement, seq, digest, kind, body, state, problem, index, successor = row
    if Digest.of(body).raw != digest:
        raise LedgerError(
            phrase("statement {number} of the ledger was changed on the disk", number=number)
        )
    state = SendState(state) if successor is None else SendState.REPLACED
    return StoredStatement(
        number, engagement, seq, Digest(digest), kind, body, state, problem, index
    )


def _shown(runs: bytes) -> tuple[int, ...]:
    shown: list[int] = []
    for run in cast("list[list[int]]", decode(runs)):
        start, count = run
        shown.extend(range(start, start + count))
    return tuple(shown)


def _octets(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not all(isinstance(item, bytes) for item in value):
        raise LedgerError("the ledger's list of time-stamp roots is damaged")
    return tuple(item for item in value if isinstance(item, bytes))
