"""No two statements of a chain with one number; and indexes without what they are not asked for."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from workseal_protocol.errors import MalformedError
from workseal_protocol.records import ChainedRecord, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.errors import StoreCorruptError

revision = "0010"
down_revision = "0009"

_PAGE = 1_000
# The kinds of a chain, as they were named when this was written.
_STORED = sa.text(
    "SELECT position, body FROM statements WHERE position > :last AND kind IN ('session.open',"
    " 'segment', 'session.close', 'tombstone', 'declaration', 'evidence')"
    " ORDER BY position LIMIT :most"
)
_NUMBER = sa.text("UPDATE statements SET seq = :seq WHERE position = :position")
_TWICE = sa.text(
    "SELECT min(position) AS first, max(position) AS last, seq FROM statements"
    " WHERE seq IS NOT NULL GROUP BY engagement, seq HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
)


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("statements", sa.Column("seq", whole, nullable=True))
    connection = op.get_bind()
    last = -1
    while rows := connection.execute(_STORED, {"last": last, "most": _PAGE}).all():
        connection.execute(_NUMBER, [_numbered(one.position, one.body) for one in rows])
        last = rows[-1].position
    twice = connection.execute(_TWICE).one_or_none()
    if twice is not None:
        raise StoreCorruptError(
            f"statements {twice.first} and {twice.last} are both number {twice.seq} of one chain,"
            " which no log may hold: nothing was changed; run check-log of the program before"
        )
    _index("statements_seq", "engagement", "seq", where="seq IS NOT NULL", unique=True)
    op.drop_index("statements_kind", "statements")
    _index("statements_kind", "kind", "position", where="kind <> 'segment'")
    op.drop_index("statements_about", "statements")
    _index("statements_about", "about", where="about IS NOT NULL")


def _numbered(position: int, body: bytes) -> dict[str, int]:
    try:
        record = read_record(Statement.parse(bytes(body)))
    except MalformedError as error:
        raise StoreCorruptError(f"statement {position} cannot be read: {error}") from error
    if not isinstance(record, ChainedRecord):
        raise StoreCorruptError(f"statement {position} is stored as another kind")
    return {"position": position, "seq": record.seq}


def _index(name: str, *columns: str, where: str, **options: Any) -> None:
    among = sa.text(where)
    op.create_index(
        name, "statements", columns, sqlite_where=among, postgresql_where=among, **options
    )
