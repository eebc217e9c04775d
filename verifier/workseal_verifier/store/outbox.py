"""The outbox: what waits to be sent, who sends it, and what came of that.

Rules: whoever sends a notice first moves its next try on and holds it, so that of two workers one
has it, and of one person's webhook one notice is held at once, whichever process sends. When that
one dies, the notice is due again after the lease, under the same name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select, update

from workseal_verifier.store.engine import Database
from workseal_verifier.store.notices import (
    OF_HOURS,
    Channel,
    Fate,
    NoticeRow,
    read_notice,
    whole_notices,
)
from workseal_verifier.store.schema import notices

_columns = notices.c
# Of what is to be sent, exactly what was neither sent nor given up has a next try. Not "is not
# null", for which SQLite looks in no index.
_WAITS = _columns.next_ms >= 0
# No wait is longer: services.delivering.
_LONGEST_MS: Final = 72 * 3_600_000
# Say that a step was made, and whose turn it is: services.noticing.
_OF_STEPS: Final = ("turn", "step")
SENT_ON: Final = (Channel.MAIL, Channel.WEBHOOK)


@dataclass(frozen=True, slots=True)
class Counts:
    """Say how many wait to be sent, since when the oldest of them, and how many were given up."""

    waiting: int
    oldest_ms: int | None
    parked: int


class Outbox:
    """Reads and writes of what is sent."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def claim(
        self, now_ms: int, *, lease_ms: int, channels: Sequence[Channel] = SENT_ON
    ) -> NoticeRow | None:
        """Take the notice that is due the longest, for a lease; None when none is due.

        Whose webhook is being told of something is not told of the next thing meanwhile. What waits
        for longer than anything does was written by a wrong clock, and is due.
        """
        is_due = (_columns.next_ms <= now_ms) | (_columns.next_ms > now_ms + _LONGEST_MS)
        # Said besides, for SQLite: it looks at no notice that is never tried again.
        is_due &= _WAITS & _is_free(now_ms, lease_ms)
        while True:
            with self.database.read() as connection:
                row = connection.execute(
                    whole_notices()
                    .where(_columns.channel.in_(channels), is_due)
                    .order_by(_columns.next_ms, _columns.step, _columns.name, _columns.channel)
                    .limit(1)
                ).one_or_none()
            if row is None:
                return None
            found = read_notice(row)
            if self._taken([found], now_ms, lease_ms):
                return found

    def claim_more(
        self, taken: NoticeRow, now_ms: int, *, lease_ms: int, most: int
    ) -> list[NoticeRow]:
        """Take what else is due of hours to whoever the notice that was claimed goes to."""
        with self.database.read() as connection:
            rows = connection.execute(
                whole_notices()
                .where(
                    _alike(taken),
                    _columns.name != taken.name.raw,
                    _WAITS,
                    _columns.next_ms <= now_ms,
                )
                .order_by(_columns.step, _columns.kind)
                .limit(most)
            ).all()
        return self._taken([read_notice(row) for row in rows], now_ms, lease_ms)

    def settle(self, taken: NoticeRow, fate: Fate, now_ms: int) -> None:
        """Write down what became of a notice that was claimed.

        That it was sent counts whoever has it by now; of all else, the word of who has it.
        """
        which = _of(taken).where(_columns.state == Fate.WAITING)
        if fate is not Fate.DONE:
            which = which.where(_columns.tries == taken.tries + 1)
        with self.database.write() as connection:
            connection.execute(
                which.values(state=fate, next_ms=None, ended_ms=now_ms, held_ms=None)
            )

    def put_off(self, taken: NoticeRow, next_ms: int) -> None:
        """Try a notice that was claimed once more, later; unless somebody else has it by now."""
        with self.database.write() as connection:
            connection.execute(_held(taken).values(next_ms=next_ms, held_ms=None))

    def give_back(self, taken: NoticeRow, next_ms: int) -> None:
        """Let a notice that was claimed wait, as if it had not been: it was not tried."""
        with self.database.write() as connection:
            connection.execute(
                _held(taken).values(next_ms=next_ms, tries=taken.tries, held_ms=None)
            )

    def try_parked(self, now_ms: int) -> int:
        """Let everything that was given up be tried again, and count it.

        Some of it may have been taken: none of it is sent as if for the first time.
        """
        with self.database.write() as connection:
            done = connection.execute(
                update(notices)
                .where(_columns.state == Fate.PARKED)
                .values(state=Fate.WAITING, tries=1, next_ms=now_ms, ended_ms=None)
            )
        return done.rowcount

    def is_outdated(self, row: NoticeRow) -> bool:
        """Tell whether a later notice says on this channel where the same case stands."""
        with self.database.read() as connection:
            later = connection.execute(
                select(_columns.step)
                .where(
                    _alike(row),
                    _columns.step > row.step,
                    _columns.state.in_((Fate.WAITING, Fate.DONE)),
                )
                .limit(1)
            ).first()
        return later is not None

    def last_sent(self, row: NoticeRow) -> NoticeRow | None:
        """Read what its recipient was told of the same case on this channel the last time."""
        with self.database.read() as connection:
            found = connection.execute(
                whole_notices()
                .where(_alike(row), _columns.state == Fate.DONE)
                .order_by(_columns.ended_ms.desc(), _columns.step.desc())
                .limit(1)
            ).one_or_none()
        return None if found is None else read_notice(found)

    def unsent(self, *, most: int) -> list[NoticeRow]:
        """Read what waits to be sent or was given up, the oldest first."""
        with self.database.read() as connection:
            rows = connection.execute(
                whole_notices()
                .where(_WAITS | (_columns.state == Fate.PARKED))
                .order_by(_columns.made_ms, _columns.name, _columns.channel)
                .limit(most)
            ).all()
        return [read_notice(row) for row in rows]

    def counts(self) -> Counts:
        """Count what waits to be sent and what was given up."""
        with self.database.read() as connection:
            waiting, oldest = connection.execute(
                select(func.count(), func.min(_columns.made_ms)).where(_WAITS)
            ).one()
            parked = connection.execute(
                select(func.count()).where(_columns.state == Fate.PARKED)
            ).scalar_one()
        return Counts(waiting, oldest, parked)

    def _taken(self, found: Sequence[NoticeRow], now_ms: int, lease_ms: int) -> list[NoticeRow]:
        """Take those of one person's that nobody else took meanwhile."""
        if not found:
            return []
        until = now_ms + lease_ms
        with self.database.write() as connection:
            # Two that each found another notice to somebody nobody was telling of anything.
            self.database.take_turn(connection, found[0].recipient.raw)
            return [
                one
                for one in found
                if connection.execute(
                    _of(one)
                    .where(
                        _columns.next_ms == one.next_ms,
                        _columns.tries == one.tries,
                        _is_free(now_ms, lease_ms),
                    )
                    .values(next_ms=until, tries=one.tries + 1, held_ms=until)
                ).rowcount
                == 1
            ]


def _is_free(now_ms: int, lease_ms: int) -> ColumnElement[bool]:
    """Choose the mails, and the webhooks of those whom nobody tells of anything just now."""
    other = notices.alias()
    busy = select(other.c.recipient).where(
        other.c.channel == Channel.WEBHOOK,
        other.c.held_ms > now_ms,
        # Of clocks that differ; what is held for longer was written by a wrong one.
        other.c.held_ms <= now_ms + 2 * lease_ms,
    )
    return (_columns.channel != Channel.WEBHOOK) | _columns.recipient.not_in(busy)


def _alike(row: NoticeRow) -> ColumnElement[bool]:
    """Choose what tells the same person of the same case's steps, or of hours, on this channel."""
    return and_(
        _columns.filing == (None if row.filing is None else row.filing.raw),
        _columns.recipient == row.recipient.raw,
        _columns.channel == row.channel,
        _columns.kind.in_(OF_HOURS if row.kind in OF_HOURS else _OF_STEPS),
    )


def _of(row: NoticeRow) -> Any:
    return update(notices).where(_columns.name == row.name.raw, _columns.channel == row.channel)


def _held(taken: NoticeRow) -> Any:
    """Choose a notice while whoever claimed it has it: not claimed again, and not sent."""
    return _of(taken).where(_columns.tries == taken.tries + 1, _columns.state == Fate.WAITING)
