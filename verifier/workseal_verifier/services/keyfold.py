"""Which key.* statements of the log count where some keys are named: a fold in log order.

Rules: whether a statement counts is decided by those before it, never by later ones: what was
receipted stays said by whom it was said. A key is reached from the beginning if it is named, from a
rotation if it came by one, and from an announcement if that names it as recovery key; what it says
of itself counts from then on. Its own announcement counts wherever it stands: nobody has known the
key until then, so that it changes nothing of what was. A recovery key announces and revokes, no
more; that it was revoked itself counts wherever it stands, too.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.records import KeyAnnounce, KeyRecord, KeyRevoke, KeyRotate
from workseal_protocol.statement import Statement

# A recovery key may have one itself. What follows is of no use to a party, and could go on for
# ever: announcing costs nothing.
_MOST_STEPS = 2


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One key.* statement at its place in the log."""

    position: int
    statement: Statement
    record: KeyRecord

    @property
    def key(self) -> Digest:
        """Name the key that must already count for the statement to count."""
        match self.record:
            case KeyAnnounce():
                return self.record.public_key.thumbprint
            case KeyRotate():
                return self.record.old
            case KeyRevoke():
                return self.record.key


@dataclass(slots=True)
class KeyFold:
    """One fold: `about` gives the statements by key, `came` the rotation that led to a key."""

    about: Callable[[Digest], tuple[KeyEvent, ...]]
    came: Callable[[Digest], KeyEvent | None]
    history: KeyHistory
    applied: dict[int, KeyEvent] = field(default_factory=dict)
    # How far from the named keys each is that was reached.
    _steps: dict[Digest, int] = field(default_factory=dict)
    _waiting: list[tuple[int, KeyEvent]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def run(self, named: Iterable[Digest], below: int | None) -> tuple[KeyEvent, ...]:
        """Apply what counts before a position, and return it in log order."""
        for key in named:
            self._reach(key, 0, -1)
            if came := self.came(key):
                self._wait_for(came)
        while self._waiting and (below is None or self._waiting[0][0] < below):
            _, event = heapq.heappop(self._waiting)
            self._take(event)
        return tuple(self.applied[place] for place in sorted(self.applied))

    def _wait_for(self, event: KeyEvent) -> None:
        if event.position not in self._seen:
            self._seen.add(event.position)
            heapq.heappush(self._waiting, (event.position, event))

    def _reach(self, key: Digest, steps: int, since: int) -> None:
        known = self._steps.get(key)
        if steps > _MOST_STEPS or (known is not None and known <= steps):
            return
        self._steps[key] = steps
        if known is None:
            self._begin(key, since)
        for event in self.about(key):
            if event.position in self.applied and isinstance(event.record, KeyAnnounce):
                self._reach_recovery(event.record, since)

    def _begin(self, key: Digest, since: int) -> None:
        early = announced_before(self.about, key, since)
        if early is not None and early.position not in self.applied:
            self._apply([early])
        for event in self.about(key):
            if self._steps[key] and event.position < since and isinstance(event.record, KeyRevoke):
                # A recovery key that had ended before anybody knew it here ends no key.
                self._apply([event])
            if event.position > since:
                self._wait_for(event)

    def _reach_recovery(self, record: KeyAnnounce, since: int) -> None:
        if record.recovery is not None:
            steps = self._steps.get(record.public_key.thumbprint, 0)
            self._reach(record.recovery, steps + 1, since)

    def _take(self, event: KeyEvent) -> None:
        match event.record:
            case KeyRotate() as record:
                self._rotate(event, record)
            case KeyAnnounce() as record:
                if self._apply([event]):
                    self._reach_recovery(record, event.position)
            case KeyRevoke():
                self._apply([event])

    def _rotate(self, event: KeyEvent, record: KeyRotate) -> None:
        new, steps = record.public_key.thumbprint, self._steps.get(record.old)
        if steps is None:
            self._inherit(event)
        elif steps == 0:
            early = None
            if new not in self._steps:
                early = announced_before(self.about, new, event.position)
            if self._apply([event] if early is None else [early, event]):
                self._reach(new, 0, event.position)

    def _inherit(self, event: KeyEvent) -> None:
        """Take what a named key has from those before it, which nobody knew here until now."""
        rotations = list(self._path(event))
        told = [announced_before(self.about, one.key, one.position) for one in rotations]
        early = [one for one in told if one is not None]
        past = sorted([*rotations, *early], key=lambda one: one.position)
        if self._apply(past, must=event):
            for one in early:
                if one.position in self.applied and isinstance(one.record, KeyAnnounce):
                    self._reach_recovery(one.record, event.position)

    def _path(self, event: KeyEvent) -> Iterator[KeyEvent]:
        """Go back from one rotation over those that led to it, as far as nobody knows the keys."""
        step: KeyEvent | None = event
        while step is not None and not self._is_known(step.key):
            yield step
            before = self.came(step.key)
            step = before if before is not None and before.position < step.position else None

    def _is_known(self, key: Digest) -> bool:
        return key in self._steps or key in self.history.lives

    def _apply(self, events: list[KeyEvent], *, must: KeyEvent | None = None) -> bool:
        """Apply statements, or none of them; with `must` those that count, if this one does."""
        history, applied = self.history, dict[int, KeyEvent]()
        for event in events:
            try:
                history = history.follow(event.position, event.statement.issuer, event.record)
            except VerificationError:
                # Admitted for another engagement, without force in this one.
                if must is None or event is must:
                    return False
            else:
                applied[event.position] = event
        self.history = history
        self.applied.update(applied)
        return True


def announced_before(
    about: Callable[[Digest], tuple[KeyEvent, ...]], key: Digest, position: int
) -> KeyEvent | None:
    """Find the announcement of a key before a place in the log."""
    told = (one for one in about(key) if isinstance(one.record, KeyAnnounce))
    return next((one for one in told if one.position < position), None)
