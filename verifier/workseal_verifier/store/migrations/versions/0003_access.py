"""Invitations, invited keys, sign-in links, sessions and passkeys."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _whole(name: str, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), **options)


def _octets(name: str, least: int, most: int, **options: Any) -> sa.Column[Any]:
    bound = sa.CheckConstraint(f"length({name}) BETWEEN {least} AND {most}", name=f"{name}_bound")
    return sa.Column(name, sa.LargeBinary(most), bound, nullable=False, **options)


def upgrade() -> None:
    op.create_table(
        "invitations",
        _octets("token", 32, 32, primary_key=True),
        _whole("role"),
        _whole("uses_left"),
        _whole("until_ms"),
        sqlite_strict=True,
    )
    op.create_table(
        "invited",
        _octets("thumbprint", 32, 32),
        _whole("role"),
        _octets("key", 32, 1_952),
        _whole("accepted_ms"),
        sa.PrimaryKeyConstraint("thumbprint", "role"),
        sqlite_strict=True,
    )
    op.create_table(
        "links",
        _octets("token", 32, 32, primary_key=True),
        _octets("thumbprint", 32, 32),
        _whole("root"),
        _whole("until_ms"),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        _octets("token", 32, 32, primary_key=True),
        _octets("thumbprint", 32, 32),
        _whole("root"),
        _whole("until_ms"),
        _whole("seen_ms"),
        _whole("fresh_ms", nullable=True),
        sqlite_strict=True,
    )
    op.create_index("sessions_thumbprint", "sessions", ["thumbprint"])
    op.create_table(
        "passkeys",
        _octets("credential", 1, 1_023, primary_key=True),
        _octets("thumbprint", 32, 32),
        _octets("public_key", 1, 1_024),
        _whole("sign_count"),
        _whole("made_ms"),
        sqlite_strict=True,
    )
    op.create_index("passkeys_thumbprint", "passkeys", ["thumbprint"])
    op.create_table(
        "spent",
        _octets("digest", 32, 32, primary_key=True),
        _whole("until_ms"),
        sqlite_strict=True,
    )
