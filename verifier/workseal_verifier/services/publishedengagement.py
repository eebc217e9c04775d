"""An engagement as the published log tells it: terms, state for a reader, keys of its parties.

Rule: a key that came by rotation reads only after a waiting time, in which the other party can see
it coming (docs/adr/0021).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from workseal_protocol.digest import Digest
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import PublicKey
from workseal_protocol.partykeys import Moment, PartyKey
from workseal_protocol.records import KeyAnnounce, KeyRevoke, KeyRotate, Offer, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.access import State, Who
from workseal_verifier.services.casefold import filing_of
from workseal_verifier.services.keyevents import parties_of
from workseal_verifier.services.keyfold import KeyEvent
from workseal_verifier.services.seats import Seats
from workseal_verifier.store.logrows import Entry

WAIT_MS = 24 * 3_600_000
TELLING = (
    Kind.OFFER.value,
    Kind.ACCEPTANCE.value,
    Kind.DISPUTE_REQUEST.value,
    Kind.DISPUTE_FILING.value,
    Kind.DISPUTE_ACT.value,
)


@dataclass(frozen=True, slots=True)
class PublishedEngagement:
    """What the statements before `seen` say of an engagement, and so many key statements."""

    terms: Terms
    seen: int
    accepted: bool = False
    # Who asked for frames beside any case; where the latest statement of a case stands.
    requesters: frozenset[Digest] = frozenset()
    moved: int = -1
    # Who sits in cases and who left them, as of a place.
    seats: Seats = field(default_factory=Seats)
    seated_at: int = -1
    version: int = -1
    history: KeyHistory = field(default_factory=KeyHistory)
    keys: tuple[PartyKey, ...] = ()

    def state(self, who: Who, keys: frozenset[Digest]) -> State:
        """Say its state for a reader: of arbitrators only who asked or sits sees a dispute."""
        if who is Who.ARBITRATOR:
            has_asked = bool(self.requesters & keys) and not self.seats.left_by(keys)
            is_disputed = has_asked or self.seats.has(keys)
        else:
            is_disputed = bool(self.requesters) or self.moved >= 0
        if is_disputed:
            return State.DISPUTED
        return State.ACCEPTED if self.accepted else State.OFFERED


def told(
    case: PublishedEngagement | None, entries: Iterable[Entry], seen: int
) -> PublishedEngagement | None:
    """Bring what is known of an engagement up to `seen` by its entries of `TELLING` kinds."""
    for entry in entries:
        statement = Statement.parse(entry.body)
        record = read_record(statement)
        if isinstance(record, Offer):
            case = PublishedEngagement(record.terms, seen)
        elif case is not None and entry.kind == Kind.ACCEPTANCE.value:
            case = replace(case, accepted=True)
        elif case is not None and filing_of(statement, record) is not None:
            # Who sits, and no longer who once asked, reads.
            case = replace(case, moved=entry.position)
        elif case is not None:
            case = replace(case, requesters=case.requesters | {statement.issuer})
    return None if case is None else replace(case, seen=seen)


def party_keys(
    terms: Terms, events: Sequence[KeyEvent], moment: Callable[[int], Moment]
) -> tuple[PartyKey, ...]:
    """List every key that a party had or has, by role and in the order of the log."""
    known = {
        key.thumbprint: PartyKey(role=role, key=key)
        for role, keys in parties_of(terms).items()
        for key in keys
    }
    recoveries: dict[Digest, tuple[Digest, Moment]] = {}
    for event in events:
        at = moment(event.position)
        match event.record:
            case KeyAnnounce(public_key=key, recovery=Digest() as recovery):
                recoveries[key.thumbprint] = (recovery, at)
            case KeyRotate(old=old, public_key=key):
                _rotate(known, old, key, at)
                if old in recoveries:
                    recoveries.setdefault(key.thumbprint, recoveries[old])
            case KeyRevoke(key=ended) if ended in known:
                known[ended] = replace(known[ended], ended=at)
            case _:
                pass
    keys = [replace(one, recovery=recoveries.get(name)) for name, one in known.items()]
    return tuple(sorted(keys, key=lambda one: (one.role, one.begun.index if one.begun else -1)))


def _rotate(known: dict[Digest, PartyKey], old: Digest, key: PublicKey, at: Moment) -> None:
    """Let a key follow another; one that the terms name has been there from the beginning."""
    if old not in known:
        return
    known.setdefault(
        key.thumbprint,
        PartyKey(role=known[old].role, key=key, begun=at, reads_from_ms=at.at_ms + WAIT_MS),
    )
    known[old] = replace(known[old], ended=at)
