"""How chains stood after some of their statements, by engagement.

Rule: whoever reads them holds them against the statements; nothing counts because it stands here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from workseal_verifier.store.engine import Database, Row
from workseal_verifier.store.prepared import Prepared
from workseal_verifier.store.schema import milestones

_NAMES = ("engagement", "reach", "since", "past", "position", "state")
# In the order of the table's columns, as they are inserted.
_AFTER = Prepared(
    select(*(milestones.c[name] for name in _NAMES))
    .where(
        milestones.c.engagement == bindparam("of_engagement"),
        milestones.c.reach > bindparam("after"),
    )
    .order_by(milestones.c.reach)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneRow:
    """What the statements from number `since` to before `reach` of a chain added.

    `position`, where the last of them stands, and `state` are None but in the last one that was
    written at a time.
    """

    engagement: bytes
    reach: int
    since: int
    past: bytes
    position: int | None = None
    state: bytes | None = None


class MilestoneStore:
    """Reads of milestones."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def after(self, engagement: bytes, reach: int) -> list[MilestoneRow]:
        """Read an engagement's milestones that reach further than this, in order."""
        with self.database.read() as connection:
            rows = _AFTER.rows(connection, of_engagement=engagement, after=reach)
        return [MilestoneRow(**dict(zip(_NAMES, row, strict=True))) for row in rows]

    def engagements(self) -> Iterator[bytes]:
        """Name each engagement that has any."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(milestones.c.engagement).distinct().order_by(milestones.c.engagement)
            ).all()
        yield from (row.engagement for row in rows)


def milestone_row(one: MilestoneRow) -> Row:
    """Write a milestone as the values that the database has for it, in their order."""
    return (one.engagement, one.reach, one.since, one.past, one.position, one.state)
