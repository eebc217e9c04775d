"""The log in the database: head, statements, tiles, checkpoints, time-stamps; its rows: `logrows`.

Rule: a `turn` is the only way in.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import bindparam, func, select, true, update

from workseal_protocol.digest import Digest
from workseal_verifier.errors import StoreCorruptError, StoreRaceError
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import Change, Head, SignedRow, signed_values
from workseal_verifier.store.prepared import Prepared
from workseal_verifier.store.schema import checkpoints, head, statements, tiles, timestamps
from workseal_verifier.store.turn import Turn

# Rows per read of a long listing: bounds memory, not the answer.
_PAGE = 1_000

_SIGNED = checkpoints.c.signed.is_not(None)
_NEWEST_FIRST = checkpoints.c.size.desc()
_OF_SIZE = checkpoints.c.size == bindparam("of_size")
# What each tick and each read asks.
_HEAD = Prepared(select(head.c.size, head.c.root).where(head.c.one == 1))
_LOCKED_HEAD = Prepared(select(head.c.size, head.c.root).where(head.c.one == 1).with_for_update())
_SAVE_SIGNED = Prepared(
    update(checkpoints)
    .where(_OF_SIZE, checkpoints.c.signed.is_(None))
    .values(
        signed=bindparam("as_signed"),
        digest=bindparam("its_digest"),
        signed_at=bindparam("when_signed"),
    )
)
_COMMITTED = Prepared(
    select(checkpoints.c.root, checkpoints.c.signed, checkpoints.c.signed_at).where(_OF_SIZE)
)
_NEWEST_SIZE = Prepared(select(checkpoints.c.size).where(_SIGNED).order_by(_NEWEST_FIRST).limit(1))
# One question for all that publishing asks.
_NEWEST = (
    select(checkpoints.c.size, checkpoints.c.signed_at)
    .where(_SIGNED)
    .order_by(_NEWEST_FIRST)
    .limit(1)
    .subquery("newest")
)
_STANDING = Prepared(
    select(
        checkpoints.c.root,
        checkpoints.c.signed,
        checkpoints.c.signed_at,
        _NEWEST.c.size,
        _NEWEST.c.signed_at,
    )
    .select_from(checkpoints.outerjoin(_NEWEST, true()))
    .where(_OF_SIZE)
)
_NEWEST_SIGNED = Prepared(
    select(checkpoints.c.signed).where(_SIGNED).order_by(_NEWEST_FIRST).limit(1)
)
_LAST_SIGNED_AT = Prepared(
    select(checkpoints.c.signed_at).where(_SIGNED).order_by(_NEWEST_FIRST).limit(1)
)
_ANCHOR = Prepared(select(checkpoints.c.digest, checkpoints.c.signed_at).where(_OF_SIZE, _SIGNED))
_TILE = Prepared(
    select(tiles.c.hashes).where(
        tiles.c.level == bindparam("of_level"), tiles.c.number == bindparam("of_number")
    )
)


class LogStore:
    """Reads and writes of the log."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- writing -----------------------------------------------------------------

    def found(self, empty_root: bytes) -> None:
        """Set the head of a new log; do nothing on a log that has one."""
        with self.database.write() as connection:
            row = self.database.upsert(head).values(one=1, size=0, root=empty_root)
            connection.execute(row.on_conflict_do_nothing())

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Hold the log for one transaction: nobody else appends before the block ends.

        What was appended is durable when the block ended, absent when it raised anything but a
        `StoreError` of the commit itself, whose outcome is unknown.
        """
        with self.database.write() as connection:
            row = _LOCKED_HEAD.row(connection)
            if row is None:
                raise StoreCorruptError("the log has no head")
            yield Turn(self.database, connection, Head(*row))

    def append(self, change: Change) -> None:
        """Take a turn for one change."""
        with self.turn() as turn:
            turn.append(change)

    def save_signed(self, size: int, signed: bytes, digest: Digest, signed_at: int) -> None:
        """Keep the signed bytes of a committed checkpoint; `StoreRaceError` if it has some."""
        with self.database.write() as connection:
            kept = _SAVE_SIGNED.change(
                connection,
                of_size=size,
                as_signed=signed,
                its_digest=digest.raw,
                when_signed=signed_at,
            )
            if kept != 1:
                raise StoreRaceError("the checkpoint is already signed")

    def keep_signed(self, rows: Sequence[SignedRow]) -> None:
        """Keep checkpoints that were signed before, where none of their size is kept signed."""
        unsigned = checkpoints.c.signed.is_(None)
        with self.database.write() as connection:
            for values in map(signed_values, rows):
                row = self.database.upsert(checkpoints).values(values)
                connection.execute(
                    row.on_conflict_do_update(index_elements=["size"], set_=values, where=unsigned)
                )

    def save_token(self, size: int, token: bytes, upper_ms: int) -> None:
        """Keep the time-stamp token of a checkpoint."""
        with self.database.write() as connection:
            row = self.database.upsert(timestamps).values(size=size, token=token, upper_ms=upper_ms)
            connection.execute(row.on_conflict_do_nothing())

    # --- head and checkpoints -----------------------------------------------------

    def head(self) -> Head | None:
        """Read the head, or None before `found`."""
        with self.database.read() as connection:
            row = _HEAD.row(connection)
        return None if row is None else Head(*row)

    def committed(self, size: int) -> SignedRow | None:
        """Read the checkpoint of a committed size, signed or not."""
        with self.database.read() as connection:
            row = _COMMITTED.row(connection, of_size=size)
        if row is None:
            return None
        root, signed, signed_at = row
        return SignedRow(size=size, root=root, signed=signed, signed_at=signed_at)

    def standing(self, size: int) -> tuple[SignedRow | None, int, int]:
        """Read the checkpoint of a committed size, and the newest signed one's size and time.

        Both are 0 where none is signed.
        """
        with self.database.read() as connection:
            row = _STANDING.row(connection, of_size=size)
        if row is None:
            return None, 0, 0
        root, signed, signed_at, newest, newest_at = row
        found = SignedRow(size=size, root=root, signed=signed, signed_at=signed_at)
        return found, newest or 0, newest_at or 0

    def newest_signed_size(self) -> int:
        """Read the largest size that is signed; 0 if none is."""
        with self.database.read() as connection:
            row = _NEWEST_SIZE.row(connection)
        return 0 if row is None else row[0]

    def newest_signed(self) -> bytes | None:
        """Read the signed bytes of the newest checkpoint that has them."""
        with self.database.read() as connection:
            row = _NEWEST_SIGNED.row(connection)
        return None if row is None else row[0]

    def last_signed_at(self) -> int | None:
        """Read when the newest signed checkpoint was signed, in seconds."""
        with self.database.read() as connection:
            row = _LAST_SIGNED_AT.row(connection)
        return None if row is None else row[0]

    def checkpoint(self, size: int) -> bytes | None:
        """Read the signed bytes of one checkpoint."""
        row = self.committed(size)
        return None if row is None else row.signed

    def is_blank(self, size: int) -> bool:
        """Tell whether a checkpoint has none of what signing it adds."""
        added = (checkpoints.c.signed, checkpoints.c.digest, checkpoints.c.signed_at)
        with self.database.read() as connection:
            row = connection.execute(select(*added).where(checkpoints.c.size == size)).one_or_none()
        return row is None or all(value is None for value in row)

    def anchor(self, size: int) -> tuple[bytes, int] | None:
        """Read what an anchor at this size must name, and when that was signed, in seconds."""
        with self.database.read() as connection:
            row = _ANCHOR.row(connection, of_size=size)
        return None if row is None else (row[0], row[1])

    def signed_after(self, position: int) -> int | None:
        """Read when the first checkpoint that covers a position was signed, in seconds."""
        with self.database.read() as connection:
            return connection.execute(
                select(checkpoints.c.signed_at)
                .where(checkpoints.c.size > position, checkpoints.c.signed.is_not(None))
                .order_by(checkpoints.c.size)
                .limit(1)
            ).scalar_one_or_none()

    def checkpoint_roots(self) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Read (size, root, signed) of every checkpoint, in order."""
        last = -1
        while True:
            with self.database.read() as connection:
                rows = connection.execute(
                    select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.signed)
                    .where(checkpoints.c.size > last)
                    .order_by(checkpoints.c.size)
                    .limit(_PAGE)
                ).all()
            if not rows:
                return
            yield from ((row.size, row.root, row.signed) for row in rows)
            last = rows[-1].size

    # --- leaves and tiles --------------------------------------------------------

    def entries(self, first: int, below: int) -> list[bytes]:
        """Read what the leaves from one position to before another are made of, in order."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(statements.c.digest)
                .where(statements.c.position >= first, statements.c.position < below)
                .order_by(statements.c.position)
            ).all()
        return [row.digest for row in rows]

    def tile(self, level: int, number: int) -> bytes | None:
        """Read the hashes of one tile, joined; a partial tile is shorter."""
        with self.database.read() as connection:
            row = _TILE.row(connection, of_level=level, of_number=number)
        return None if row is None else row[0]

    def tile_numbers(self) -> list[tuple[int, int]]:
        """List (level, number) of every tile."""
        with self.database.read() as connection:
            found = connection.execute(select(tiles.c.level, tiles.c.number)).all()
        return sorted((row.level, row.number) for row in found)

    # --- time-stamps -------------------------------------------------------------

    def tokens(self, first: int, last: int, *, limit: int) -> list[tuple[int, bytes]]:
        """Read the tokens over checkpoints of these sizes, ascending."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(timestamps.c.size, timestamps.c.token)
                .where(timestamps.c.size.between(first, last))
                .order_by(timestamps.c.size)
                .limit(limit)
            ).all()
        return [(row.size, row.token) for row in rows]

    def stamps(self) -> Iterator[tuple[int, bytes, int]]:
        """Read (size, token, upper bound in ms) of every time-stamp, ascending."""
        last = -1
        while True:
            with self.database.read() as connection:
                rows = connection.execute(
                    select(timestamps)
                    .where(timestamps.c.size > last)
                    .order_by(timestamps.c.size)
                    .limit(_PAGE)
                ).all()
            if not rows:
                return
            yield from ((row.size, row.token, row.upper_ms) for row in rows)
            last = rows[-1].size

    def last_stamped(self) -> int:
        """Read the largest size that has a token; 0 if none has."""
        with self.database.read() as connection:
            size = connection.execute(select(func.max(timestamps.c.size))).scalar_one()
        return 0 if size is None else size
