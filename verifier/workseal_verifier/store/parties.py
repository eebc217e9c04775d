"""Whom the terms of engagements name: which keys, where, and as what.

Rule: read only, and bounded: a key may stand in the terms of thousands.
"""

from collections.abc import Iterable, Sequence
from itertools import product

from sqlalchemy import bindparam, select

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import PartyRow
from workseal_verifier.store.prepared import Prepared
from workseal_verifier.store.schema import parties

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
_OTHERS = parties.alias()
_JUDGED = Prepared(
    select(parties.c.engagement)
    .distinct()
    .where(
        parties.c.thumbprint == bindparam("by_key"),
        parties.c.role == int(Role.ARBITRATOR),
        select(_OTHERS.c.role)
        .where(
            _OTHERS.c.thumbprint == bindparam("of_key"),
            _OTHERS.c.engagement == parties.c.engagement,
        )
        .exists(),
    )
    .order_by(parties.c.engagement)
    .limit(bindparam("most"))
)


class PartyStore:
    """Reads of the parties of engagements."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def rows(self, thumbprints: Sequence[bytes]) -> list[PartyRow]:
        """Read in which engagements and roles these keys stand in the terms."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(parties)
                .where(parties.c.thumbprint.in_(thumbprints))
                .order_by(parties.c.engagement)
            ).all()
        return [
            PartyRow(
                thumbprint=Digest(row.thumbprint),
                engagement=row.engagement,
                role=Role(row.role),
                key=row.key,
            )
            for row in rows
        ]

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

    def cases_of(
        self, arbitrators: Iterable[Digest], thumbprints: Iterable[Digest], *, most: int
    ) -> list[bytes]:
        """Read the engagements of these arbitrators that name one of these keys."""
        found: dict[bytes, None] = {}
        pairs = product(sorted(arbitrators), sorted(thumbprints))
        with self.database.read() as connection:
            for judge, key in pairs:
                if len(found) < most:
                    rows = _JUDGED.rows(connection, by_key=judge.raw, of_key=key.raw, most=most)
                    found.update((engagement, None) for (engagement,) in rows)
        return list(found)[:most]
