"""Notices, where parties asked to be told, when this server was up, what it signed by itself."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _whole(name: str, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), **options)


def _octets(name: str, least: int, most: int, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    bound = sa.CheckConstraint(f"length({name}) BETWEEN {least} AND {most}", name=f"{name}_bound")
    return sa.Column(name, sa.LargeBinary(most), bound, **options)


def _word(name: str, most: int, *, nullable: bool = False) -> sa.Column[Any]:
    bound = sa.CheckConstraint(f"length({name}) BETWEEN 1 AND {most}", name=f"{name}_bound")
    return sa.Column(name, sa.Text, bound, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "notices",
        _octets("name", 32, 32),
        _whole("channel"),
        _word("kind", 16),
        _octets("filing", 32, 32, nullable=True),
        _whole("step"),
        _octets("recipient", 32, 32),
        _whole("waiting"),
        _whole("made_ms"),
        _whole("state"),
        _whole("tries"),
        _whole("next_ms", nullable=True),
        _whole("ended_ms", nullable=True),
        sa.PrimaryKeyConstraint("name", "channel"),
        sqlite_strict=True,
    )
    op.create_index("notices_next", "notices", ["next_ms"])
    op.create_index("notices_recipient", "notices", ["recipient", "step"])
    op.create_index("notices_filing", "notices", ["filing", "step"])
    op.create_table(
        "contacts",
        _octets("thumbprint", 32, 32, primary_key=True),
        _word("mail", 254, nullable=True),
        _word("webhook", 500, nullable=True),
        _word("zone", 64, nullable=True),
        _whole("digest"),
        _octets("salt", 16, 16),
        _octets("stop_mail", 32, 32, unique=True),
        _octets("stop_digest", 32, 32, unique=True),
        _whole("changed_ms"),
        sqlite_strict=True,
    )
    op.create_table(
        "presence",
        _whole("begin_ms", primary_key=True, autoincrement=False),
        _whole("end_ms"),
        sqlite_strict=True,
    )
    op.create_table(
        "own_acts",
        _octets("filing", 32, 32),
        _octets("head", 32, 32),
        _octets("body", 1, 65_536),
        _whole("made_ms"),
        sa.PrimaryKeyConstraint("filing", "head"),
        sqlite_strict=True,
    )
