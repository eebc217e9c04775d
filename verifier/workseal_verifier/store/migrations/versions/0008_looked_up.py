"""What each turn looks for, found without reading all there is; who is told of something now."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("contacts_unconfirmed", "contacts", ["confirmed_ms", "confirm_until_ms"])
    op.create_index("confirmations_asked", "confirmations", ["asked_ms"])
    # By how it ended first: few were given up, and of what was sent the newest is asked for.
    op.drop_index("notices_ended", "notices")
    op.create_index("notices_ended", "notices", ["state", "ended_ms"])
    held = sa.Column("held_ms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    op.add_column("notices", held)
    op.create_index("notices_held", "notices", ["held_ms"])
