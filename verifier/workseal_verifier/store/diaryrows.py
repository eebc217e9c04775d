"""What the diary of one engagement is read by: its work in a stretch of time, and its proofs.

Rule: read only, bounded by its callers, and rows of the engagement that is named alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from workseal_protocol.statement import Kind
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import Entry
from workseal_verifier.store.prepared import Prepared
from workseal_verifier.store.records import read_entry
from workseal_verifier.store.schema import checkpoints, statements

# SQLite's own limit on parameters is 32,766.
_MOST_PARAMETERS = 512
_FIRST_OVER = Prepared(
    select(checkpoints.c.size, checkpoints.c.signed)
    .where(checkpoints.c.size > bindparam("over"), checkpoints.c.signed.is_not(None))
    .order_by(checkpoints.c.size)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Whose:
    """Name an engagement, and what its freelancer's work is found by."""

    engagement: bytes
    worker: bytes


@dataclass(frozen=True, slots=True)
class Came:
    """Say of a statement that came what time it is about; None for one that adds no time."""

    position: int
    kind: str
    begin_ms: int | None
    end_ms: int | None


class DiaryRowStore:
    """Reads for the diary."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def work(
        self, whose: Whose, begin_ms: int, end_ms: int, *, longest_ms: int, below: int, most: int
    ) -> list[Entry]:
        """Read what claims time of [begin, end), in log order; nothing is longer than `longest`."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(statements)
                .where(
                    # Both bounds on what the index of a worker is ordered by.
                    statements.c.worker == whose.worker,
                    statements.c.end_ms > begin_ms,
                    statements.c.end_ms < end_ms + longest_ms,
                    statements.c.begin_ms < end_ms,
                    statements.c.engagement == whose.engagement,
                    statements.c.position < below,
                )
                .limit(most)
            ).all()
        return sorted(map(read_entry, rows), key=lambda entry: entry.position)

    def withdrawals(self, engagement: bytes, frames: Sequence[bytes], *, below: int) -> list[Entry]:
        """Read the tombstones of these frames."""
        found: list[Entry] = []
        with self.database.read() as connection:
            for start in range(0, len(frames), _MOST_PARAMETERS):
                part = frames[start : start + _MOST_PARAMETERS]
                rows = connection.execute(
                    select(statements).where(
                        statements.c.about.in_(part),
                        statements.c.kind == Kind.TOMBSTONE.value,
                        statements.c.engagement == engagement,
                        statements.c.position < below,
                    )
                ).all()
                found += map(read_entry, rows)
        return found

    def reach(self, whose: Whose, *, below: int) -> tuple[int, int] | None:
        """Read when the first work began and the last one ended; None when there is none."""
        with self.database.read() as connection:
            first, last = connection.execute(
                select(func.min(statements.c.begin_ms), func.max(statements.c.end_ms)).where(
                    statements.c.worker == whose.worker,
                    statements.c.engagement == whose.engagement,
                    statements.c.position < below,
                )
            ).one()
        return None if first is None else (first, last)

    def came(self, engagement: bytes, *, since: int, below: int, most: int) -> list[Came]:
        """Read what an engagement's statements from `since` to before `below` are about."""
        table = statements.c
        columns = (table.position, table.kind, table.begin_ms, table.end_ms)
        with self.database.read() as connection:
            rows = connection.execute(
                select(*columns)
                .where(
                    statements.c.engagement == engagement,
                    statements.c.position >= since,
                    statements.c.position < below,
                )
                .limit(most)
            ).all()
        return [Came(*row) for row in rows]

    def covering(self, positions: Sequence[int]) -> list[bytes]:
        """Read the first signed checkpoint over each of these ascending positions, each once."""
        found: list[bytes] = []
        reach = 0
        with self.database.read() as connection:
            for position in positions:
                if position < reach:
                    continue
                row = _FIRST_OVER.row(connection, over=position)
                if row is None:
                    break
                reach, signed = row
                found.append(signed)
        return found
