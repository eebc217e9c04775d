"""An engagement's state from the store: by its milestones and the statements since the last one.

Rule: a milestone is used only where the log holds the statement that it ends with, and where none
before it is missing. What cannot be used is not; then the statements tell all of it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workseal_protocol.chain import ChainState
from workseal_protocol.errors import MalformedError
from workseal_verifier.services.engagement import Engagement, fold, followed, followed_all
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.services.milestones import Part, parse_state
from workseal_verifier.store.logrows import Entry
from workseal_verifier.store.milestonerows import MilestoneRow
from workseal_verifier.store.records import RecordStore

_logger = logging.getLogger(__name__)

# Above every place of a log.
_NO_BOUND = 2**63 - 1
# The offer, the acceptance, and what may stand between.
_FIRST = 8


def read_chain(
    records: RecordStore, identifier: bytes, events: KeyEvents, *, below: int = _NO_BOUND
) -> Engagement | None:
    """Read an engagement as it stood below a place of the log; None when it has no offer."""
    first = records.beginning(identifier, below=below, most=_FIRST)
    state, taken = _begun(first, events)
    if state is None:
        return None
    since = first[taken - 1].position + 1
    if len(first) < _FIRST:
        # There is no more of it.
        return followed_all(state, first[taken:], events)
    return follow_chain(records, state, events, since=since, below=below)


def follow_chain(
    records: RecordStore,
    state: Engagement,
    events: KeyEvents,
    *,
    since: int,
    below: int = _NO_BOUND,
) -> Engagement:
    """Take what the log holds of an engagement from a place on, up to another."""
    rows = records.milestones.after(state.identifier, state.marked)
    marked = rows[-1].reach if rows else state.marked
    found = None if state.chain is None else _usable(rows, state.chain, below)
    if found is None:
        own = records.of_engagement(state.identifier, since=since, below=below)
        return replace(followed_all(state, own, events), marked=marked)
    own = records.of_engagement(state.identifier, since=found.position, below=below)
    moved = _moved(state, found, next(own, None))
    if moved is None:
        _logger.warning("milestones of a chain are not what its statements say: run check-log")
        moved = fold(records.of_engagement(state.identifier, below=below), events)
        return replace(state if moved is None else moved, marked=marked)
    return replace(followed_all(moved, own, events), marked=marked)


@dataclass(frozen=True, slots=True)
class _Milestones:
    """Rows that follow each other, and where the statement stands that they end with."""

    rows: Sequence[MilestoneRow]
    position: int
    state: bytes


def _begun(first: Sequence[Entry], events: KeyEvents) -> tuple[Engagement | None, int]:
    """Fold what comes before a chain, and tell how many statements that were."""
    state = fold(first[:1], events)
    for number, entry in enumerate(first[1:], 1):
        if state is None or state.chain is not None:
            return state, number
        state = followed(state, entry, events)
    return state, len(first)


def _usable(rows: Sequence[MilestoneRow], chain: ChainState, below: int) -> _Milestones | None:
    """Find the milestones that lead on from a state; None where none leads further."""
    found: _Milestones | None = None
    reach = chain.next_seq
    for number, row in enumerate(rows, 1):
        if row.since > reach:
            break
        if row.position is not None and row.position >= below:
            break
        reach = row.reach
        if row.position is not None and row.state is not None and reach > chain.next_seq:
            found = _Milestones(rows[:number], row.position, row.state)
    return found


def _moved(state: Engagement, found: _Milestones, last: Entry | None) -> Engagement | None:
    """Move a state on by milestones; None where `last`, which is logged, is not their end."""
    before = state.chain
    if before is None or last is None:
        return None
    try:
        parts = [Part.parse(row.past, row.since, row.reach) for row in found.rows]
        after = parse_state(found.state, before, parts[-1].reach)
    except MalformedError:
        return None
    if last.digest != after.head:
        return None
    past = before.past.until(before.next_seq)
    for part in parts:
        part.add_to(past)
    return state.moved(replace(after, past=past))
