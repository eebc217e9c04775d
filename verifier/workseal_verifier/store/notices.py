"""Notices: who is to be told of which statement, on which channel, and what became of it.

Rules: what a statement causes is written in the transaction that logs it. Nothing is deleted that
was not sent (`outbox`). A reminder is written with what it reminds of, and shown to nobody before
its time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, case, delete, select, update

from workseal_protocol.digest import Digest
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import case_steps, notices, statements

_columns = notices.c
# Tell of a timesheet or of its answer, the statement at their step: services.noticing.
OF_HOURS: Final = ("timesheet", "answer", "review")


@unique
class Channel(IntEnum):
    """Name a way to somebody."""

    PAGE = 0
    MAIL = 1
    WEBHOOK = 2


@unique
class Fate(IntEnum):
    """Say what became of a notice on a channel."""

    WAITING = 0  # to be sent; on the page, not opened
    DONE = 1  # the other server took it; on the page, opened
    NOWHERE = 2  # its recipient named no place
    PARKED = 3  # given up after many tries, until the operator says again
    PASSED = 4  # a reminder of what is no longer due
    LATER = 5  # a reminder whose time has not come; `ended_ms` is when it is looked at next


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
    fate: Fate = Fate.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice on one channel, with what the log says of its step.

    `state` and `until_ms` are those of a case, `statement` is what a notice of hours tells of.
    """

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
    statement: bytes | None


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

    def ended_since(self, ms: int) -> set[Digest]:
        """Name the cases of which somebody was told, or opened a notice, since an instant."""
        with self.database.read() as connection:
            rows = connection.execute(
                # Not DISTINCT: SQLite would read all there is in the order of cases.
                select(_columns.filing).where(_columns.state == Fate.DONE, _columns.ended_ms >= ms)
            ).all()
        return {Digest(filing) for (filing,) in rows if filing is not None}

    def board(
        self, recipients: Iterable[Digest], *, below: int, before: int, most: int
    ) -> list[NoticeRow]:
        """Read what somebody was told of on the page before a step, the newest first."""
        with self.database.read() as connection:
            rows = connection.execute(
                whole_notices()
                .where(
                    _columns.channel == Channel.PAGE,
                    _columns.recipient.in_([one.raw for one in recipients]),
                    _columns.step < min(below, before),
                    _columns.state.in_((Fate.WAITING, Fate.DONE)),
                )
                .order_by(_columns.step.desc(), _columns.made_ms.desc(), _columns.kind)
                .limit(most)
            ).all()
        return [read_notice(row) for row in rows]

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

    def made_ms(self, name: Digest) -> int | None:
        """Read when a notice was made; None where there is none of that name."""
        with self.database.read() as connection:
            found = connection.execute(
                select(_columns.made_ms).where(_columns.name == name.raw).limit(1)
            ).one_or_none()
        return None if found is None else found.made_ms

    # --- reminders -------------------------------------------------------------------

    def to_remind(self, now_ms: int, *, most: int) -> list[NoticeRow]:
        """Read reminders that are to be looked at by now, one row for all channels of each."""
        with self.database.read() as connection:
            rows = connection.execute(
                whole_notices()
                .where(
                    _columns.state == Fate.LATER,
                    _columns.channel == Channel.PAGE,
                    _columns.ended_ms <= now_ms,
                )
                .order_by(_columns.ended_ms, _columns.name)
                .limit(most)
            ).all()
        return [read_notice(row) for row in rows]

    def look_later(self, name: Digest, at_ms: int) -> None:
        """Look at a reminder again at another time."""
        self._change_later(name, {"ended_ms": at_ms})

    def release(self, name: Digest, now_ms: int) -> None:
        """Let a reminder be told on every channel: once, whoever else does the same."""
        sent_ms = case((_columns.channel == Channel.PAGE, None), else_=now_ms)
        told = {"state": Fate.WAITING, "made_ms": now_ms, "next_ms": sent_ms, "ended_ms": None}
        self._change_later(name, told)

    def pass_by(self, name: Digest, now_ms: int) -> None:
        """Tell nobody of a reminder any more."""
        self._change_later(name, {"state": Fate.PASSED, "ended_ms": now_ms})

    def _change_later(self, name: Digest, values: dict[str, Any]) -> None:
        which = update(notices).where(_columns.name == name.raw, _columns.state == Fate.LATER)
        with self.database.write() as connection:
            connection.execute(which.values(values))

    # --- of one case -----------------------------------------------------------------

    def of_step(self, filing: Digest, step: int) -> list[NoticeRow]:
        """Read all notices of a step of a case, on every channel."""
        with self.database.read() as connection:
            rows = connection.execute(
                whole_notices().where(_columns.filing == filing.raw, _columns.step == step)
            ).all()
        return [read_notice(row) for row in rows]

    def of_case(self, filing: Digest, recipient: Digest) -> list[NoticeRow]:
        """Read all notices of a case to somebody, on every channel."""
        with self.database.read() as connection:
            rows = connection.execute(
                whole_notices().where(
                    _columns.filing == filing.raw, _columns.recipient == recipient.raw
                )
            ).all()
        return [read_notice(row) for row in rows]

    def forget(self, filing: Digest) -> None:
        """Delete the notices of a case that is over, but for those that still wait."""
        with self.database.write() as connection:
            connection.execute(
                delete(notices).where(
                    _columns.filing == filing.raw,
                    (_columns.state != Fate.WAITING) | (_columns.channel == Channel.PAGE),
                )
            )


def whole_notices() -> Select[Any]:
    """Ask for notices, with what the log says of their steps."""
    step = and_(case_steps.c.position == _columns.step, case_steps.c.filing == _columns.filing)
    told = and_(statements.c.position == _columns.step, _columns.kind.in_(OF_HOURS))
    return select(
        notices, case_steps.c.state.label("case_state"), case_steps.c.until_ms, statements.c.body
    ).select_from(notices.outerjoin(case_steps, step).outerjoin(statements, told))


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
        "state": one.fate,
        "tries": 0,
        "next_ms": None if channel is Channel.PAGE or one.fate is Fate.LATER else one.made_ms,
        "ended_ms": one.made_ms if one.fate is Fate.LATER else None,
        "held_ms": None,
    }


def read_notice(row: Row[Any]) -> NoticeRow:
    """Read one that was asked for so."""
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
        statement=row.body,
    )
