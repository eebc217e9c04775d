"""When some process of this log was up, and what the operator's key signed by itself.

Rules: a row of `presence` grows while somebody beats; after a longer silence another one begins, so
what lies between two rows is an outage. A statement that the key signed to follow a head of a case
is kept before it is sent: whoever comes next sends the same bytes.
"""

from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import own_acts, presence


@dataclass(frozen=True, slots=True)
class Up:
    """Say from when to when this log was served."""

    begin_ms: int
    end_ms: int


class PresenceStore:
    """Reads and writes of the times in which this log was up."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def beat(self, now_ms: int, *, gap_ms: int) -> None:
        """Note that it is up; after more silence than the gap, as a time of its own."""
        with self.database.write() as connection:
            # What a clock that was ahead wrote is of no time that has been.
            newest = connection.execute(
                select(presence)
                .where(presence.c.begin_ms <= now_ms)
                .order_by(presence.c.begin_ms.desc())
                .limit(1)
            ).one_or_none()
            if newest is None or now_ms - newest.end_ms > gap_ms:
                made = self.database.upsert(presence).values(begin_ms=now_ms, end_ms=now_ms)
                connection.execute(made.on_conflict_do_nothing())
            else:
                connection.execute(
                    update(presence)
                    .where(presence.c.begin_ms == newest.begin_ms, presence.c.end_ms < now_ms)
                    .values(end_ms=now_ms)
                )

    def newest_begin(self, now_ms: int) -> int | None:
        """Return since when it is up, as it was noted before an instant."""
        with self.database.read() as connection:
            found: int | None = connection.execute(
                select(func.max(presence.c.begin_ms)).where(presence.c.begin_ms <= now_ms)
            ).scalar_one()
        return found

    def since(self, ms: int) -> list[Up]:
        """Read the times that ended after an instant, the earliest first, and the one before."""
        with self.database.read() as connection:
            before = connection.execute(
                select(presence)
                .where(presence.c.end_ms <= ms)
                .order_by(presence.c.end_ms.desc())
                .limit(1)
            ).all()
            rows = connection.execute(
                select(presence).where(presence.c.end_ms > ms).order_by(presence.c.begin_ms)
            ).all()
        return [Up(row.begin_ms, row.end_ms) for row in (*before, *rows)]


class OwnActStore:
    """Reads and writes of what the operator's key signed by itself."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def kept(self, filing: Digest, head: Digest) -> tuple[bytes, int] | None:
        """Read what was signed to follow a head, and when."""
        with self.database.read() as connection:
            row = connection.execute(
                select(own_acts.c.body, own_acts.c.made_ms).where(
                    own_acts.c.filing == filing.raw, own_acts.c.head == head.raw
                )
            ).one_or_none()
        return None if row is None else (row.body, row.made_ms)

    def keep(self, filing: Digest, head: Digest, body: bytes, now_ms: int) -> bytes:
        """Keep a statement that follows a head, and return the one that was first."""
        values = {"filing": filing.raw, "head": head.raw, "body": body, "made_ms": now_ms}
        with self.database.write() as connection:
            made = self.database.upsert(own_acts).values(values)
            connection.execute(made.on_conflict_do_nothing())
            first: bytes = connection.execute(
                select(own_acts.c.body).where(
                    own_acts.c.filing == filing.raw, own_acts.c.head == head.raw
                )
            ).scalar_one()
        return first

    def replace(self, filing: Digest, head: Digest, old: bytes, body: bytes, now_ms: int) -> bool:
        """Put another statement in the place of one; False when somebody else did."""
        with self.database.write() as connection:
            changed = connection.execute(
                update(own_acts)
                .where(
                    own_acts.c.filing == filing.raw,
                    own_acts.c.head == head.raw,
                    own_acts.c.body == old,
                )
                .values(body=body, made_ms=now_ms)
            )
        return changed.rowcount == 1

    def clear(self, before_ms: int) -> None:
        """Forget what was kept before an instant: it is in the log, or nobody will send it."""
        with self.database.read() as connection:
            old = connection.execute(
                select(own_acts.c.made_ms).where(own_acts.c.made_ms < before_ms).limit(1)
            ).one_or_none()
        if old is not None:
            with self.database.write() as connection:
                connection.execute(delete(own_acts).where(own_acts.c.made_ms < before_ms))
