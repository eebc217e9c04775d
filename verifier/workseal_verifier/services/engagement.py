"""What the log knows of one engagement: a value, folded from its statements.

The fold of stored statements checks nothing again: each was admitted when it was logged, and
`check-log` repeats the checks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from workseal_protocol.chain import ChainReplay, ChainState, SegmentRun, follow
from workseal_protocol.digest import Digest
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.records import (
    Acceptance,
    ChainedRecord,
    Offer,
    Segment,
    read_record,
)
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.store.logrows import Entry


@dataclass(frozen=True, slots=True)
class Engagement:
    """The state that the next statement of an engagement is checked against.

    `marked` is how far the stored milestones of its chain reach.
    """

    identifier: bytes
    terms: Terms
    offer: Digest
    offered_at: int
    keys: KeyHistory
    keys_seen: int
    acceptance: Digest | None = None
    chain: ChainState | None = None
    marked: int = 0

    @classmethod
    def start(cls, record: Offer, digest: Digest, events: KeyEvents) -> "Engagement":
        """Begin with an offer."""
        return cls(
            identifier=record.engagement,
            terms=record.terms,
            offer=digest,
            offered_at=record.claimed_at,
            keys=events.history(record.terms),
            keys_seen=events.version,
        )

    @property
    def past(self) -> ChainReplay:
        """Give the memory of the chain, empty before the acceptance."""
        if self.chain is None:
            return ChainReplay()
        # It is shared with refused successors of this state: look no further than it does.
        return self.chain.past.until(self.chain.next_seq)

    def refreshed(self, events: KeyEvents) -> "Engagement":
        """Fold the key statements that were logged since."""
        if self.keys_seen == events.version:
            return self
        return replace(self, keys=events.history(self.terms), keys_seen=events.version)

    def accepted(self, digest: Digest, record: Acceptance, index: int) -> "Engagement":
        """Take the acceptance at its place in the log: the chain may begin."""
        agreed_at = max(self.offered_at, record.claimed_at)
        chain = ChainState.start(
            self.identifier, self.terms, digest, agreed_at=agreed_at, index=index
        )
        return replace(self, acceptance=digest, chain=chain)

    def moved(self, chain: ChainState) -> "Engagement":
        """Take the next state of the chain."""
        # Each field is named: `replace` looks them all up, for each statement.
        return Engagement(
            identifier=self.identifier,
            terms=self.terms,
            offer=self.offer,
            offered_at=self.offered_at,
            keys=self.keys,
            keys_seen=self.keys_seen,
            acceptance=self.acceptance,
            chain=chain,
            marked=self.marked,
        )


def fold(entries: Iterable[Entry], events: KeyEvents) -> Engagement | None:
    """Fold an engagement's own stored statements; None when there are none."""
    rest = iter(entries)
    first = next(rest, None)
    record = None if first is None else read_record(Statement.parse(first.body))
    if first is None or not isinstance(record, Offer):
        return None
    return followed_all(Engagement.start(record, first.digest, events), rest, events)


def followed_all(state: Engagement, entries: Iterable[Entry], events: KeyEvents) -> Engagement:
    """Take the next stored statements of an engagement, segments many at a time."""
    run: SegmentRun | None = None
    for entry in entries:
        if entry.kind == Kind.SEGMENT.value and state.chain is not None:
            run = SegmentRun(state.chain) if run is None else run
            if run.take(entry.digest, entry.body):
                continue
        if run is not None:
            state, run = state.moved(run.state), None
        state = followed(state, entry, events)
    return state if run is None else state.moved(run.state).refreshed(events)


def followed(state: Engagement, entry: Entry, events: KeyEvents) -> Engagement:
    """Take the next stored statement of an engagement, which was admitted when it was logged."""
    record = read_record(Statement.parse(entry.body))
    state = state.refreshed(events)
    digest = entry.digest
    if isinstance(record, Acceptance):
        return state.accepted(digest, record, entry.position)
    if isinstance(record, ChainedRecord) and state.chain is not None:
        return _follow(state, state.chain, digest, record)
    return state


def _follow(
    state: Engagement, chain: ChainState, digest: Digest, record: ChainedRecord
) -> Engagement:
    known = (record.round, record.agent_value) if isinstance(record, Segment) else None
    return state.moved(follow(chain, digest, record, known=known))
