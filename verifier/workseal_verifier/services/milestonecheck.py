"""Whether stored milestones are what the statements of their chains say; `check-log` asks.

Rule: nothing that is stored of them is believed but between which statements each lies.
"""

from collections.abc import Iterator, Sequence

from workseal_protocol.chain import ChainState
from workseal_protocol.errors import MalformedError
from workseal_verifier.services.engagement import Engagement, fold, followed_all
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.services.milestones import Part, encode_state
from workseal_verifier.store.milestonerows import MilestoneRow
from workseal_verifier.store.records import RecordStore


def milestone_problems(
    records: RecordStore, events: KeyEvents, size: int, *, most: int
) -> Iterator[str]:
    """Give each difference as one line, and at most so many of them."""
    named = 0
    for engagement in records.milestones.engagements():
        for problem in _problems(records, events, engagement, size):
            yield f"milestones: {problem}"
            named += 1
            if named == most:
                return


def _problems(
    records: RecordStore, events: KeyEvents, engagement: bytes, size: int
) -> Iterator[str]:
    state: Engagement | None = None
    since, reach = 0, 0
    together: list[MilestoneRow] = []
    for row in records.milestones.after(engagement, -1):
        if row.since != reach or row.reach <= row.since:
            yield f"one begins with number {row.since} of its chain, expected {reach}"
            return
        reach = row.reach
        together.append(row)
        if row.position is None or row.state is None:
            if (row.position, row.state) != (None, None):
                yield "one tells where its chain stood, or how, and not both"
            continue
        if not since <= row.position < size:
            yield f"one ends with statement {row.position}, which is none of its chain"
            return
        try:
            own = records.of_engagement(engagement, since=since, below=row.position + 1)
            state = fold(own, events) if state is None else followed_all(state, own, events)
        except MalformedError:
            # Which statement that is was named before.
            return
        since = row.position + 1
        yield from _differences(None if state is None else state.chain, together)
        together = []
    if together:
        # Written without its end, which a later tick writes: it is held against all there is.
        own = records.of_engagement(engagement, since=since, below=size)
        state = fold(own, events) if state is None else followed_all(state, own, events)
        yield from _differences(None if state is None else state.chain, together)


def _differences(chain: ChainState | None, rows: Sequence[MilestoneRow]) -> Iterator[str]:
    """Compare what was written at a time with the chain as it stands at its end or later."""
    last = rows[-1]
    if chain is None or chain.next_seq < last.reach:
        yield f"one ends with statement {last.position}, where its chain has not come so far"
        return
    for row in rows:
        if Part.of(chain.past, row.since, row.reach).encode() != row.past:
            where = f"numbers {row.since} to {row.reach - 1}"
            yield f"{where} of a chain are not what the statements say"
    if last.state is None:
        return
    if chain.next_seq != last.reach or encode_state(chain) != last.state:
        yield f"the chain stood otherwise after statement {last.position}"
