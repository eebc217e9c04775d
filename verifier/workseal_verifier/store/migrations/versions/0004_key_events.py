"""Whom each key statement is about: found by the key, where memory held them all before."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from workseal_protocol.records import KeyAnnounce, KeyRevoke, KeyRotate, read_record
from workseal_protocol.statement import Statement

revision = "0004"
down_revision = "0003"

_PAGE = 1_000


def _octets(name: str, **options: Any) -> sa.Column[Any]:
    bound = sa.CheckConstraint(f"length({name}) BETWEEN 32 AND 32", name=f"{name}_bound")
    return sa.Column(name, sa.LargeBinary(32), bound, **options)


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    table = op.create_table(
        "key_events",
        sa.Column("position", whole, primary_key=True, autoincrement=False, nullable=False),
        _octets("subject", nullable=False),
        _octets("successor", nullable=True),
        _octets("recovery", nullable=True),
        sqlite_strict=True,
    )
    for name in ("subject", "successor", "recovery"):
        op.create_index(f"key_events_{name}", "key_events", [name, "position"])
    connection = op.get_bind()
    stored = sa.text(
        "SELECT position, body FROM statements WHERE position > :last AND kind IN"
        " ('key.announce', 'key.revoke', 'key.rotate') ORDER BY position LIMIT :most"
    )
    last = -1
    while rows := connection.execute(stored, {"last": last, "most": _PAGE}).all():
        connection.execute(table.insert(), [_row(one.position, one.body) for one in rows])
        last = rows[-1].position


def _row(position: int, body: bytes) -> dict[str, object]:
    record = read_record(Statement.parse(bytes(body)))
    successor = recovery = None
    match record:
        case KeyAnnounce(public_key=key):
            subject, recovery = key.thumbprint, record.recovery
        case KeyRotate(old=subject, public_key=key):
            successor = key.thumbprint
        case KeyRevoke(key=subject):
            pass
        case _:
            raise ValueError(f"statement {position} is stored as another kind")
    return {
        "position": position,
        "subject": subject.raw,
        "successor": None if successor is None else successor.raw,
        "recovery": None if recovery is None else recovery.raw,
    }
