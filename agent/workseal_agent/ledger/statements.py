"""What the ledger knows of statements: their states, their times, and what proves them."""

from collections.abc import Iterator
from typing import Any

from workseal_agent.language import phrase
from workseal_agent.ledger.asking import Asking
from workseal_agent.ledger.errors import LedgerError
from workseal_agent.ledger.rows import (
    CaseRow,
    Counts,
    PrivateValue,
    SegmentRow,
    SendState,
    SessionSecrets,
    StoredStatement,
)
from workseal_protocol.digest import Digest
from workseal_protocol.terms import MAX_ROUND_MS

_SALT = 16
_STATEMENT = "number, engagement, seq, digest, kind, body, state, problem, log_index, successor"


class Statements(Asking):
    """Read statements, with the checkpoints that cover them and the values behind them."""

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

    def newest_of_kind(self, engagement: bytes, kind: str) -> StoredStatement | None:
        """Return the statement of one kind that was made last; None before the first."""
        rows = self._rows(
            f"SELECT {_STATEMENT} FROM statements WHERE engagement = ? AND kind = ?"  # noqa: S608
            " ORDER BY number DESC LIMIT 1",
            engagement,
            kind,
        )
        return next(map(_statement, rows), None)

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

    def cases(self, engagement: bytes) -> tuple[CaseRow, ...]:
        """Return the cases that were read, by whomever they were filed."""
        rows = self._rows(
            "SELECT filing, begin_ms, end_ms, ended FROM cases WHERE engagement = ?"
            " ORDER BY begin_ms, filing",
            engagement,
        )
        return tuple(
            CaseRow(Digest(filing), begin, end, bool(ended)) for filing, begin, end, ended in rows
        )

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
