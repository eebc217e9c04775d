"""The cases of the log by what they are asked for: their statements, their engagement, their end.

Rule: read only, and bounded: a case has few statements, an engagement few cases, and whoever asks
for all that have ended is answered so many at a time.
"""

from typing import Any

from sqlalchemy import Row, func, select

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.schema import case_steps, statements

_steps = case_steps.c
_LATER = case_steps.alias()


class CaseRowStore:
    """Reads of the steps of cases."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def statements(self, filing: Digest, *, below: int) -> list[tuple[int, bytes]]:
        """Read (position, body) of a case's statements before a place, in log order."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(_steps.position, statements.c.body)
                .join(statements, statements.c.position == _steps.position)
                .where(_steps.filing == filing.raw, _steps.position < below)
                .order_by(_steps.position)
            ).all()
        return [(position, bytes(body)) for position, body in rows]

    def steps(self, filing: Digest, *, below: int) -> list[CaseRow]:
        """Read the steps of a case before a place, in log order."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(case_steps)
                .where(_steps.filing == filing.raw, _steps.position < below)
                .order_by(_steps.position)
            ).all()
        return [_read(row) for row in rows]

    def last(self, filing: Digest, *, below: int) -> CaseRow | None:
        """Read the newest step of a case before a place."""
        with self.database.read() as connection:
            row = connection.execute(
                select(case_steps)
                .where(_steps.filing == filing.raw, _steps.position < below)
                .order_by(_steps.position.desc())
                .limit(1)
            ).one_or_none()
        return None if row is None else _read(row)

    def of_engagement(self, engagement: bytes, *, below: int) -> list[CaseRow]:
        """Read the newest step before a place of each case of an engagement, oldest case first."""
        newest = (
            select(func.max(_steps.position).label("position"))
            .where(_steps.engagement == engagement, _steps.position < below)
            .group_by(_steps.filing)
            .subquery()
        )
        with self.database.read() as connection:
            rows = connection.execute(
                select(case_steps)
                .join(newest, newest.c.position == _steps.position)
                .order_by(_steps.position)
            ).all()
        return [_read(row) for row in rows]

    def running(self, until_ms: int, *, after: tuple[int, int], most: int) -> list[CaseRow]:
        """Read the newest steps whose deadline ends by an instant, from a place in that order on.

        The order is that of (until, position); `after` is the last place that was read.
        """
        later = select(_LATER.c.position).where(
            _LATER.c.filing == _steps.filing, _LATER.c.position > _steps.position
        )
        last_until, last_position = after
        with self.database.read() as connection:
            rows = connection.execute(
                select(case_steps)
                .where(
                    _steps.until_ms <= until_ms,
                    (_steps.until_ms > last_until)
                    | ((_steps.until_ms == last_until) & (_steps.position > last_position)),
                    ~later.exists(),
                )
                .order_by(_steps.until_ms, _steps.position)
                .limit(most)
            ).all()
        return [_read(row) for row in rows]

    def end(self) -> int:
        """Return the place behind the newest step of any case."""
        with self.database.read() as connection:
            newest = connection.execute(select(func.max(_steps.position))).scalar_one()
        return 0 if newest is None else int(newest) + 1

    def moved(self, since: int, *, below: int) -> list[CaseRow]:
        """Read the newest step before a place of each case that has one from another place on."""
        newest = (
            select(func.max(_steps.position).label("position"))
            .where(_steps.position >= since, _steps.position < below)
            .group_by(_steps.filing)
            .subquery()
        )
        with self.database.read() as connection:
            rows = connection.execute(
                select(case_steps).join(newest, newest.c.position == _steps.position)
            ).all()
        return [_read(row) for row in rows]

    def filings(self) -> list[Digest]:
        """Read the names of all cases."""
        with self.database.read() as connection:
            rows = connection.execute(select(_steps.filing).distinct().order_by(_steps.filing))
            return [Digest(filing) for (filing,) in rows]

    def newest_by_engagement(self) -> dict[bytes, int]:
        """Read where the newest step of any case of each engagement stands."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(_steps.engagement, func.max(_steps.position)).group_by(_steps.engagement)
            ).all()
        return {bytes(engagement): position for engagement, position in rows}

    def count(self) -> int:
        """Count all steps."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(case_steps)).scalar_one()


def _read(row: Row[Any]) -> CaseRow:
    return CaseRow(
        position=row.position,
        filing=Digest(row.filing),
        engagement=row.engagement,
        state=row.state,
        until_ms=row.until_ms,
    )
