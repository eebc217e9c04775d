"""How chains stood, so that not all of one is read; older chains have none until they grow."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def _octets(name: str, *, most: int, least: int, nullable: bool = False) -> sa.Column[bytes]:
    bound = sa.CheckConstraint(f"length({name}) BETWEEN {least} AND {most}", name=f"{name}_bound")
    return sa.Column(name, sa.LargeBinary(most), bound, nullable=nullable)


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "milestones",
        _octets("engagement", most=16, least=16),
        sa.Column("reach", whole, nullable=False),
        sa.Column("since", whole, nullable=False),
        _octets("past", most=65_536, least=1),
        sa.Column("position", whole, nullable=True),
        _octets("state", most=1_024, least=1, nullable=True),
        sa.PrimaryKeyConstraint("engagement", "reach"),
        sqlite_strict=True,
    )
