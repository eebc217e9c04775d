"""Questions to the stored statements: where, whose, which ones.

Rule: read only. Every answer about an engagement reads rows of that engagement alone, except the
one question that must not: whether a worker was at work elsewhere, which answers yes or no.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, func, or_, select, text

from workseal_protocol.digest import Digest
from workseal_protocol.statement import Kind
from workseal_verifier.store.caserows import CaseRowStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.keyrows import KeyRowStore
from workseal_verifier.store.logrows import BeaconRow, Entry
from workseal_verifier.store.milestonerows import MilestoneStore
from workseal_verifier.store.parties import PartyStore
from workseal_verifier.store.prepared import Among, Prepared, Row
from workseal_verifier.store.schema import BESIDE_SEGMENTS, beacons, checkpoints, statements

_PAGE = 1_000
# SQLite's own limit on parameters is 32,766; a request has far fewer digests.
_MOST_PARAMETERS = 512
_OF_DIGEST = statements.c.digest == bindparam("of_digest")
_REST = ("body", "kind", "engagement", "about", "worker", "begin_ms", "end_ms", "seq")
_WHOLE = select(statements.c.position, statements.c.digest, *(statements.c[name] for name in _REST))
_BY_DIGEST = Prepared(_WHOLE.where(_OF_DIGEST))
_FIRST = Prepared(
    _WHOLE.where(statements.c.engagement == bindparam("of_engagement"))
    .order_by(statements.c.position)
    .limit(1)
)
_POSITION = Prepared(select(statements.c.position).where(_OF_DIGEST))
_OWN = Prepared(
    _WHOLE.where(
        statements.c.engagement == bindparam("of_engagement"),
        statements.c.position > bindparam("after"),
        statements.c.position < bindparam("below"),
    )
    .order_by(statements.c.position)
    .limit(bindparam("most"))
)
_NEXT = Prepared(
    _WHOLE.where(statements.c.position > bindparam("after"))
    .order_by(statements.c.position)
    .limit(bindparam("most"))
)
_POSITIONS = Among(select(statements.c.digest, statements.c.position), statements.c.digest)
_REACH = (
    select(checkpoints.c.size)
    .where(checkpoints.c.signed.is_not(None))
    .order_by(checkpoints.c.size.desc())
    .limit(1)
    .scalar_subquery()
)
# In one row also where the statement is not logged.
_POSITION_AND_REACH = Prepared(
    select(select(statements.c.position).where(_OF_DIGEST).scalar_subquery(), _REACH)
)


@dataclass(frozen=True, slots=True)
class Touched:
    """Whom and what some statements are about, how many, and when the latest work of them ended."""

    kind: str
    engagement: bytes | None
    worker: bytes | None
    end_ms: int | None
    count: int


class RecordStore:
    """Reads of statements and beacon chains."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.parties = PartyStore(database)
        self.keys = KeyRowStore(database)
        self.cases = CaseRowStore(database)
        self.milestones = MilestoneStore(database)

    def positions(self, digests: Sequence[Digest]) -> dict[Digest, int]:
        """Read where these statements stand, for those that are logged."""
        with self.database.read() as connection:
            rows = _POSITIONS.rows(connection, [digest.raw for digest in digests])
        return {Digest(digest): position for digest, position in rows}

    def digests(self, first: int, count: int) -> list[Digest]:
        """Read the digests of the statements at these positions, in log order."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(statements.c.digest)
                .where(statements.c.position >= first, statements.c.position < first + count)
                .order_by(statements.c.position)
            ).all()
        return [Digest(row.digest) for row in rows]

    def by_digest(self, digest: Digest) -> Entry | None:
        """Read one statement."""
        with self.database.read() as connection:
            row = _BY_DIGEST.row(connection, of_digest=digest.raw)
        return None if row is None else _read(row)

    def position(self, digest: Digest) -> int | None:
        """Read where a statement stands, None if it is not logged."""
        with self.database.read() as connection:
            row = _POSITION.row(connection, of_digest=digest.raw)
        return None if row is None else row[0]

    def position_and_reach(self, digest: Digest) -> tuple[int | None, int]:
        """Read where a statement stands, and how far signed checkpoints reach, in one question."""
        with self.database.read() as connection:
            row = _POSITION_AND_REACH.row(connection, of_digest=digest.raw)
        position, reach = (None, None) if row is None else row
        return position, reach or 0

    def of_engagement(self, engagement: bytes, *, below: int, since: int = 0) -> Iterator[Entry]:
        """Read an engagement's own statements in log order, from `since` to before `below`."""
        after: int | None = since - 1
        while after is not None:
            with self.database.read() as connection:
                rows = _OWN.rows(
                    connection, of_engagement=engagement, after=after, below=below, most=_PAGE
                )
            yield from map(_read, rows)
            after = rows[-1][0] if len(rows) == _PAGE else None

    def beginning(self, engagement: bytes, *, below: int, most: int) -> list[Entry]:
        """Read so many of an engagement's first statements before a place."""
        with self.database.read() as connection:
            rows = _OWN.rows(connection, of_engagement=engagement, after=-1, below=below, most=most)
        return list(map(_read, rows))

    def of_kinds(self, kinds: Sequence[str], *, below: int, since: int = 0) -> Iterator[Entry]:
        """Read all statements of these kinds in log order, from `since` to before `below`.

        Segments are asked for by engagement alone.
        """
        if Kind.SEGMENT.value in kinds:
            raise ValueError("expected kinds of which a log has few")
        wanted = and_(statements.c.kind.in_(kinds), text(BESIDE_SEGMENTS))
        yield from self._paged(wanted, since=since, below=below)

    def touched(self, first: int, below: int) -> list[Touched]:
        """Read what the statements from one position to before another are about."""
        columns = (statements.c.kind, statements.c.engagement, statements.c.worker)
        with self.database.read() as connection:
            rows = connection.execute(
                select(*columns, func.max(statements.c.end_ms), func.count())
                .where(statements.c.position >= first, statements.c.position < below)
                .group_by(*columns)
            ).all()
        return [Touched(*row) for row in rows]

    def all(self) -> Iterator[Entry]:
        """Read every statement in log order."""
        for page in self.pages():
            yield from map(_read, page)

    def pages(self) -> Iterator[list[Row]]:
        """Read every statement in log order, many at a time: the values of an `Entry`, raw."""
        last = -1
        while True:
            with self.database.read() as connection:
                rows = _NEXT.rows(connection, after=last, most=_PAGE)
            if not rows:
                return
            yield rows
            last = rows[-1][0]

    def count_outside(self, size: int) -> int:
        """Count the statements at places that a log of this size does not have."""
        place = statements.c.position
        with self.database.read() as connection:
            return connection.execute(
                select(func.count()).where(or_(place < 0, place >= size))
            ).scalar_one()

    def of_engagement_and_kinds(
        self, engagement: bytes, kinds: Sequence[str], *, since: int, below: int
    ) -> Iterator[Entry]:
        """Read an engagement's statements of these kinds, from `since` to before `below`."""
        wanted = and_(statements.c.engagement == engagement, statements.c.kind.in_(kinds))
        yield from self._paged(wanted, since=since, below=below)

    def about(self, about: bytes, kind: str, engagement: bytes) -> list[Entry]:
        """Read the engagement's statements of a kind that answer this digest."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(statements)
                .where(
                    statements.c.about == about,
                    statements.c.kind == kind,
                    statements.c.engagement == engagement,
                )
                .order_by(statements.c.position)
            ).all()
        return [read_entry(row) for row in rows]

    def rotation_to(self, thumbprint: Digest) -> Entry | None:
        """Read a key.rotate statement whose new key this is."""
        with self.database.read() as connection:
            row = connection.execute(
                select(statements)
                .where(
                    statements.c.about == thumbprint.raw,
                    statements.c.kind == Kind.KEY_ROTATE.value,
                )
                .limit(1)
            ).one_or_none()
        return None if row is None else read_entry(row)

    def works_elsewhere(
        self, workers: Sequence[bytes], engagement: bytes, begin_ms: int, end_ms: int
    ) -> list[tuple[int, int]]:
        """Read the spans of work in other engagements that meet [begin, end)."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(statements.c.begin_ms, statements.c.end_ms).where(
                    statements.c.worker.in_(workers),
                    statements.c.end_ms > begin_ms,
                    statements.c.begin_ms < end_ms,
                    statements.c.engagement != engagement,
                )
            ).all()
        return [(row.begin_ms, row.end_ms) for row in rows]

    def last_work(self, workers: Sequence[bytes]) -> dict[bytes, int]:
        """Read, per engagement of a worker, when the latest work ended."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(statements.c.engagement, func.max(statements.c.end_ms).label("end_ms"))
                .where(statements.c.worker.in_(workers), statements.c.end_ms.is_not(None))
                .group_by(statements.c.engagement)
            ).all()
        return {row.engagement: row.end_ms for row in rows}

    def first_of(self, engagement: bytes) -> Entry | None:
        """Read the first statement of an engagement, its offer."""
        with self.database.read() as connection:
            row = _FIRST.row(connection, of_engagement=engagement)
        return None if row is None else _read(row)

    def beacons(self) -> list[BeaconRow]:
        """Read every committed chain of the beacon, in log order."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(beacons, beacons.c.count.label("rounds")).order_by(beacons.c.position)
            ).all()
        return [
            BeaconRow(
                period_ms=row.period_ms,
                first_round=row.first_round,
                count=row.rounds,
                head=Digest(row.head),
                statement=Digest(row.statement),
                position=row.position,
            )
            for row in rows
        ]

    def at(self, positions: Sequence[int]) -> Iterator[Entry]:
        """Read the statements at these positions, in log order."""
        for start in range(0, len(positions), _MOST_PARAMETERS):
            part = positions[start : start + _MOST_PARAMETERS]
            with self.database.read() as connection:
                rows = connection.execute(
                    select(statements)
                    .where(statements.c.position.in_(part))
                    .order_by(statements.c.position)
                ).all()
            yield from map(read_entry, rows)

    def newest_of(self, engagement: bytes, kinds: Sequence[str], *, below: int) -> Entry | None:
        """Read the engagement's newest statement of these kinds before a place."""
        with self.database.read() as connection:
            row = connection.execute(
                select(statements)
                .where(
                    statements.c.engagement == engagement,
                    statements.c.kind.in_(kinds),
                    statements.c.position < below,
                )
                .order_by(statements.c.position.desc())
                .limit(1)
            ).one_or_none()
        return None if row is None else read_entry(row)

    def last_of(self, engagement: bytes, *, below: int) -> int:
        """Read where the engagement's newest statement before `below` stands; -1 for none."""
        with self.database.read() as connection:
            found = connection.execute(
                select(func.max(statements.c.position)).where(
                    statements.c.engagement == engagement, statements.c.position < below
                )
            ).scalar_one()
        return -1 if found is None else found

    def _paged(self, condition: object, *, since: int, below: int) -> Iterator[Entry]:
        # One lower bound and not two: SQLite would begin each page at the first one it is told.
        last = since - 1
        while True:
            with self.database.read() as connection:
                rows = connection.execute(
                    _WHOLE.where(
                        condition,  # type: ignore[arg-type]
                        statements.c.position > last,
                        statements.c.position < below,
                    )
                    .order_by(statements.c.position)
                    .limit(_PAGE)
                ).all()
            if not rows:
                return
            yield from map(_read, rows)
            last = rows[-1].position


def _read(row: Row) -> Entry:
    position, digest, body, kind, engagement, about, worker, begin_ms, end_ms, seq = row
    return Entry(
        position=position,
        digest=Digest(digest),
        body=body,
        kind=kind,
        engagement=engagement,
        about=about,
        worker=worker,
        begin_ms=begin_ms,
        end_ms=end_ms,
        seq=seq,
    )


def read_entry(row: object) -> Entry:
    """Read a whole row of the statements."""
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001
    return Entry(
        position=values["position"],
        digest=Digest(values["digest"]),
        body=values["body"],
        kind=values["kind"],
        engagement=values["engagement"],
        about=values["about"],
        worker=values["worker"],
        begin_ms=values["begin_ms"],
        end_ms=values["end_ms"],
        seq=values["seq"],
    )
