"""The key.* statements of the log, and what they mean for one engagement.

Rules: an engagement's history holds only statements about its own parties' keys, what these came
from, their successors and their recovery keys. Nobody's announcement can reach into an engagement
that does not name them. Which of them count there, and since when, `keyfold` says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from workseal_protocol.digest import Digest
from workseal_protocol.keyhistory import KEY_KINDS, KeyHistory
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRecord,
    KeyRotate,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.errors import StoreCorruptError
from workseal_verifier.services.keyfold import KeyEvent, KeyFold
from workseal_verifier.store.log import Entry
from workseal_verifier.store.records import RecordStore

MAX_VOUCHERS = 64
# As the store names the kinds.
KEY_STATEMENTS = frozenset(kind.value for kind in KEY_KINDS)


@dataclass(frozen=True, slots=True)
class KeyEvents:
    """All key.* statements so far; a value.

    They are kept by the key that must already count for them, so that a fold reads only what
    concerns its parties. `came` holds the rotation that led to a key, `lineages`, for each key that
    was ever rotated, the keys of the same person, and `vouchers`, for each recovery key, the first
    keys that named it.
    """

    version: int = 0
    about: Mapping[Digest, tuple[KeyEvent, ...]] = field(default_factory=dict)
    lineages: Mapping[Digest, frozenset[Digest]] = field(default_factory=dict)
    vouchers: Mapping[Digest, tuple[Digest, ...]] = field(default_factory=dict)
    came: Mapping[Digest, KeyEvent] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[KeyEvent]) -> "KeyEvents":
        """Take logged statements, in log order."""
        return cls().with_events(events)

    def with_event(self, event: KeyEvent) -> "KeyEvents":
        """Add the newest statement."""
        return self.with_events((event,))

    def with_events(self, events: Iterable[KeyEvent]) -> "KeyEvents":
        """Add the newest statements; `version` counts them all."""
        version = self.version
        about, lineages, vouchers = dict(self.about), dict(self.lineages), dict(self.vouchers)
        came = dict(self.came)
        for event in events:
            version += 1
            old = event.key
            about[old] = (*about.get(old, ()), event)
            match event.record:
                case KeyRotate(public_key=new):
                    came.setdefault(new.thumbprint, event)
                    joined = _lineage(lineages, old) | _lineage(lineages, new.thumbprint)
                    lineages.update(dict.fromkeys(joined, joined))
                case KeyAnnounce(recovery=Digest() as recovery):
                    named_by = vouchers.get(recovery, ())
                    # Whoever learns a recovery key's name reads it in the first of these.
                    if len(named_by) < MAX_VOUCHERS:
                        vouchers[recovery] = (*named_by, old)
                case _:
                    pass
        return KeyEvents(version, about, lineages, vouchers, came)

    def history(self, terms: Terms) -> KeyHistory:
        """Fold what concerns the parties of these terms."""
        return self._fold(parties_of(terms), None)[0]

    def history_of(self, named: Mapping[Role, tuple[PublicKey, ...]]) -> KeyHistory:
        """Fold what concerns these keys, whatever engagements there are."""
        return self._fold(named, None)[0]

    def concerning(self, terms: Terms, *, below: int | None = None) -> tuple[KeyEvent, ...]:
        """List the statements that the history of these terms is made of, in log order."""
        return self._fold(parties_of(terms), below)[1]

    def lineage(self, thumbprint: Digest) -> frozenset[Digest]:
        """List the keys that one person had: this one, those it replaced and their successors."""
        return _lineage(self.lineages, thumbprint)

    def vouching(self, recovery: Digest) -> frozenset[Digest]:
        """List the keys of everybody who named this key as a recovery key."""
        return frozenset().union(*map(self.lineage, self.vouchers.get(recovery, ())))

    def announced(self, thumbprint: Digest) -> PublicKey | None:
        """Return the key of this name if it was announced."""
        records = (event.record for event in self.about.get(thumbprint, ()))
        return next((one.public_key for one in records if isinstance(one, KeyAnnounce)), None)

    def has_gone(self, thumbprint: Digest) -> bool:
        """Tell whether a rotation of this key is logged."""
        return any(isinstance(one.record, KeyRotate) for one in self.about.get(thumbprint, ()))

    def has_ended(self, thumbprint: Digest) -> bool:
        """Tell whether a rotation or revocation of this key is logged, wherever it counts."""
        told = self.about.get(thumbprint, ())
        return any(not isinstance(one.record, KeyAnnounce) for one in told)

    def path(self, thumbprint: Digest) -> list[Digest]:
        """List the keys that led to this one by rotation, the first one first, and itself."""
        found = [thumbprint]
        below = None
        while came := self.came.get(found[-1]):
            # One log took two rotations to one key, and so perhaps to each other.
            if below is not None and came.position >= below:
                break
            found.append(came.key)
            below = came.position
        return found[::-1]

    def origin(self, thumbprint: Digest) -> PublicKey | None:
        """Return the first key of its path that was announced; the later ones come from it."""
        return next(filter(None, map(self.announced, self.path(thumbprint))), None)

    def recoveries(self, thumbprint: Digest) -> list[Digest]:
        """List the recovery keys that a key and those before it named."""
        return [
            event.record.recovery
            for key in self.path(thumbprint)
            for event in self.about.get(key, ())
            if isinstance(event.record, KeyAnnounce) and event.record.recovery is not None
        ]

    def _fold(
        self, named: Mapping[Role, tuple[PublicKey, ...]], below: int | None
    ) -> tuple[KeyHistory, tuple[KeyEvent, ...]]:
        fold = KeyFold(self.about, self.came, KeyHistory.start(named))
        applied = fold.run([key.thumbprint for keys in named.values() for key in keys], below)
        return fold.history, applied


class KeyBook:
    """The key statements of the published log, read once and not at each question."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._known: tuple[int, KeyEvents] = (0, KeyEvents())

    def below(self, size: int) -> KeyEvents:
        """Return the statements before a position, and perhaps later ones."""
        seen, events = self._known
        if seen < size:
            # Two readers may do this at once: both come to the same value.
            events = events.with_events(logged_events(self._records, since=seen, below=size))
            self._known = (size, events)
        return events


def logged_events(records: RecordStore, *, since: int, below: int) -> Iterator[KeyEvent]:
    """Read the key.* statements at positions from `since` to before `below`, in log order."""
    yield from map(event_of, records.of_kinds(sorted(KEY_STATEMENTS), below=below, since=since))


def event_of(entry: Entry) -> KeyEvent:
    """Read a stored key.* statement."""
    statement = Statement.parse(entry.body)
    record = read_record(statement)
    if not isinstance(record, KeyRecord):
        raise StoreCorruptError(f"statement {entry.position} is stored as another kind")
    return KeyEvent(entry.position, statement, record)


def parties_of(terms: Terms) -> dict[Role, tuple[PublicKey, ...]]:
    """List the keys that the terms name, by role."""
    return {
        Role.CLIENT: (terms.client,),
        Role.FREELANCER: (terms.freelancer,),
        Role.ARBITRATOR: tuple(terms.arbitrators),
        Role.OPERATOR: (terms.operator,),
    }


def _lineage(lineages: Mapping[Digest, frozenset[Digest]], thumbprint: Digest) -> frozenset[Digest]:
    return lineages.get(thumbprint, frozenset((thumbprint,)))
