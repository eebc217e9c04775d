"""Where each case stood after each of its statements; an earlier program took none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def _octets(name: str, length: int) -> sa.Column[bytes]:
    bound = sa.CheckConstraint(
        f"length({name}) BETWEEN {length} AND {length}", name=f"{name}_bound"
    )
    return sa.Column(name, sa.LargeBinary(length), bound, nullable=False)


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "case_steps",
        sa.Column("position", whole, primary_key=True, autoincrement=False, nullable=False),
        _octets("filing", 32),
        _octets("engagement", 16),
        sa.Column(
            "state",
            sa.Text,
            sa.CheckConstraint("length(state) BETWEEN 1 AND 16", name="state_bound"),
            nullable=False,
        ),
        sa.Column("until_ms", whole, nullable=True),
        sqlite_strict=True,
    )
    op.create_index("case_steps_filing", "case_steps", ["filing", "position"])
    op.create_index("case_steps_engagement", "case_steps", ["engagement", "position"])
    op.create_index("case_steps_until", "case_steps", ["until_ms"])
