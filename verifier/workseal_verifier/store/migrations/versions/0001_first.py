"""The tables of release 0.1.0."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: Any = _INTEGER, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    return sa.Column(name, kind, **options)


def _octets(name: str, least: int, most: int, **options: Any) -> sa.Column[Any]:
    return _bounded(name, sa.LargeBinary(most), least, most, **options)


def _bounded(name: str, kind: Any, least: int, most: int, **options: Any) -> sa.Column[Any]:
    bound = sa.CheckConstraint(f"length({name}) BETWEEN {least} AND {most}", name=f"{name}_bound")
    options.setdefault("nullable", False)
    return sa.Column(name, kind, bound, **options)


def upgrade() -> None:
    op.create_table(
        "head",
        _column("one", primary_key=True, autoincrement=False),
        _column("size"),
        _octets("root", 32, 32),
        sqlite_strict=True,
    )
    op.create_table(
        "statements",
        _column("position", primary_key=True, autoincrement=False),
        _octets("digest", 32, 32, unique=True),
        _octets("body", 1, 65_536),
        _bounded("kind", sa.Text(), 1, 32),
        _octets("engagement", 16, 16, nullable=True),
        _octets("about", 32, 32, nullable=True),
        _octets("worker", 32, 32, nullable=True),
        _column("begin_ms", nullable=True),
        _column("end_ms", nullable=True),
        sqlite_strict=True,
    )
    op.create_index("statements_engagement", "statements", ["engagement", "position"])
    op.create_index("statements_kind", "statements", ["kind", "position"])
    op.create_index("statements_about", "statements", ["about"])
    op.create_index("statements_worker", "statements", ["worker", "end_ms"])
    op.create_table(
        "parties",
        _octets("thumbprint", 32, 32),
        _octets("engagement", 16, 16),
        _column("role"),
        _octets("key", 32, 1_952),
        sa.PrimaryKeyConstraint("thumbprint", "engagement", "role"),
        sqlite_strict=True,
    )
    op.create_table(
        "tiles",
        _column("level"),
        _column("number"),
        _octets("hashes", 32, 8_192),
        sa.PrimaryKeyConstraint("level", "number"),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoints",
        _column("size", primary_key=True, autoincrement=False),
        _octets("root", 32, 32),
        _octets("signed", 1, 16_384, nullable=True),
        _octets("digest", 32, 32, nullable=True),
        _column("signed_at", nullable=True),
        sqlite_strict=True,
    )
    op.create_table(
        "timestamps",
        _column("size", primary_key=True, autoincrement=False),
        _octets("token", 1, 16_384),
        _column("upper_ms"),
        sqlite_strict=True,
    )
    op.create_table(
        "beacons",
        _column("period_ms"),
        _column("first_round"),
        _column("count"),
        _octets("head", 32, 32),
        _octets("statement", 32, 32),
        _column("position"),
        sa.PrimaryKeyConstraint("period_ms", "first_round"),
        sqlite_strict=True,
    )
