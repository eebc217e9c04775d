"""The key.* statements of the log, and what they mean for one engagement.

Rules: an engagement's history holds only statements about its own parties' keys, their successors
and their recovery keys. Nobody's announcement can reach into an engagement that does not name them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

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
    """All key.* statements so far, in log order; a value."""

    events: tuple[KeyEvent, ...] = ()

    @property
    def version(self) -> int:
        """Count the statements; a fold over fewer of them is out of date."""
        return len(self.events)

    def with_event(self, event: KeyEvent) -> "KeyEvents":
        """Add the newest statement."""
        return KeyEvents((*self.events, event))

    def history(self, terms: Terms) -> KeyHistory:
        """Fold what concerns the parties of these terms."""
        return self._fold(terms)[0]

    def concerning(self, terms: Terms) -> tuple[KeyEvent, ...]:
        """List the statements that the history of these terms is made of."""
        return self._fold(terms)[1]

    def lineage(self, thumbprint: Digest) -> frozenset[Digest]:
        """List the keys that one person had: this one, those it replaced and their successors."""
        found = {thumbprint}
        links = [(e.record.old, _key_of(e)) for e in self.events if isinstance(e.record, KeyRotate)]
        for _ in links:
            met = [pair for pair in links if found & set(pair)]
            if found.issuperset(*met):
                break
            found.update(*met)
        return frozenset(found)

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
        for _ in self.events:
            more = {
                made for event in self.events if _old_of(event) in wanted for made in _made(event)
            }
            if more <= wanted:
                break
            wanted |= more
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
