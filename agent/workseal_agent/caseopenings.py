"""What a granted request of level 1 opens: values of the hours that were asked about, no others.

Rules: of more segments than were granted the opened ones are spread evenly over the hours, so that
neither side chooses them. A value that is gone here is not opened, and counted as nothing.
"""

from collections.abc import Collection, Sequence

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Ledger, SendState
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Ask, Case
from workseal_protocol.records import Segment, SessionOpen, read_record
from workseal_protocol.statement import Kind, Statement


def granted_openings(case: Case) -> Ask:
    """Return what may be opened in a case now, or raise `AgentError`."""
    ask = case.ask
    answered = case.answered_ask and not case.shows_again
    if ask is None or ask.level != 1 or not ask.granted or answered:
        raise AgentError(
            phrase("no openings are granted in this case now: it is in {state}", state=case.state)
        )
    return ask


def openings_of(
    ledger: Ledger, engagement: bytes, ask: Ask, kinds: Collection[ValueKind]
) -> tuple[Opening, ...]:
    """Open values of these kinds for the segments that were granted, in the chain's order."""
    segments = _spread(_segments(ledger, engagement, ask), ask.granted)
    sessions = {record.session for _, record in segments}
    opened = [
        stored.digest
        for stored in ledger.of_kind(engagement, Kind.SESSION_OPEN)
        if isinstance(record := read_record(Statement.parse(stored.body)), SessionOpen)
        and record.session in sessions
    ]
    return tuple(
        Opening(digest, ValueKind(value.kind), value.salt, value.value)
        for digest in (*opened, *(digest for digest, _ in segments))
        for value in ledger.private_values(digest)
        if value.kind in kinds
    )


def count_segments(ledger: Ledger, engagement: bytes, ask: Ask) -> int:
    """Count the segments of the hours that were asked about."""
    return len(_segments(ledger, engagement, ask))


def _segments(ledger: Ledger, engagement: bytes, ask: Ask) -> list[tuple[Digest, Segment]]:
    """Give the logged segments that begin in the hours, as a freeze counts them."""
    return [
        (stored.digest, record)
        for stored in ledger.of_kind(engagement, Kind.SEGMENT)
        if stored.state is SendState.RECEIPTED
        and isinstance(record := read_record(Statement.parse(stored.body)), Segment)
        and ask.begin <= record.begin < ask.end
    ]


def _spread(
    segments: Sequence[tuple[Digest, Segment]], most: int
) -> Sequence[tuple[Digest, Segment]]:
    if len(segments) <= most:
        return segments
    return [segments[place * len(segments) // most] for place in range(most)]
