"""Whom the logged key statements are about: found by key, so that nobody has to hold them all.

Rule: read only. Announcing costs nothing, so of what others say about a key so much is read at most
as is asked for.
"""

from collections.abc import Iterable

from sqlalchemy import bindparam, case, func, or_, select

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import KeyRow
from workseal_verifier.store.prepared import Prepared, Row
from workseal_verifier.store.schema import key_events, parties, statements

_rows = key_events.c
_WITHIN = (bindparam("since") <= _rows.position, _rows.position < bindparam("below"))
_ROW = (_rows.position, _rows.subject, _rows.successor, _rows.recovery)
_ABOUT = Prepared(
    select(_rows.position, statements.c.body)
    .join(statements, statements.c.position == _rows.position)
    .where(_rows.subject == bindparam("of_key"), *_WITHIN)
    .order_by(_rows.position)
)
_TO = Prepared(
    select(*_ROW).where(_rows.successor == bindparam("of_key"), *_WITHIN).order_by(_rows.position)
)
_NAMING = Prepared(
    select(*_ROW)
    .where(_rows.recovery == bindparam("of_key"), *_WITHIN)
    .order_by(_rows.position)
    .limit(bindparam("most"))
)
_LAST = Prepared(
    select(_rows.position)
    .where(_rows.position < bindparam("below"))
    .order_by(_rows.position.desc())
    .limit(1)
)


class KeyRowStore:
    """Reads of key statements by the keys that they are about."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def about(self, key: Digest, *, since: int, below: int) -> list[tuple[int, bytes]]:
        """Read (position, body) of what a key must count for."""
        with self.database.read() as connection:
            values = {"of_key": key.raw, "since": since, "below": below}
            return [(place, bytes(body)) for place, body in _ABOUT.rows(connection, **values)]

    def rotations_to(self, key: Digest, *, since: int, below: int) -> list[KeyRow]:
        """Read the rotations that led to a key."""
        with self.database.read() as connection:
            values = {"of_key": key.raw, "since": since, "below": below}
            return [_read(row) for row in _TO.rows(connection, **values)]

    def naming(self, recovery: Digest, *, since: int, below: int, most: int) -> list[KeyRow]:
        """Read the first announcements that name a recovery key."""
        with self.database.read() as connection:
            values = {"of_key": recovery.raw, "since": since, "below": below, "most": most}
            return [_read(row) for row in _NAMING.rows(connection, **values)]

    def reach(self, below: int) -> int:
        """Read the place after the last key statement before another place; 0 for none."""
        with self.database.read() as connection:
            row = _LAST.row(connection, below=below)
        return 0 if row is None else row[0] + 1

    def at(self, position: int) -> KeyRow | None:
        """Read the row of one statement."""
        with self.database.read() as connection:
            row = connection.execute(select(*_ROW).where(_rows.position == position)).one_or_none()
        return None if row is None else _read(tuple(row))

    def count(self) -> int:
        """Count all rows."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(key_events)).scalar_one()

    def relying_on(
        self, recovery: Digest, own: Iterable[Digest], *, below: int, most: int
    ) -> list[bytes]:
        """Read the engagements of some keys in which a party named this recovery key.

        A party has the keys that the terms name, those before them and those after. How many
        others name the recovery key does not matter: the question begins at the engagements, and
        those to which both are tied closest come first.
        """
        mine, other = parties.alias(), parties.alias()
        kin = (
            select(
                other.c.engagement,
                other.c.thumbprint,
                (mine.c.tie + other.c.tie).label("tie"),
                mine.c.place,
            )
            .join(mine, mine.c.engagement == other.c.engagement)
            .where(mine.c.thumbprint.in_([key.raw for key in own]))
            .cte("kin", recursive=True)
        )
        step = key_events.alias()
        kin = kin.union(
            select(
                kin.c.engagement,
                case((step.c.subject == kin.c.thumbprint, step.c.successor), else_=step.c.subject),
                kin.c.tie,
                kin.c.place,
            )
            .join(
                step,
                or_(step.c.subject == kin.c.thumbprint, step.c.successor == kin.c.thumbprint),
            )
            .where(step.c.successor.is_not(None), step.c.position < below)
        )
        with self.database.read() as connection:
            rows = connection.execute(
                select(kin.c.engagement)
                .join(key_events, _rows.subject == kin.c.thumbprint)
                .where(_rows.recovery == recovery.raw, _rows.position < below)
                .group_by(kin.c.engagement)
                .order_by(func.min(kin.c.tie), func.max(kin.c.place).desc())
                .limit(most)
            ).all()
        return [engagement for (engagement,) in rows]


def _read(row: Row) -> KeyRow:
    position, subject, successor, recovery = row
    return KeyRow(
        position=position,
        subject=Digest(subject),
        successor=None if successor is None else Digest(successor),
        recovery=None if recovery is None else Digest(recovery),
    )
