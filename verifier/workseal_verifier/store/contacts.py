"""Where parties asked to be told: each key's own row, written and deleted by that key alone.

Rules: an address is one to send to when it was confirmed. Mails that ask for that are counted, for
a day, by who asked for them and by where they go. What a row becomes is made from the row in the
transaction that writes it: whatever was stopped, confirmed or given meanwhile stands before it or
comes after.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.notices import Notice, write_notices
from workseal_verifier.store.schema import confirmations, contacts

_columns = contacts.c
_asked = confirmations.c
# For how long a mail that asks for a confirmation is counted.
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """What a key gave; `salt` is what its links are made of."""

    thumbprint: Digest
    mail: str | None
    webhook: str | None
    zone: str | None
    digest: bool
    salt: bytes
    stop_mail: Digest
    stop_digest: Digest
    changed_ms: int
    confirm: Digest | None = None
    confirm_until_ms: int | None = None
    confirmed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Hold the mail that asks for a confirmation and where it goes, hashed.

    Who asks has `most` such mails in a day.
    """

    notice: Notice
    place: Digest
    most: int


# Makes of a key's row, None for none, what it becomes; and the mail that asks, if one is to.
Change = Callable[[ContactRow | None], tuple[ContactRow, Asking | None]]


class ContactStore:
    """Reads and writes of contacts."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, thumbprint: Digest, keys: frozenset[Digest], change: Change) -> bool:
        """Write what a key's row becomes, and the mail that asks; `keys` are all of the person's.

        False, and nothing is written, when the person asked for too many in a day.
        """
        with self.database.write() as connection:
            self.database.take_turn(connection, min(one.raw for one in keys))
            found = connection.execute(
                # Who stops or confirms by a link meanwhile waits, and finds what was written.
                select(contacts).where(_columns.thumbprint == thumbprint.raw).with_for_update()
            ).one_or_none()
            row, asking = change(None if found is None else _read(found))
            if asking is not None:
                if not self._may_ask(connection, keys, asking):
                    return False
                write_notices(self.database, connection, [asking.notice])
            values = _values(row)
            made = self.database.upsert(contacts).values(values)
            connection.execute(
                made.on_conflict_do_update(index_elements=["thumbprint"], set_=values)
            )
        return True

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
                update(contacts).where(_columns.stop_mail == token.raw).values(_NO_MAIL)
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
                    _columns.confirmed_ms.is_not(None),
                    _columns.thumbprint > after,
                )
                .order_by(_columns.thumbprint)
                .limit(most)
            ).all()
        return [_read(row) for row in rows]

    # --- confirming ------------------------------------------------------------------

    def confirm(self, token: Digest, now_ms: int) -> bool:
        """Confirm the address that a token stands for; False for one of nobody, or too late."""
        with self.database.write() as connection:
            done = connection.execute(
                update(contacts)
                .where(
                    _columns.confirm == token.raw,
                    _columns.confirm_until_ms >= now_ms,
                    _columns.mail.is_not(None),
                )
                .values(confirmed_ms=func.coalesce(_columns.confirmed_ms, now_ms))
            )
        return done.rowcount > 0

    def place_of(self, name: Digest) -> Digest | None:
        """Return where a mail that asks for a confirmation was to go; None when it is forgotten."""
        with self.database.read() as connection:
            found = connection.execute(
                select(_asked.place).where(_asked.name == name.raw)
            ).one_or_none()
        return None if found is None else Digest(found.place)

    def take_place(self, name: Digest, now_ms: int, *, most: int) -> bool:
        """Count a mail as sent to its place, once; False when so many were sent there in a day."""
        with self.database.read() as connection:
            found = connection.execute(
                select(confirmations).where(_asked.name == name.raw)
            ).one_or_none()
        if found is None or found.sent_ms is not None:
            return found is not None
        with self.database.write() as connection:
            self.database.take_turn(connection, found.place)
            recent = (_asked.place == found.place) & (_asked.sent_ms > now_ms - DAY_MS)
            if _count(connection, recent) >= most:
                return False
            connection.execute(
                update(confirmations)
                .where(_asked.name == name.raw, _asked.sent_ms.is_(None))
                .values(sent_ms=now_ms)
            )
        return True

    def expire(self, now_ms: int) -> None:
        """Forget addresses that nobody confirmed in time, and mails that count no more."""
        old = (_asked.asked_ms <= now_ms - 3 * DAY_MS) & (
            _asked.sent_ms.is_(None) | (_asked.sent_ms <= now_ms - DAY_MS)
        )
        late = _columns.confirmed_ms.is_(None) & (_columns.confirm_until_ms < now_ms)
        with self.database.read() as connection:
            is_any = (
                connection.execute(select(_asked.name).where(old).limit(1)).first()
                or connection.execute(select(_columns.salt).where(late).limit(1)).first()
            )
        if is_any:
            with self.database.write() as connection:
                connection.execute(delete(confirmations).where(old))
                connection.execute(update(contacts).where(late).values(_NO_MAIL))

    def _may_ask(self, connection: Connection, keys: frozenset[Digest], asking: Asking) -> bool:
        now_ms = asking.notice.made_ms
        own = _asked.thumbprint.in_([one.raw for one in keys])
        if _count(connection, own & (_asked.asked_ms > now_ms - DAY_MS)) >= asking.most:
            return False
        made = self.database.upsert(confirmations).values(
            name=asking.notice.name.raw,
            thumbprint=asking.notice.recipient.raw,
            place=asking.place.raw,
            asked_ms=now_ms,
            sent_ms=None,
        )
        connection.execute(made.on_conflict_do_nothing())
        return True


_NO_MAIL: Final = {
    "mail": None,
    "digest": 0,
    "confirm": None,
    "confirm_until_ms": None,
    "confirmed_ms": None,
}


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.execute(
        select(func.count()).select_from(confirmations).where(which)
    ).scalar_one()


def _values(row: ContactRow) -> dict[str, Any]:
    return {
        "thumbprint": row.thumbprint.raw,
        "mail": row.mail,
        "webhook": row.webhook,
        "zone": row.zone,
        "digest": int(row.digest),
        "salt": row.salt,
        "stop_mail": row.stop_mail.raw,
        "stop_digest": row.stop_digest.raw,
        "changed_ms": row.changed_ms,
        "confirm": None if row.confirm is None else row.confirm.raw,
        "confirm_until_ms": row.confirm_until_ms,
        "confirmed_ms": row.confirmed_ms,
    }


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
        confirm=None if row.confirm is None else Digest(row.confirm),
        confirm_until_ms=row.confirm_until_ms,
        confirmed_ms=row.confirmed_ms,
    )
