"""Whom the terms of engagements name: which keys, where, and as what.

Rule: read only, and bounded: a key may stand in the terms of thousands, and strangers may name it
in as many as they like. So what a key has signed comes before what names it, what is accepted
before what is only offered, and the place in the log decides then, which nobody chooses.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, exists, func, select, tuple_

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.keys import Role
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import PartyRow, Tie
from workseal_verifier.store.prepared import Prepared
from workseal_verifier.store.schema import parties

_PAGE = 1_000


def _newest(place: ColumnElement[Any]) -> Prepared:
    """Make the question for a key's agreements of one tie, from a place on, newest first."""
    return Prepared(
        select(parties.c.engagement, place)
        .where(
            parties.c.thumbprint == bindparam("of_key"),
            parties.c.tie == bindparam("of_tie"),
            place < bindparam("before"),
        )
        .order_by(place.desc())
        .limit(bindparam("most"))
    )


_TIED = _newest(parties.c.place)
_MOVED = _newest(parties.c.moved)
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


@dataclass(frozen=True, slots=True)
class Mark:
    """Say where in the order of a key's list something stands."""

    tie: Tie
    place: int


@dataclass(frozen=True, slots=True)
class Page:
    """Hold engagements in their order, and after which mark the list goes on, if it does."""

    engagements: Mapping[bytes, Mark]
    following: Mark | None


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
        """Read the engagements whose terms name one of these keys, at most so many.

        The closest tie first, and of one tie the newest: what a stranger offers comes last.
        """
        return list(self.tied(thumbprints, most=most).engagements)

    def tied(
        self,
        thumbprints: Iterable[Digest],
        *,
        most: int,
        ties: Sequence[Tie] = tuple(Tie),
        after: Mark | None = None,
    ) -> Page:
        """Read a page of the engagements that name one of these keys, in that order."""
        return self._page(_TIED, sorted(thumbprints), most, ties, after)

    def disputed(
        self, thumbprints: Iterable[Digest], *, most: int, after: Mark | None = None
    ) -> Page:
        """Read a page of the engagements of these keys that have cases, the latest moved first.

        Those that one of the keys signed come before those that only name it.
        """
        return self._page(_MOVED, sorted(thumbprints), most, (Tie.SIGNED, Tie.NAMED), after)

    def _page(
        self,
        question: Prepared,
        thumbprints: Sequence[Digest],
        most: int,
        ties: Sequence[Tie],
        after: Mark | None,
    ) -> Page:
        found: dict[bytes, Mark] = {}
        with self.database.read() as connection:
            for tie in ties:
                if len(found) > most or (after is not None and tie < after.tie):
                    continue
                goes_on = after is not None and tie == after.tie
                before = after.place if after is not None and goes_on else MAX_INTEGER + 1
                rows = [
                    row
                    for key in thumbprints
                    for row in question.rows(
                        connection, of_key=key.raw, of_tie=int(tie), before=before, most=most + 1
                    )
                ]
                for engagement, place in sorted(rows, key=lambda row: row[1], reverse=True):
                    found.setdefault(bytes(engagement), Mark(tie, place))
        return _cut(found, most)

    def between(
        self, clients: Iterable[Digest], freelancers: Iterable[Digest], *, most: int
    ) -> Page:
        """Read the newest engagements that a client and a freelancer of these have both signed."""
        theirs = exists().where(
            _OTHERS.c.thumbprint.in_([key.raw for key in freelancers]),
            _OTHERS.c.engagement == parties.c.engagement,
            _OTHERS.c.role == int(Role.FREELANCER),
        )
        with self.database.read() as connection:
            rows = connection.execute(
                select(parties.c.engagement, parties.c.place)
                .where(
                    parties.c.thumbprint.in_([key.raw for key in clients]),
                    parties.c.role == int(Role.CLIENT),
                    parties.c.tie == int(Tie.SIGNED),
                    theirs,
                )
                .order_by(parties.c.place.desc())
                .limit(most + 1)
            ).all()
        return _cut({bytes(of): Mark(Tie.SIGNED, place) for of, place in rows}, most)

    def is_in(self, engagement: bytes, thumbprints: Iterable[Digest]) -> bool:
        """Tell whether the terms of an engagement name one of these keys."""
        with self.database.read() as connection:
            return any(
                _STANDS_ANYHOW.row(connection, of_key=key.raw, of_engagement=engagement)
                for key in sorted(thumbprints)
            )

    def shared_by(
        self, some: Iterable[Digest], others: Iterable[Digest], *, most: int
    ) -> list[bytes]:
        """Read the engagements that name one of some keys and one of the others.

        First comes what both are tied to closest, as in their own lists. The store is asked once:
        two persons with many keys each would be thousands of questions.
        """
        tie = func.min(parties.c.tie + _OTHERS.c.tie)
        with self.database.read() as connection:
            rows = connection.execute(
                select(parties.c.engagement)
                .join(_OTHERS, _OTHERS.c.engagement == parties.c.engagement)
                .where(
                    parties.c.thumbprint.in_([key.raw for key in some]),
                    _OTHERS.c.thumbprint.in_([key.raw for key in others]),
                )
                .group_by(parties.c.engagement)
                .order_by(tie, func.max(parties.c.place).desc())
                .limit(most)
            ).all()
        return [engagement for (engagement,) in rows]


def _cut(found: Mapping[bytes, Mark], most: int) -> Page:
    """Make a page of so many, out of one more where there are more."""
    marks = dict(islice(found.items(), most))
    return Page(marks, following=[*marks.values()][-1] if len(found) > most else None)


def _party(row: Row[Any]) -> PartyRow:
    return PartyRow(
        thumbprint=Digest(row.thumbprint),
        engagement=row.engagement,
        role=Role(row.role),
        key=row.key,
        tie=Tie(row.tie),
        place=row.place,
        moved=row.moved,
    )
