"""The state of a chain after each statement, and the fold that moves it on."""

from dataclasses import dataclass, field, replace

from workseal_protocol.chain.closing import check_closing
from workseal_protocol.chain.order import check_order
from workseal_protocol.chain.replay import ChainReplay
from workseal_protocol.chain.schedule import check_schedule
from workseal_protocol.chain.session import OpenSession
from workseal_protocol.chain.timing import check_timing
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    Capture,
    ChainedRecord,
    Declaration,
    DeclarationForm,
    Segment,
    SegmentState,
    SessionClose,
    SessionOpen,
    Tombstone,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms


@dataclass(frozen=True, slots=True)
class ChainState:
    """Hold what the next statement of a chain is checked against.

    A value: `advance` gives a new state and leaves this one as it is. `past` is shared between
    the states of a chain (see `chain.replay`). `round_worked` and `round_span` are the sums of the
    last round: what was worked, and how long its segments are.
    """

    engagement: bytes
    terms: Terms
    next_seq: int
    head: Digest
    anchor_size: int = 0
    last_round: int = 0
    last_end: int = 0
    round_worked: int = 0
    round_span: int = 0
    agreed_at: int = 0
    session: OpenSession | None = None
    past: ChainReplay = field(default_factory=ChainReplay, compare=False, repr=False)

    @classmethod
    def start(
        cls,
        engagement: bytes,
        terms: Terms,
        acceptance: Digest,
        *,
        agreed_at: int,
        index: int | None = None,
    ) -> "ChainState":
        """Begin the chain whose first link is the acceptance of the terms.

        `agreed_at` is when the terms were agreed: the later of what offer and acceptance claim, in
        Unix milliseconds. `index` is the acceptance's place in the log, where it is known: no
        anchor may then be older than that.
        """
        return cls(
            engagement=engagement,
            terms=terms,
            next_seq=0,
            head=acceptance,
            anchor_size=0 if index is None else index + 1,
            agreed_at=agreed_at,
        )

    def of_round(self, number: int) -> tuple[int, int]:
        """Give the sums of a round's segments so far: worked time and length."""
        return (self.round_worked, self.round_span) if number == self.last_round else (0, 0)


def advance(state: ChainState, statement: Statement, record: ChainedRecord) -> ChainState:
    """Check one statement against every rule of the chain and give the next state.

    `record` is what `statement` says. Who signed it is not checked here (step 5). Raises
    `ChainError`; a refused statement leaves `state` usable.
    """
    past = state.past.until(state.next_seq)
    current = state if past is state.past else replace(state, past=past)
    check_order(current, record)
    check_timing(current, record)
    known = check_schedule(current, record)
    check_closing(current, record)
    return follow(current, statement.digest, record, known=known)


def follow(
    state: ChainState,
    digest: Digest,
    record: ChainedRecord,
    *,
    known: tuple[int, bytes] | None = None,
) -> ChainState:
    """Move the state on without checking; `known` is the agent value that the schedule proved."""
    past = state.past.until(state.next_seq)
    past.length = record.seq + 1
    session = state.session
    last_round, last_end = state.last_round, state.last_end
    worked, span = state.round_worked, state.round_span
    match record:
        case Segment():
            _remember_segment(past, digest, record)
            session = session and session.count(record, known)
            worked, span = state.of_round(record.round)
            worked, span = worked + record.worked, span + record.end - record.begin
            last_round, last_end = record.round, record.end
        case SessionOpen():
            past.sessions[record.session] = record.seq
            session = OpenSession.of(record, digest)
        case SessionClose():
            session = None
        case Tombstone():
            past.withdrawn[record.frame] = record.seq
        case Declaration():
            if record.form is DeclarationForm.LATE:
                past.late.add(record.begin, record.end, record.seq)
    # One new state with each field named: `replace` costs more than the checks of a statement.
    return ChainState(
        engagement=state.engagement,
        terms=state.terms,
        next_seq=record.seq + 1,
        head=digest,
        anchor_size=record.anchor.size,
        last_round=last_round,
        last_end=last_end,
        round_worked=worked,
        round_span=span,
        agreed_at=state.agreed_at,
        session=session,
        past=past,
    )


def _remember_segment(past: ChainReplay, digest: Digest, record: Segment) -> None:
    past.recorded.add(record.begin, record.end, record.seq, record.worked)
    if record.state is not SegmentState.OFF_SCREEN:
        past.attended.add(record.begin, record.end, record.seq)
    if record.capture is Capture.CAPTURED:
        for frame in record.frames:
            past.frames[frame] = (record.seq, digest)
