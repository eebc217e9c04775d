"""Second bodies under one number of a chain or a case: somebody signed two histories.

Rules: what the log holds stands in the log; here stands the other body. Few are kept of each
engagement, and few bytes in all: one is evidence enough, and nobody may fill the disk by lying.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, select

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import case_steps, conflicts, statements

# Of one engagement: the first ones. A chain that forked once is not to be trusted from there on.
MOST_OF_ENGAGEMENT: Final = 4
# In all: beyond, conflicts are answered as ever, and nothing is kept any more.
MOST_BYTES: Final = 64 << 20
_PAGE: Final = 64


@dataclass(frozen=True, slots=True)
class Conflict:
    """A body that somebody signed for a number that the log gave to another one of theirs."""

    engagement: bytes
    seq: int
    digest: Digest
    body: bytes


class ConflictStore:
    """Reads and writes of conflicts."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def keep(self, found: Sequence[Conflict]) -> int:
        """Keep what there is room for, durably; return how many had no room.

        Where nothing is to be kept nothing is written: a body that is sent again and again costs
        a read. Several processes at once may keep a few more.
        """
        new = [one for one in found if not self._is_kept(one.digest)]
        chosen = self._with_room(new)
        if chosen:
            row = self.database.upsert(conflicts).on_conflict_do_nothing()
            with self.database.write() as connection:
                connection.execute(row, [_values(one) for one in chosen])
        return len(new) - len(chosen)

    def _with_room(self, found: Sequence[Conflict]) -> list[Conflict]:
        chosen: dict[Digest, Conflict] = {}
        with self.database.read() as connection:
            total = connection.execute(select(func.sum(func.length(conflicts.c.body)))).scalar()
            room = MOST_BYTES - (total or 0)
            for one in found:
                own = select(func.count()).where(conflicts.c.engagement == one.engagement)
                count = connection.execute(own).scalar_one()
                count += sum(other.engagement == one.engagement for other in chosen.values())
                if count < MOST_OF_ENGAGEMENT and len(one.body) <= room:
                    chosen[one.digest] = one
                    room -= len(one.body)
        return list(chosen.values())

    def _is_kept(self, digest: Digest) -> bool:
        with self.database.read() as connection:
            found = select(conflicts.c.seq).where(conflicts.c.digest == digest.raw)
            return connection.execute(found).one_or_none() is not None

    def of_engagement(self, engagement: bytes) -> list[Conflict]:
        """Read an engagement's conflicts, by number and digest."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(conflicts)
                .where(conflicts.c.engagement == engagement)
                .order_by(conflicts.c.seq, conflicts.c.digest)
            ).all()
        return [_conflict(row) for row in rows]

    def all(self) -> Iterator[Conflict]:
        """Read every one, a few at a time."""
        last = b""
        while True:
            with self.database.read() as connection:
                rows = connection.execute(
                    select(conflicts)
                    .where(conflicts.c.digest > last)
                    .order_by(conflicts.c.digest)
                    .limit(_PAGE)
                ).all()
            yield from map(_conflict, rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1].digest

    def logged(self, engagement: bytes, kinds: Sequence[str], seq: int) -> bytes | None:
        """Read the body that the log holds under a number: a chain is logged in its own order."""
        with self.database.read() as connection:
            return connection.execute(
                select(statements.c.body)
                .where(statements.c.engagement == engagement, statements.c.kind.in_(kinds))
                .order_by(statements.c.position)
                .offset(seq)
                .limit(1)
            ).scalar_one_or_none()

    def logged_in_case(self, engagement: bytes, filing: Digest, seq: int) -> bytes | None:
        """Read the body that the log holds under a number of a case; 0 is the filing."""
        with self.database.read() as connection:
            return connection.execute(
                select(statements.c.body)
                .join(case_steps, case_steps.c.position == statements.c.position)
                .where(case_steps.c.engagement == engagement, case_steps.c.filing == filing.raw)
                .order_by(case_steps.c.position)
                .offset(seq)
                .limit(1)
            ).scalar_one_or_none()

    def count(self) -> int:
        """Count all of them."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(conflicts)).scalar_one()


def _conflict(row: Row[Any]) -> Conflict:
    return Conflict(row.engagement, row.seq, Digest(row.digest), row.body)


def _values(one: Conflict) -> dict[str, object]:
    return {
        "digest": one.digest.raw,
        "engagement": one.engagement,
        "seq": one.seq,
        "body": one.body,
    }
