"""The key.* statements of the log, and what they mean for one engagement.

Rules: an engagement's history holds only statements about its own parties' keys, their successors
and their recovery keys. Nobody's announcement can reach into an engagement that does not name them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.records import KeyAnnounce, KeyRecord, KeyRevoke, KeyRotate
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One key.* statement at its place in the log."""

    position: int
    statement: Statement
    record: KeyRecord


@dataclass(frozen=True, slots=True)
class KeyEvents:
    """All key.* statements so far, in log order; a value.

    `lineages` holds, for each key that was ever rotated, the keys of the same person. It is kept up
    to date as statements come: each claim of work time asks for it.
    """

    events: tuple[KeyEvent, ...] = ()
    lineages: Mapping[Digest, frozenset[Digest]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[KeyEvent]) -> "KeyEvents":
        """Take logged statements, in log order."""
        made = cls()
        for event in events:
            made = made.with_event(event)
        return made

    @property
    def version(self) -> int:
        """Count the statements; a fold over fewer of them is out of date."""
        return len(self.events)

    def with_event(self, event: KeyEvent) -> "KeyEvents":
        """Add the newest statement."""
        events = (*self.events, event)
        if not isinstance(event.record, KeyRotate):
            return KeyEvents(events, self.lineages)
        joined = self.lineage(event.record.old) | self.lineage(_key_of(event))
        return KeyEvents(events, {**self.lineages, **dict.fromkeys(joined, joined)})

    def history(self, terms: Terms) -> KeyHistory:
        """Fold what concerns the parties of these terms."""
        return self._fold(terms)[0]

    def concerning(self, terms: Terms) -> tuple[KeyEvent, ...]:
        """List the statements that the history of these terms is made of."""
        return self._fold(terms)[1]

    def lineage(self, thumbprint: Digest) -> frozenset[Digest]:
        """List the keys that one person had: this one, those it replaced and their successors."""
        return self.lineages.get(thumbprint, frozenset((thumbprint,)))

    def is_announced(self, thumbprint: Digest) -> bool:
        """Tell whether a key was announced before."""
        return any(
            isinstance(event.record, KeyAnnounce) and _key_of(event) == thumbprint
            for event in self.events
        )

    def names(self, thumbprint: Digest) -> bool:
        """Tell whether a logged statement made this key a successor or a recovery key."""
        return any(thumbprint in _made(event) for event in self.events)

    def _fold(self, terms: Terms) -> tuple[KeyHistory, tuple[KeyEvent, ...]]:
        named = parties_of(terms)
        history = KeyHistory.start(named)
        wanted = self._reach({key.thumbprint for keys in named.values() for key in keys})
        applied: list[KeyEvent] = []
        for event in self.events:
            if _old_of(event) not in wanted:
                continue
            try:
                history = history.advance(event.position, event.statement, event.record)
            except VerificationError:
                # Admitted for another engagement, without force in this one.
                continue
            applied.append(event)
        return history, tuple(applied)

    def _reach(self, wanted: set[Digest]) -> set[Digest]:
        """Add the keys that these keys' statements made, and theirs in turn."""
        made: dict[Digest, list[Digest]] = {}
        for event in self.events:
            made.setdefault(_old_of(event), []).extend(_made(event))
        waiting = list(wanted)
        while waiting:
            fresh = [key for key in made.get(waiting.pop(), ()) if key not in wanted]
            wanted.update(fresh)
            waiting += fresh
        return wanted


def parties_of(terms: Terms) -> dict[Role, tuple[PublicKey, ...]]:
    """List the keys that the terms name, by role."""
    return {
        Role.CLIENT: (terms.client,),
        Role.FREELANCER: (terms.freelancer,),
        Role.ARBITRATOR: tuple(terms.arbitrators),
        Role.OPERATOR: (terms.operator,),
    }


def _key_of(event: KeyEvent) -> Digest:
    match event.record:
        case KeyAnnounce() | KeyRotate():
            return event.record.public_key.thumbprint
        case KeyRevoke():
            return event.record.key


def _old_of(event: KeyEvent) -> Digest:
    """Name the key that must already count for the statement to count."""
    return event.record.old if isinstance(event.record, KeyRotate) else _key_of(event)


def _made(event: KeyEvent) -> Iterator[Digest]:
    match event.record:
        case KeyRotate():
            yield event.record.public_key.thumbprint
        case KeyAnnounce(recovery=Digest() as recovery):
            yield recovery
        case _:
            return
