"""Sign-in links, sessions and passkeys, and what is taken once.

Rules: a token is stored and found by its hash alone. What may be used once, or so many times, is
used up by one statement of the database, so that two requests at once never both succeed, be they
of one worker or of two. What changes the links, sessions or passkeys of a key takes that key's turn
before it looks at anything, so no two of them wait for each other in a circle. What has expired is
never returned, and is deleted by `clear` alone, in a transaction that waits for nobody.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, delete, func, insert, select, update

from workseal_protocol.digest import Digest
from workseal_verifier.errors import StoreRaceError
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import invitations, links, passkeys, sessions, spent

# Of one key: the oldest ends when one more begins.
MAX_SESSIONS = 16
# What expires, each at its `until_ms`.
_EXPIRING = (invitations, links, sessions, spent)

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session: whose, resting on what, until when."""

    token: Digest
    thumbprint: Digest
    root: int
    until_ms: int
    seen_ms: int
    fresh_ms: int | None


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """A passkey of somebody who proved a key."""

    credential: bytes
    thumbprint: Digest
    public_key: bytes
    sign_count: int
    made_ms: int


def _once_more(act: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """Do a transaction again that the database gave up for another one: nothing of it was done."""

    @functools.wraps(act)
    def done(*args: Asked.args, **named: Asked.kwargs) -> Answer:
        try:
            return act(*args, **named)
        except StoreRaceError:
            return act(*args, **named)

    return done


class AccessStore:
    """Reads and writes of what lets people in."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- what is taken once -------------------------------------------------------------

    @_once_more
    def spend(self, digest: Digest, *, until_ms: int) -> bool:
        """Use a nonce up for all workers; False when one of them took it before."""
        with self.database.write() as connection:
            return self._spend(connection, digest, until_ms)

    @_once_more
    def clear(self, now_ms: int) -> None:
        """Delete what has expired, but for what somebody works on just now."""
        with self.database.write() as connection:
            for table in _EXPIRING:
                (key,) = table.primary_key
                over = select(key).where(table.c.until_ms <= now_ms)
                over = over.with_for_update(skip_locked=True)
                connection.execute(delete(table).where(key.in_(over)))

    # --- links ------------------------------------------------------------------------

    @_once_more
    def add_link(self, token: Digest, thumbprint: Digest, root: int, *, until_ms: int) -> None:
        """Store a sign-in link; it takes the place of the key's earlier one of the same root."""
        with self._turn(thumbprint) as connection:
            connection.execute(
                delete(links).where(links.c.thumbprint == thumbprint.raw, links.c.root == root)
            )
            connection.execute(
                insert(links),
                {
                    "token": token.raw,
                    "thumbprint": thumbprint.raw,
                    "root": root,
                    "until_ms": until_ms,
                },
            )

    def link(self, token: Digest, *, now_ms: int) -> tuple[Digest, int] | None:
        """Read whose link this is, and its root; a guess must not cost a write."""
        with self.database.read() as connection:
            row = connection.execute(
                select(links).where(links.c.token == token.raw, links.c.until_ms > now_ms)
            ).one_or_none()
        return None if row is None else (Digest(row.thumbprint), row.root)

    @_once_more
    def follow_link(self, token: Digest, row: SessionRow) -> bool:
        """Begin a session with a link, which is then gone; False when it was gone before."""
        with self._turn(row.thumbprint) as connection:
            followed = connection.execute(delete(links).where(links.c.token == token.raw))
            if not followed.rowcount:
                return False
            _add_session(connection, row)
        return True

    # --- sessions ---------------------------------------------------------------------

    @_once_more
    def add_session(self, row: SessionRow) -> None:
        """Store a new session."""
        with self._turn(row.thumbprint) as connection:
            _add_session(connection, row)

    def session(self, token: Digest, *, now_ms: int) -> SessionRow | None:
        """Read a session that has not expired."""
        with self.database.read() as connection:
            row = connection.execute(
                select(sessions).where(sessions.c.token == token.raw, sessions.c.until_ms > now_ms)
            ).one_or_none()
        if row is None:
            return None
        return SessionRow(
            token=Digest(row.token),
            thumbprint=Digest(row.thumbprint),
            root=row.root,
            until_ms=row.until_ms,
            seen_ms=row.seen_ms,
            fresh_ms=row.fresh_ms,
        )

    def see_session(self, token: Digest, *, now_ms: int) -> None:
        """Remember that a session was used."""
        with self.database.write() as connection:
            connection.execute(
                update(sessions).where(sessions.c.token == token.raw).values(seen_ms=now_ms)
            )

    def end_session(self, token: Digest) -> None:
        """End one session."""
        with self.database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token == token.raw))

    @_once_more
    def end_sessions(self, thumbprint: Digest) -> None:
        """End all sessions of a key, and links that would begin one."""
        with self._turn(thumbprint) as connection:
            _end_sessions(connection, thumbprint)

    # --- passkeys ---------------------------------------------------------------------

    @_once_more
    def add_passkey(
        self,
        row: PasskeyRow,
        challenge: Digest,
        until_ms: int,
        *,
        most: int,
        session: Digest | None = None,
    ) -> bool:
        """Store a passkey for an answered challenge; False when it was answered or has no room.

        The session that it is made in, if any, must not have ended meanwhile.
        """
        with self._turn(row.thumbprint) as connection:
            if session is not None and not _goes_on(connection, session, row.made_ms):
                return False
            count = connection.execute(
                select(func.count())
                .select_from(passkeys)
                .where(passkeys.c.thumbprint == row.thumbprint.raw)
            ).scalar_one()
            known = connection.execute(
                select(passkeys.c.made_ms).where(passkeys.c.credential == row.credential)
            ).scalar_one_or_none()
            if count >= most or known is not None:
                return False
            if not self._spend(connection, challenge, until_ms):
                return False
            connection.execute(
                insert(passkeys),
                {
                    "credential": row.credential,
                    "thumbprint": row.thumbprint.raw,
                    "public_key": row.public_key,
                    "sign_count": row.sign_count,
                    "made_ms": row.made_ms,
                },
            )
        return True

    def passkey(self, credential: bytes) -> PasskeyRow | None:
        """Read a passkey."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(passkeys).where(passkeys.c.credential == credential)
            ).all()
        return next(iter(_passkeys(rows)), None)

    def passkeys_of(self, thumbprint: Digest) -> list[PasskeyRow]:
        """Read the passkeys of a key, in the order in which they were made."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(passkeys)
                .where(passkeys.c.thumbprint == thumbprint.raw)
                .order_by(passkeys.c.made_ms, passkeys.c.credential)
            ).all()
        return _passkeys(rows)

    @_once_more
    def use_passkey(
        self, credential: bytes, count: int, challenge: Digest, until_ms: int, session: SessionRow
    ) -> bool:
        """Begin a session for an answered challenge; False when it was answered before.

        An authenticator counts up, or never: another answer may have counted further meanwhile.
        """
        with self._turn(session.thumbprint) as connection:
            if not self._spend(connection, challenge, until_ms):
                return False
            ahead = passkeys.c.sign_count < count if count else passkeys.c.sign_count == 0
            used = connection.execute(
                update(passkeys)
                .where(passkeys.c.credential == credential, ahead)
                .values(sign_count=count)
            )
            if not used.rowcount:
                return False
            _add_session(connection, session)
        return True

    @_once_more
    def end_passkeys(self, thumbprint: Digest) -> None:
        """End all passkeys of a key, and all its sessions."""
        with self._turn(thumbprint) as connection:
            connection.execute(delete(passkeys).where(passkeys.c.thumbprint == thumbprint.raw))
            _end_sessions(connection, thumbprint)

    def end_ways_in(self) -> int:
        """End every link, session and passkey, and count the passkeys.

        Which of them had ended before, a backup that was restored does not know.
        """
        with self.database.write() as connection:
            for table in (links, sessions):
                connection.execute(delete(table))
            return connection.execute(delete(passkeys)).rowcount

    @contextmanager
    def _turn(self, thumbprint: Digest) -> Iterator[Connection]:
        """Run one transaction in which nobody else changes what this key has."""
        with self.database.write() as connection:
            self.database.take_turn(connection, thumbprint.raw)
            yield connection

    def _spend(self, connection: Connection, digest: Digest, until_ms: int) -> bool:
        made = connection.execute(
            self.database.upsert(spent)
            .values(digest=digest.raw, until_ms=until_ms)
            .on_conflict_do_nothing()
            .returning(spent.c.until_ms)
        ).one_or_none()
        return made is not None


def _goes_on(connection: Connection, token: Digest, now_ms: int) -> bool:
    """Tell whether a session has not ended, and let nobody end it before this is done."""
    found = connection.execute(
        select(sessions.c.token)
        .where(sessions.c.token == token.raw, sessions.c.until_ms > now_ms)
        .with_for_update()
    ).one_or_none()
    return found is not None


def _add_session(connection: Connection, row: SessionRow) -> None:
    own = sessions.c.thumbprint == row.thumbprint.raw
    kept = connection.execute(
        select(sessions.c.token)
        .where(own)
        .order_by(sessions.c.until_ms.desc(), sessions.c.token)
        .limit(MAX_SESSIONS - 1)
    ).scalars()
    connection.execute(delete(sessions).where(own, sessions.c.token.not_in(list(kept))))
    connection.execute(
        insert(sessions),
        {
            "token": row.token.raw,
            "thumbprint": row.thumbprint.raw,
            "root": row.root,
            "until_ms": row.until_ms,
            "seen_ms": row.seen_ms,
            "fresh_ms": row.fresh_ms,
        },
    )


def _end_sessions(connection: Connection, thumbprint: Digest) -> None:
    for table in (sessions, links):
        connection.execute(delete(table).where(table.c.thumbprint == thumbprint.raw))


def _passkeys(rows: Sequence[object]) -> list[PasskeyRow]:
    return [
        PasskeyRow(
            credential=values["credential"],
            thumbprint=Digest(values["thumbprint"]),
            public_key=values["public_key"],
            sign_count=values["sign_count"],
            made_ms=values["made_ms"],
        )
        for values in (row._mapping for row in rows)  # type: ignore[attr-defined]  # noqa: SLF001
    ]
