"""The stored key statements by key, read when they are asked for; memory holds the latest asked.

Rules: announcing a key costs nothing, so nothing here grows with their number. What is stored never
changes, it only becomes more: what was read up to a place is asked for again from that place on.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from workseal_protocol.digest import Digest
from workseal_protocol.records import KeyRecord, read_record
from workseal_protocol.statement import Statement
from workseal_verifier.errors import StoreCorruptError
from workseal_verifier.services.keyfold import KeyEvent
from workseal_verifier.store.keyrows import KeyRowStore
from workseal_verifier.store.logrows import KeyRow

# Keys, of each of three questions. A key with a statement takes 3 KB, one without 300 bytes.
CACHED: Final = 8_192
# Of those who named a recovery key: whoever learns its name reads it in the first of these.
MAX_VOUCHERS: Final = 64


class _Placed(Protocol):
    @property
    def position(self) -> int: ...


_Row = TypeVar("_Row", bound=_Placed)


class LoggedKeys:
    """Answer below any place of the log; for any thread."""

    def __init__(self, rows: KeyRowStore, *, most: int | None = None) -> None:
        self._rows = rows
        most = CACHED if most is None else most
        self._about: _Shelf[KeyEvent] = _Shelf(self._read_about, most)
        self._to: _Shelf[KeyRow] = _Shelf(self._read_rotations, most)
        self._naming: _Shelf[KeyRow] = _Shelf(self._read_naming, most)

    @property
    def held(self) -> int:
        """Count the keys that memory holds something of."""
        return sum(len(one) for one in (self._about, self._to, self._naming))

    def reach(self, below: int) -> int:
        """Return the place after the last key statement before another place."""
        return self._rows.reach(below)

    def about(self, key: Digest, below: int) -> tuple[KeyEvent, ...]:
        """List the statements for which a key must count."""
        return self._about.get(key, below)

    def rotations_to(self, key: Digest, below: int) -> tuple[KeyRow, ...]:
        """List the rotations that led to a key."""
        return self._to.get(key, below)

    def naming(self, recovery: Digest, below: int) -> tuple[KeyRow, ...]:
        """List the first announcements that name a recovery key, at most `MAX_VOUCHERS`."""
        return self._naming.get(recovery, below)[:MAX_VOUCHERS]

    def _read_about(self, key: Digest, since: int, below: int) -> Sequence[KeyEvent]:
        found = self._rows.about(key, since=since, below=below)
        return [event_at(position, body) for position, body in found]

    def _read_rotations(self, key: Digest, since: int, below: int) -> Sequence[KeyRow]:
        return self._rows.rotations_to(key, since=since, below=below)

    def _read_naming(self, recovery: Digest, since: int, below: int) -> Sequence[KeyRow]:
        return self._rows.naming(recovery, since=since, below=below, most=MAX_VOUCHERS)


def event_at(position: int, body: bytes) -> KeyEvent:
    """Read a stored key.* statement."""
    statement = Statement.parse(body)
    record = read_record(statement)
    if not isinstance(record, KeyRecord):
        raise StoreCorruptError(f"statement {position} is stored as another kind")
    return KeyEvent(position, statement, record)


class _Shelf(Generic[_Row]):
    """What was read of the keys asked for latest, each with the place up to which it was read."""

    def __init__(self, read: Callable[[Digest, int, int], Sequence[_Row]], most: int) -> None:
        self._read = read
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[Digest, tuple[int, tuple[_Row, ...]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Digest, below: int) -> tuple[_Row, ...]:
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
        seen, rows = held or (0, ())
        if seen < below:
            rows = (*rows, *self._read(key, seen, below))
            self._keep(key, below, rows)
        if rows and rows[-1].position >= below:
            return tuple(row for row in rows if row.position < below)
        return rows

    def _keep(self, key: Digest, below: int, rows: tuple[_Row, ...]) -> None:
        with self._lock:
            # Two may have read at once, one of them further.
            if self._held.get(key, (0, ()))[0] < below:
                self._held[key] = (below, rows)
                self._held.move_to_end(key)
                if len(self._held) > self._most:
                    self._held.popitem(last=False)
