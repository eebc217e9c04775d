"""Where parties asked to be told: each key's own row, written and deleted by that key alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select, update

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import contacts

_columns = contacts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """What a key gave; `salt` is what its two links are made of that stop mails."""

    thumbprint: Digest
    mail: str | None
    webhook: str | None
    zone: str | None
    digest: bool
    salt: bytes
    stop_mail: Digest
    stop_digest: Digest
    changed_ms: int


class ContactStore:
    """Reads and writes of contacts."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, row: ContactRow) -> None:
        """Write a key's row in the place of its earlier one."""
        values = {
            "thumbprint": row.thumbprint.raw,
            "mail": row.mail,
            "webhook": row.webhook,
            "zone": row.zone,
            "digest": int(row.digest),
            "salt": row.salt,
            "stop_mail": row.stop_mail.raw,
            "stop_digest": row.stop_digest.raw,
            "changed_ms": row.changed_ms,
        }
        with self.database.write() as connection:
            made = self.database.upsert(contacts).values(values)
            connection.execute(
                made.on_conflict_do_update(index_elements=["thumbprint"], set_=values)
            )

    def of(self, thumbprints: Iterable[Digest]) -> list[ContactRow]:
        """Read the rows of these keys, the newest first."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(contacts)
                .where(_columns.thumbprint.in_([one.raw for one in thumbprints]))
                .order_by(_columns.changed_ms.desc(), _columns.thumbprint)
            ).all()
        return [_read(row) for row in rows]

    def delete(self, thumbprint: Digest) -> None:
        """Forget what a key gave."""
        with self.database.write() as connection:
            connection.execute(delete(contacts).where(_columns.thumbprint == thumbprint.raw))

    def stop(self, token: Digest) -> bool:
        """Stop the mails that a link's token stands for; False for a token of nobody.

        The address goes with the last mail that would be sent to it.
        """
        with self.database.write() as connection:
            digest = connection.execute(
                update(contacts).where(_columns.stop_digest == token.raw).values(digest=0)
            )
            mail = connection.execute(
                update(contacts).where(_columns.stop_mail == token.raw).values(mail=None, digest=0)
            )
        return digest.rowcount + mail.rowcount > 0

    def wanting_digests(self, *, after: bytes, most: int) -> list[ContactRow]:
        """Read who asked for a weekly digest, from a key on, in the order of keys."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(contacts)
                .where(
                    _columns.digest == 1,
                    _columns.mail.is_not(None),
                    _columns.thumbprint > after,
                )
                .order_by(_columns.thumbprint)
                .limit(most)
            ).all()
        return [_read(row) for row in rows]


def _read(row: Row[Any]) -> ContactRow:
    return ContactRow(
        thumbprint=Digest(row.thumbprint),
        mail=row.mail,
        webhook=row.webhook,
        zone=row.zone,
        digest=bool(row.digest),
        salt=row.salt,
        stop_mail=Digest(row.stop_mail),
        stop_digest=Digest(row.stop_digest),
        changed_ms=row.changed_ms,
    )
