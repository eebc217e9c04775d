"""Whether a mail address was confirmed, and which mails asked for it; notices by their end."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _whole(name: str, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), **options)


def _octets(name: str, least: int, most: int, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    bound = sa.CheckConstraint(f"length({name}) BETWEEN {least} AND {most}", name=f"{name}_bound")
    return sa.Column(name, sa.LargeBinary(most), bound, **options)


def upgrade() -> None:
    octets = "BLOB" if op.get_bind().dialect.name == "sqlite" else "BYTEA"
    # In words of the database's own: SQLite takes a bound with its column, and not after it.
    op.execute(
        f"ALTER TABLE contacts ADD COLUMN confirm {octets}"
        " CONSTRAINT confirm_bound CHECK (length(confirm) BETWEEN 32 AND 32)"
    )
    op.add_column("contacts", _whole("confirm_until_ms", nullable=True))
    op.add_column("contacts", _whole("confirmed_ms", nullable=True))
    op.create_index("contacts_confirm", "contacts", ["confirm"])
    op.create_table(
        "confirmations",
        _octets("name", 32, 32, primary_key=True),
        _octets("thumbprint", 32, 32),
        _octets("place", 32, 32),
        _whole("asked_ms"),
        _whole("sent_ms", nullable=True),
        sqlite_strict=True,
    )
    op.create_index("confirmations_thumbprint", "confirmations", ["thumbprint"])
    op.create_index("confirmations_place", "confirmations", ["place"])
    op.create_index("notices_ended", "notices", ["ended_ms"])
