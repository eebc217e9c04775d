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
from workseal_protocol.records import KeyAnnounce, KeyRotate
from workseal_protocol.terms import Terms
from workseal_verifier.services.keyfold import KeyEvent, KeyFold
from workseal_verifier.services.loggedkeys import MAX_VOUCHERS, LoggedKeys, event_at
from workseal_verifier.store.logrows import Entry
from workseal_verifier.store.records import RecordStore

# As the store names the kinds.
KEY_STATEMENTS = frozenset(kind.value for kind in KEY_KINDS)


@dataclass(frozen=True, slots=True)
class KeyEvents:
    """All key.* statements below a place; a value.

    What is stored is asked for when it is needed; what came since then is held here, by the key
    that must already count for it, so that a fold reads only what concerns its parties. `version`
    is the place after the last statement.
    """

    version: int = 0
    stored: LoggedKeys | None = None
    # Up to where the store is asked.
    below: int = 0
    _about: Mapping[Digest, tuple[KeyEvent, ...]] = field(default_factory=dict)
    # The rotation that led to a key; the keys of the same person; who named a recovery key.
    _came: Mapping[Digest, KeyEvent] = field(default_factory=dict)
    _lineages: Mapping[Digest, frozenset[Digest]] = field(default_factory=dict)
    _vouchers: Mapping[Digest, tuple[Digest, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[KeyEvent]) -> "KeyEvents":
        """Take logged statements, in log order."""
        return cls().with_events(events)

    @classmethod
    def below_place(cls, stored: LoggedKeys, place: int) -> "KeyEvents":
        """Take all that is stored before a place."""
        reach = stored.reach(place)
        return cls(version=reach, stored=stored, below=reach)

    def with_event(self, event: KeyEvent) -> "KeyEvents":
        """Add the newest statement."""
        return self.with_events((event,))

    def with_events(self, events: Iterable[KeyEvent]) -> "KeyEvents":
        """Add the newest statements; only what is not stored yet is copied."""
        version = self.version
        about, lineages, vouchers = dict(self._about), dict(self._lineages), dict(self._vouchers)
        came = dict(self._came)
        for event in events:
            version = event.position + 1
            old = event.key
            about[old] = (*about.get(old, ()), event)
            match event.record:
                case KeyRotate(public_key=new):
                    came.setdefault(new.thumbprint, event)
                    both = (old, new.thumbprint)
                    joined = frozenset().union(
                        *(lineages.get(one) or self._stored_lineage(one) for one in both)
                    )
                    lineages.update(dict.fromkeys(joined, joined))
                case KeyAnnounce(recovery=Digest() as recovery):
                    named_by = vouchers.get(recovery, ())
                    if len(named_by) < MAX_VOUCHERS:
                        vouchers[recovery] = (*named_by, old)
                case _:
                    pass
        return KeyEvents(version, self.stored, self.below, about, came, lineages, vouchers)

    def about(self, thumbprint: Digest) -> tuple[KeyEvent, ...]:
        """List the statements for which this key must count, in log order."""
        fresh = self._about.get(thumbprint, ())
        if self.stored is None:
            return fresh
        return (*self.stored.about(thumbprint, self.below), *fresh)

    def came(self, thumbprint: Digest) -> KeyEvent | None:
        """Return the first rotation that led to this key."""
        rows = () if self.stored is None else self.stored.rotations_to(thumbprint, self.below)
        if not rows:
            return self._came.get(thumbprint)
        told = self.about(rows[0].subject)
        return next(one for one in told if one.position == rows[0].position)

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
        return self._lineages.get(thumbprint) or self._stored_lineage(thumbprint)

    def _stored_lineage(self, thumbprint: Digest) -> frozenset[Digest]:
        found = {thumbprint}
        if self.stored is not None:
            waiting = [thumbprint]
            while waiting:
                near = self._stored_neighbours(self.stored, waiting.pop()) - found
                found |= near
                waiting += near
        return frozenset(found)

    def _stored_neighbours(self, stored: LoggedKeys, thumbprint: Digest) -> set[Digest]:
        before = {row.subject for row in stored.rotations_to(thumbprint, self.below)}
        told = (event.record for event in stored.about(thumbprint, self.below))
        return before | {one.public_key.thumbprint for one in told if isinstance(one, KeyRotate)}

    def vouching(self, recovery: Digest) -> frozenset[Digest]:
        """List the keys of the first who named this key as a recovery key."""
        stored = () if self.stored is None else self.stored.naming(recovery, self.below)
        named_by = (*(row.subject for row in stored), *self._vouchers.get(recovery, ()))
        return frozenset().union(*map(self.lineage, named_by[:MAX_VOUCHERS]))

    def announced(self, thumbprint: Digest) -> PublicKey | None:
        """Return the key of this name if it was announced."""
        records = (event.record for event in self.about(thumbprint))
        return next((one.public_key for one in records if isinstance(one, KeyAnnounce)), None)

    def has_ended(self, thumbprint: Digest) -> bool:
        """Tell whether its person ended this key: nobody else rotates or revokes it."""
        told = self.about(thumbprint)
        return any(not isinstance(one.record, KeyAnnounce) for one in told)

    def path(self, thumbprint: Digest) -> list[Digest]:
        """List the keys that led to this one by rotation, the first one first, and itself."""
        found = [thumbprint]
        below = None
        while came := self.came(found[-1]):
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
            for event in self.about(key)
            if isinstance(event.record, KeyAnnounce) and event.record.recovery is not None
        ]

    def _fold(
        self, named: Mapping[Role, tuple[PublicKey, ...]], below: int | None
    ) -> tuple[KeyHistory, tuple[KeyEvent, ...]]:
        fold = KeyFold(self.about, self.came, KeyHistory.start(named))
        applied = fold.run([key.thumbprint for keys in named.values() for key in keys], below)
        return fold.history, applied


class KeyBook:
    """The key statements of the log, for whoever asks below a size."""

    def __init__(self, records: RecordStore) -> None:
        self._stored = LoggedKeys(records.keys)
        self._known: tuple[int, KeyEvents] = (0, KeyEvents())

    def below(self, size: int) -> KeyEvents:
        """Return the statements before a position."""
        known, events = self._known
        if known != size:
            # Two readers may do this at once: both come to the same value.
            events = KeyEvents.below_place(self._stored, size)
            self._known = (size, events)
        return events


def logged_events(records: RecordStore, *, since: int, below: int) -> Iterator[KeyEvent]:
    """Read the key.* statements at positions from `since` to before `below`, in log order."""
    yield from map(event_of, records.of_kinds(sorted(KEY_STATEMENTS), below=below, since=since))


def event_of(entry: Entry) -> KeyEvent:
    """Read a stored key.* statement."""
    return event_at(entry.position, entry.body)


def parties_of(terms: Terms) -> dict[Role, tuple[PublicKey, ...]]:
    """List the keys that the terms name, by role."""
    return {
        Role.CLIENT: (terms.client,),
        Role.FREELANCER: (terms.freelancer,),
        Role.ARBITRATOR: tuple(terms.arbitrators),
        Role.OPERATOR: (terms.operator,),
    }
