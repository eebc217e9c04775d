"""Invitations, and the keys that accepted one.

Rules: a token is stored and found by its hash alone. What may be used so many times is used up by
one statement of the database, so that two requests at once never both have the last one, be they of
one worker or of two. What has expired is never returned; `AccessStore.clear` deletes it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from workseal_protocol.digest import Digest
from workseal_protocol.keys import PublicKey, Role
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import invitations, invited


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation that may still be accepted."""

    token: Digest
    role: Role
    uses_left: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class InvitedRow:
    """A key that accepted an invitation."""

    key: PublicKey
    role: Role
    accepted_ms: int


class InvitationStore:
    """Reads and writes of invitations and of who accepted them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add_invitation(self, row: InvitationRow) -> None:
        """Store a new invitation."""
        with self.database.write() as connection:
            connection.execute(
                insert(invitations),
                {
                    "token": row.token.raw,
                    "role": row.role,
                    "uses_left": row.uses_left,
                    "until_ms": row.until_ms,
                },
            )

    def invitations(self, now_ms: int) -> list[InvitationRow]:
        """Read the invitations that may still be accepted, the next to expire first."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(invitations)
                .where(invitations.c.until_ms > now_ms, invitations.c.uses_left > 0)
                .order_by(invitations.c.until_ms)
            ).all()
        return [
            InvitationRow(Digest(row.token), Role(row.role), row.uses_left, row.until_ms)
            for row in rows
        ]

    def end_invitation(self, token: Digest) -> None:
        """Let nobody accept this invitation any more."""
        with self.database.write() as connection:
            connection.execute(delete(invitations).where(invitations.c.token == token.raw))

    def end_invited(self, thumbprint: Digest) -> bool:
        """Forget that a key accepted invitations; False when it accepted none."""
        with self.database.write() as connection:
            ended = connection.execute(
                delete(invited).where(invited.c.thumbprint == thumbprint.raw)
            )
        return ended.rowcount > 0

    def accept(self, token: Digest, key: PublicKey, *, now_ms: int) -> Role | None:
        """Use an invitation once for a key; a key that accepted it before uses nothing up."""
        with self.database.write() as connection:
            role = connection.execute(
                select(invitations.c.role).where(
                    invitations.c.token == token.raw, invitations.c.until_ms > now_ms
                )
            ).scalar_one_or_none()
            if role is None:
                return None
            known = connection.execute(
                select(invited.c.role).where(
                    invited.c.thumbprint == key.thumbprint.raw, invited.c.role == role
                )
            ).scalar_one_or_none()
            if known is not None:
                return Role(role)
            if not _use(connection, token, 1):
                return None
            added = connection.execute(
                self.database.upsert(invited)
                .values(thumbprint=key.thumbprint.raw, role=role, key=key.raw, accepted_ms=now_ms)
                .on_conflict_do_nothing()
                .returning(invited.c.role)
            ).one_or_none()
            if added is None:
                # Another worker took this key in meanwhile.
                _use(connection, token, -1)
        return Role(role)

    def invited(self, thumbprint: Digest | None = None) -> list[InvitedRow]:
        """Read the keys that accepted an invitation, all or one, in the order of acceptance."""
        query = select(invited).order_by(invited.c.accepted_ms, invited.c.thumbprint)
        if thumbprint is not None:
            query = query.where(invited.c.thumbprint == thumbprint.raw)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        return [
            InvitedRow(PublicKey.of_raw(row.key), Role(row.role), row.accepted_ms) for row in rows
        ]


def _use(connection: Connection, token: Digest, times: int) -> bool:
    used = connection.execute(
        update(invitations)
        .where(invitations.c.token == token.raw, invitations.c.uses_left >= times)
        .values(uses_left=invitations.c.uses_left - times)
    )
    return used.rowcount > 0
