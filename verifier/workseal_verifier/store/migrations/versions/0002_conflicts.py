"""Second bodies under one number of a chain."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "conflicts",
        sa.Column(
            "digest",
            sa.LargeBinary(32),
            sa.CheckConstraint("length(digest) BETWEEN 32 AND 32", name="digest_bound"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column(
            "engagement",
            sa.LargeBinary(16),
            sa.CheckConstraint("length(engagement) BETWEEN 16 AND 16", name="engagement_bound"),
            nullable=False,
        ),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "body",
            sa.LargeBinary(65_536),
            sa.CheckConstraint("length(body) BETWEEN 1 AND 65536", name="body_bound"),
            nullable=False,
        ),
        sqlite_strict=True,
    )
    op.create_index("conflicts_engagement", "conflicts", ["engagement", "seq"])
