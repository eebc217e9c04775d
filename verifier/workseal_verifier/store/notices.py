"""The outbox: who is to be told of which step of a case, on which channel, and what became of it.

Rules: what a step causes is written in the transaction that logs the step. Whoever sends a notice
first moves its next try on and holds it, so that of two workers one has it, and of one person's
webhook one notice is held at once, whichever process sends. When that one dies, the notice is due
again after the lease, under the same name. Nothing is deleted that was not sent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, select, update

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import case_steps, notices

_columns = notices.c
# Of what is to be sent, exactly what was neither sent nor given up has a next try. Not "is not
# null", for which SQLite looks in no index.
_WAITS = _columns.next_ms >= 0
# No wait is longer: services.delivering.
_LONGEST_MS: Final = 72 * 3_600_000
# Say that a step was made, and whose turn it is: services.noticing.
_OF_STEPS: Final = ("turn", "step")


@unique
class Channel(IntEnum):
    """Name a way to somebody."""

    PAGE = 0
    MAIL = 1
    WEBHOOK = 2


SENT_ON: Final = (Channel.MAIL, Channel.WEBHOOK)


@unique
class Fate(IntEnum):
    """Say what became of a notice on a channel."""

    WAITING = 0  # to be sent; on the page, not opened
    DONE = 1  # the other server took it; on the page, opened
    NOWHERE = 2  # its recipient named no place
    PARKED = 3  # given up after many tries, until the operator says again
    PASSED = 4  # a reminder of what is no longer due


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Say who is told of a step, and whose turn it is: bits of roles. Its words are elsewhere."""

    name: Digest
    kind: str
    filing: Digest | None
    step: int
    recipient: Digest
    waiting: int
    made_ms: int
    channels: tuple[Channel, ...] = tuple(Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice on one channel, with what the log says of its step."""

    name: Digest
    channel: Channel
    kind: str
    filing: Digest | None
    step: int
    recipient: Digest
    waiting: int
    made_ms: int
    fate: Fate
    tries: int
    next_ms: int | None
    ended_ms: int | None
    state: str | None
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Say how many wait to be sent, since when the oldest of them, and how many were given up."""

    waiting: int
    oldest_ms: int | None
    parked: int


def write_notices(database: Database, connection: Connection, made: Iterable[Notice]) -> None:
    """Write what is not written yet, as part of somebody's transaction."""
    rows = [_values(one, channel) for one in made for channel in one.channels]
    if rows:
        connection.execute(database.upsert(notices).on_conflict_do_nothing(), rows)


class NoticeStore:
    """Reads and writes of the outbox."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, made: Sequence[Notice]) -> None:
        """Write notices that no step caused; one that is there is left as it is."""
        if made:
            with self.database.write() as connection:
                write_notices(self.database, connection, made)

    # --- sending ---------------------------------------------------------------------

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
                    _whole()
                    .where(_columns.channel.in_(channels), is_due)
                    .order_by(_columns.next_ms, _columns.step, _columns.name, _columns.channel)
                    .limit(1)
                ).one_or_none()
            if row is None:
                return None
            found = _read(row)
            if self._taken(found, now_ms, lease_ms):
                return found

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

    def _taken(self, found: NoticeRow, now_ms: int, lease_ms: int) -> bool:
        until = now_ms + lease_ms
        with self.database.write() as connection:
            # Two that each found another notice to somebody nobody was telling of anything.
            self.database.take_turn(connection, found.recipient.raw)
            taken = connection.execute(
                _of(found)
                .where(
                    _columns.next_ms == found.next_ms,
                    _columns.tries == found.tries,
                    _is_free(now_ms, lease_ms),
                )
                .values(next_ms=until, tries=found.tries + 1, held_ms=until)
            )
        return taken.rowcount == 1

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
                _whole()
                .where(_alike(row), _columns.state == Fate.DONE)
                .order_by(_columns.ended_ms.desc(), _columns.step.desc())
                .limit(1)
            ).one_or_none()
        return None if found is None else _read(found)

    def ended_since(self, ms: int) -> set[Digest]:
        """Name the cases of which somebody was told, or opened a notice, since an instant."""
        with self.database.read() as connection:
            rows = connection.execute(
                # Not DISTINCT: SQLite would read all there is in the order of cases.
                select(_columns.filing).where(_columns.state == Fate.DONE, _columns.ended_ms >= ms)
            ).all()
        return {Digest(filing) for (filing,) in rows if filing is not None}

    # --- what is asked -----------------------------------------------------------------

    def board(
        self, recipients: Iterable[Digest], *, below: int, before: int, most: int
    ) -> list[NoticeRow]:
        """Read what somebody was told of on the page before a step, the newest first."""
        with self.database.read() as connection:
            rows = connection.execute(
                _whole()
                .where(
                    _columns.channel == Channel.PAGE,
                    _columns.recipient.in_([one.raw for one in recipients]),
                    _columns.step < min(below, before),
                )
                .order_by(_columns.step.desc(), _columns.made_ms.desc(), _columns.kind)
                .limit(most)
            ).all()
        return [_read(row) for row in rows]

    def open(self, names: Sequence[Digest], now_ms: int) -> None:
        """Write down that these were opened on the page, the first time."""
        if names:
            with self.database.write() as connection:
                connection.execute(
                    update(notices)
                    .where(
                        _columns.name.in_([one.raw for one in names]),
                        _columns.channel == Channel.PAGE,
                        _columns.state == Fate.WAITING,
                    )
                    .values(state=Fate.DONE, ended_ms=now_ms)
                )

    def of_step(self, filing: Digest, step: int) -> list[NoticeRow]:
        """Read all notices of a step of a case, on every channel."""
        with self.database.read() as connection:
            rows = connection.execute(
                _whole().where(_columns.filing == filing.raw, _columns.step == step)
            ).all()
        return [_read(row) for row in rows]

    def of_case(self, filing: Digest, recipient: Digest) -> list[NoticeRow]:
        """Read all notices of a case to somebody, on every channel."""
        with self.database.read() as connection:
            rows = connection.execute(
                _whole().where(_columns.filing == filing.raw, _columns.recipient == recipient.raw)
            ).all()
        return [_read(row) for row in rows]

    def unsent(self, *, most: int) -> list[NoticeRow]:
        """Read what waits to be sent or was given up, the oldest first."""
        with self.database.read() as connection:
            rows = connection.execute(
                _whole()
                .where(_WAITS | (_columns.state == Fate.PARKED))
                .order_by(_columns.made_ms, _columns.name, _columns.channel)
                .limit(most)
            ).all()
        return [_read(row) for row in rows]

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

    def forget(self, filing: Digest) -> None:
        """Delete the notices of a case that is over, but for those that still wait."""
        with self.database.write() as connection:
            connection.execute(
                delete(notices).where(
                    _columns.filing == filing.raw,
                    (_columns.state != Fate.WAITING) | (_columns.channel == Channel.PAGE),
                )
            )


def _whole() -> Select[Any]:
    step = and_(case_steps.c.position == _columns.step, case_steps.c.filing == _columns.filing)
    return select(
        notices, case_steps.c.state.label("case_state"), case_steps.c.until_ms
    ).select_from(notices.outerjoin(case_steps, step))


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
    """Choose what tells the same person of the same case's steps on the same channel."""
    return and_(
        _columns.filing == (None if row.filing is None else row.filing.raw),
        _columns.recipient == row.recipient.raw,
        _columns.channel == row.channel,
        _columns.kind.in_(_OF_STEPS),
    )


def _of(row: NoticeRow) -> Any:
    return update(notices).where(_columns.name == row.name.raw, _columns.channel == row.channel)


def _held(taken: NoticeRow) -> Any:
    """Choose a notice while whoever claimed it has it: not claimed again, and not sent."""
    return _of(taken).where(_columns.tries == taken.tries + 1, _columns.state == Fate.WAITING)


def _values(one: Notice, channel: Channel) -> dict[str, object]:
    return {
        "name": one.name.raw,
        "channel": channel,
        "kind": one.kind,
        "filing": None if one.filing is None else one.filing.raw,
        "step": one.step,
        "recipient": one.recipient.raw,
        "waiting": one.waiting,
        "made_ms": one.made_ms,
        "state": Fate.WAITING,
        "tries": 0,
        "next_ms": None if channel is Channel.PAGE else one.made_ms,
        "ended_ms": None,
        "held_ms": None,
    }


def _read(row: Row[Any]) -> NoticeRow:
    return NoticeRow(
        name=Digest(row.name),
        channel=Channel(row.channel),
        kind=row.kind,
        filing=None if row.filing is None else Digest(row.filing),
        step=row.step,
        recipient=Digest(row.recipient),
        waiting=row.waiting,
        made_ms=row.made_ms,
        fate=Fate(row.state),
        tries=row.tries,
        next_ms=row.next_ms,
        ended_ms=row.ended_ms,
        state=row.case_state,
        until_ms=row.until_ms,
    )
