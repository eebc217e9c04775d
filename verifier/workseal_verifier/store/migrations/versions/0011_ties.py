"""How keys are tied to their agreements, and where a case moved last: by what lists are ordered."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_PAGE = 1_000
# In the words of the index by kind.
_OF_KIND = sa.text(
    "SELECT position, engagement FROM statements WHERE kind = :kind AND kind <> 'segment'"
    " AND position > :last ORDER BY position LIMIT :most"
)
# As they were numbered when this was written. Roles: 1 the freelancer, 2 the client. Ties: 0 both
# signed and the key is one of them, 1 the key offers it, 2 two others signed, 3 another offers it.
_OFFERED = sa.text(
    "UPDATE parties SET place = :position, tie = CASE WHEN role = 2 THEN 1 ELSE 3 END"
    " WHERE engagement = :engagement"
)
_ACCEPTED = sa.text(
    "UPDATE parties SET place = :position, tie = CASE WHEN role IN (1, 2) THEN 0 ELSE 2 END"
    " WHERE engagement = :engagement"
)
_STEPS = sa.text("SELECT engagement, max(position) AS position FROM case_steps GROUP BY engagement")
_MOVED = sa.text("UPDATE parties SET moved = :position WHERE engagement = :engagement")


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("parties", sa.Column("tie", whole, nullable=False, server_default="3"))
    op.add_column("parties", sa.Column("place", whole, nullable=False, server_default="0"))
    op.add_column("parties", sa.Column("moved", whole, nullable=True))
    op.create_index("parties_engagement", "parties", ["engagement"])
    _tie("offer", _OFFERED)
    _tie("acceptance", _ACCEPTED)
    connection = op.get_bind()
    if steps := connection.execute(_STEPS).all():
        connection.execute(_MOVED, [one._asdict() for one in steps])
    if connection.dialect.name != "sqlite":
        # SQLite cannot take a default back, and nothing relies on it.
        op.alter_column("parties", "tie", server_default=None)
        op.alter_column("parties", "place", server_default=None)
    op.create_index("parties_tie", "parties", ["thumbprint", "tie", "place"])
    among = sa.text("moved IS NOT NULL")
    op.create_index(
        "parties_moved",
        "parties",
        ["thumbprint", "tie", "moved"],
        sqlite_where=among,
        postgresql_where=among,
    )


def _tie(kind: str, update: sa.TextClause) -> None:
    connection = op.get_bind()
    last = -1
    while rows := connection.execute(_OF_KIND, {"kind": kind, "last": last, "most": _PAGE}).all():
        connection.execute(update, [one._asdict() for one in rows])
        last = rows[-1].position
