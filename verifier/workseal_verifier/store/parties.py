"""Whom the terms of engagements name: which keys, where, and as what.

Rule: read only, and bounded: a key may stand in the terms of thousands.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, exists, func, select, true, tuple_

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import PartyRow
from workseal_verifier.store.prepared import Prepared
from workseal_verifier.store.schema import parties

_PAGE = 1_000
_NAMED = Prepared(
    select(parties.c.engagement)
    .distinct()
    .where(parties.c.thumbprint == bindparam("of_key"))
    .order_by(parties.c.engagement)
    .limit(bindparam("most"))
)
_KEY = Prepared(select(parties.c.key).where(parties.c.thumbprint == bindparam("of_key")).limit(1))
_STANDS = Prepared(
    select(parties.c.role).where(
        parties.c.thumbprint == bindparam("of_key"),
        parties.c.engagement == bindparam("of_engagement"),
        parties.c.role == bindparam("in_role"),
    )
)
_STANDS_ANYHOW = Prepared(
    select(parties.c.role)
    .where(
        parties.c.thumbprint == bindparam("of_key"),
        parties.c.engagement == bindparam("of_engagement"),
    )
    .limit(1)
)
_OTHERS = parties.alias()


class PartyStore:
    """Reads of the parties of engagements."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def named_in(self, engagement: bytes, thumbprints: Iterable[Digest]) -> list[PartyRow]:
        """Read what one engagement has of these keys, whatever else they stand in."""
        of = [key.raw for key in thumbprints]
        with self.database.read() as connection:
            rows = connection.execute(
                select(parties)
                .where(parties.c.engagement == engagement, parties.c.thumbprint.in_(of))
                .order_by(parties.c.thumbprint, parties.c.role)
            ).all()
        return [_party(row) for row in rows]

    def count(self) -> int:
        """Count all rows."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(parties)).scalar_one()

    def all(self) -> Iterator[PartyRow]:
        """Read every row, a page at a time, key by key."""
        place = tuple_(parties.c.thumbprint, parties.c.engagement, parties.c.role)
        last: tuple[bytes, bytes, int] = (b"", b"", 0)
        while True:
            with self.database.read() as connection:
                rows = connection.execute(
                    select(parties).where(place > last).order_by(*place).limit(_PAGE)
                ).all()
            yield from map(_party, rows)
            if len(rows) < _PAGE:
                return
            last = (rows[-1].thumbprint, rows[-1].engagement, rows[-1].role)

    def key(self, thumbprint: Digest) -> bytes | None:
        """Read the key with this thumbprint, if it stands in the terms of any engagement."""
        with self.database.read() as connection:
            row = _KEY.row(connection, of_key=thumbprint.raw)
        return None if row is None else row[0]

    def is_named(self, engagement: bytes, thumbprint: Digest, role: Role) -> bool:
        """Tell whether the terms of an engagement name a key in a role."""
        with self.database.read() as connection:
            values = {"of_key": thumbprint.raw, "of_engagement": engagement, "in_role": int(role)}
            return _STANDS.row(connection, **values) is not None

    def engagements_of(self, thumbprints: Iterable[Digest], *, most: int) -> list[bytes]:
        """Read the engagements whose terms name one of these keys, at most so many."""
        found: dict[bytes, None] = {}
        with self.database.read() as connection:
            for key in sorted(thumbprints):
                if len(found) < most:
                    rows = _NAMED.rows(connection, of_key=key.raw, most=most)
                    found.update((engagement, None) for (engagement,) in rows)
        return list(found)[:most]

    def is_in(self, engagement: bytes, thumbprints: Iterable[Digest]) -> bool:
        """Tell whether the terms of an engagement name one of these keys."""
        with self.database.read() as connection:
            return any(
                _STANDS_ANYHOW.row(connection, of_key=key.raw, of_engagement=engagement)
                for key in sorted(thumbprints)
            )

    def cases_of(
        self, arbitrators: Iterable[Digest], thumbprints: Iterable[Digest], *, most: int
    ) -> list[bytes]:
        """Read the engagements of these arbitrators that name one of these keys."""
        judges = parties.c.role == int(Role.ARBITRATOR)
        return self._of_pairs(judges, arbitrators, thumbprints, most)

    def shared_by(
        self, some: Iterable[Digest], others: Iterable[Digest], *, most: int
    ) -> list[bytes]:
        """Read the engagements that name one of some keys and one of the others."""
        return self._of_pairs(true(), some, others, most)

    def _of_pairs(
        self,
        where: ColumnElement[bool],
        some: Iterable[Digest],
        others: Iterable[Digest],
        most: int,
    ) -> list[bytes]:
        """Ask once: two persons with many keys each would be thousands of questions."""
        names_other = exists().where(
            _OTHERS.c.thumbprint.in_([key.raw for key in others]),
            _OTHERS.c.engagement == parties.c.engagement,
        )
        with self.database.read() as connection:
            rows = connection.execute(
                select(parties.c.engagement)
                .distinct()
                .where(parties.c.thumbprint.in_([key.raw for key in some]), where, names_other)
                .order_by(parties.c.engagement)
                .limit(most)
            ).all()
        return [engagement for (engagement,) in rows]


def _party(row: Row[Any]) -> PartyRow:
    return PartyRow(
        thumbprint=Digest(row.thumbprint),
        engagement=row.engagement,
        role=Role(row.role),
        key=row.key,
    )
