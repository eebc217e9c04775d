"""What a restored home does before it signs: learn how far its chain got (ADR 0033, ADR 0035).

Rules: what the log has of this chain is taken over, statement by statement, each signed by this
key and obeying every rule. A chain that is being continued elsewhere at this moment is left alone:
whether it is, two readings of the log tell, and no clock, neither this one nor another. Two bodies
for one number are never papered over. All of it is stored in one transaction, or none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.evidence import Destroyer, finish_withdrawals
from workseal_agent.ledger import (
    Engagement,
    Ledger,
    NewCapture,
    SegmentRow,
    SendState,
    Transaction,
)
from workseal_agent.submission import Log
from workseal_protocol.chain import ChainError, ChainState, advance
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey
from workseal_protocol.policy import verify_checkpoint
from workseal_protocol.records import ChainedRecord, Segment, Tombstone, read_record
from workseal_protocol.statement import Statement

# A segment is sent within seconds of its round's end, and tried again after at most twenty.
_SENT_MS = 30_000

Listed = tuple[tuple[Statement, ChainedRecord], ...]


class CatchUpError(AgentError):
    """Say why this copy cannot go on with the chain."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Count what was learned: statements, and frames that this copy does not hold."""

    statements: int
    lost_frames: int


def catch_up(
    ledger: Ledger,
    client: VerifierClient,
    engagement: Engagement,
    key: PublicKey,
    vault: Destroyer,
    *,
    wait: Callable[[float], None],
) -> CaughtUp:
    """Take over what was logged after the backup, and let this copy sign from then on.

    `wait` lets so many seconds pass: if another copy records, it says so meanwhile. Raises
    `CatchUpError`, `UnreachableError` or `RefusedError`; nothing is changed then.
    """
    state = _known(ledger, engagement)
    before = _listed(ledger, client, engagement, key, state)
    wait(listening_seconds(engagement))
    logged = _listed(ledger, client, engagement, key, state)
    _require_still(before, logged)
    shown = tuple(
        _anchors(client, engagement, [one for one in logged if one[1].seq >= state.next_seq])
    )
    lost = 0
    added = 0
    with ledger.write() as writing:
        for checkpoint in shown:
            size = checkpoint.checkpoint.size
            writing.add_checkpoint(engagement.id, size, checkpoint.encode())
        for statement, record in logged:
            if record.seq < state.next_seq:
                continue
            state = _advanced(state, statement, record)
            lost += _take_over(writing, engagement.id, statement, record)
            added += 1
        writing.mark_caught_up(engagement.id)
    finish_withdrawals(ledger, vault)
    return CaughtUp(added, lost)


def listening_seconds(engagement: Engagement) -> float:
    """Return how long a copy that records can be silent: a round, and the way to the log."""
    return (engagement.terms.round_ms + _SENT_MS) / 1000


def _known(ledger: Ledger, engagement: Engagement) -> ChainState:
    state = ChainState.start(
        engagement.id,
        engagement.terms,
        Statement.parse(engagement.acceptance).digest,
        agreed_at=engagement.agreed_at,
    )
    for stored in ledger.chain(engagement.id):
        statement = Statement.parse(stored.body)
        state = _advanced(state, statement, cast("ChainedRecord", read_record(statement)))
    return state


def _listed(
    ledger: Ledger,
    client: VerifierClient,
    engagement: Engagement,
    key: PublicKey,
    state: ChainState,
) -> Listed:
    """Return the chain as it is logged; `CatchUpError` if it is another one than this copy's."""
    listed = tuple(_own(client, engagement, key))
    _require_whole(ledger, engagement, listed)
    for statement, record in listed:
        if record.seq < state.next_seq:
            _require_same(ledger, engagement, statement, record.seq)
    return listed


def _require_whole(ledger: Ledger, engagement: Engagement, listed: Listed) -> None:
    """Refuse a list that lacks what this copy has receipts for, or a number in between.

    Whoever believed it would sign second bodies. What came after the backup, and is hidden whole,
    cannot be missed by anybody.
    """
    known = {statement.digest for statement, _ in listed}
    receipted = ledger.statements(engagement.id, SendState.RECEIPTED)
    gone = [one.digest for one in receipted if one.seq is not None and one.digest not in known]
    numbers = [record.seq for _, record in listed]
    if gone or numbers != list(range(len(numbers))):
        raise UnreachableError(
            "the verifier lists less of this chain than it has given receipts for: try again later"
        )


def _own(
    client: VerifierClient, engagement: Engagement, key: PublicKey
) -> Iterator[tuple[Statement, ChainedRecord]]:
    """Yield the chain as the verifier lists it; everything that it says is checked."""
    try:
        for _, body in client.statements(engagement.id):
            statement = Statement.parse(body)
            record = read_record(statement)
            if isinstance(record, ChainedRecord):
                statement.verify_signature(key)
                yield statement, record
    except (MalformedError, VerificationError) as error:
        raise UnreachableError(f"the verifier lists what is not of this chain: {error}") from error


def _anchors(
    client: VerifierClient,
    engagement: Engagement,
    unknown: list[tuple[Statement, ChainedRecord]],
) -> Iterator[SignedCheckpoint]:
    """Fetch the checkpoints that the other copy anchored on: a bundle bounds its work by them.

    One that the verifier has no more is left out; that it continues the others, the next answer and
    each bundle prove.
    """
    policy = Log.of(engagement).policy
    for size in sorted({record.anchor.size for _, record in unknown}):
        try:
            signed = SignedCheckpoint.parse(client.checkpoint_at(size))
            yield verify_checkpoint(signed, policy).signed
        except RefusedError as error:
            if error.status != 404:
                raise
        except (MalformedError, VerificationError) as error:
            raise UnreachableError(f"a checkpoint is not from the agreed log: {error}") from error


def _require_still(before: Listed, after: Listed) -> None:
    """Refuse a chain that grew between two readings: somebody else signs it now."""
    known = {statement.digest for statement, _ in before}
    new = [record.seq for statement, record in after if statement.digest not in known]
    if new:
        raise CatchUpError(
            f"statement number {new[0]} of this chain was logged while this copy listened: another"
            " copy of this home records. Stop it there for good, and try again"
        )


def _require_same(ledger: Ledger, engagement: Engagement, statement: Statement, seq: int) -> None:
    stored = next(ledger.chain(engagement.id, seq))
    if stored.digest != statement.digest:
        raise CatchUpError(
            f"the log has another statement number {seq} of this chain than this copy: two copies"
            " signed, and only the one whose statements are logged can go on. Work on with this"
            " home needs a new engagement"
        )


def _advanced(state: ChainState, statement: Statement, record: ChainedRecord) -> ChainState:
    try:
        return advance(state, statement, record)
    except ChainError as error:
        raise CatchUpError(f"the chain does not go on from this copy: {error}") from error


def _take_over(
    writing: Transaction,
    engagement: bytes,
    statement: Statement,
    record: ChainedRecord,
) -> int:
    """Store one statement as unsent: sending it again fetches its receipt. Counts lost frames."""
    writing.add_statement(engagement, statement, seq=record.seq)
    lost = 0
    match record:
        case Segment():
            row = SegmentRow(
                record.session, record.begin, record.end, record.worked, int(record.state)
            )
            writing.add_segment(engagement, statement.digest, row)
            for display, frame in enumerate(record.frames):
                lost += writing.announce_if_unknown(engagement, _unseen(record, frame, display))
            writing.attach_captures(statement.digest, record.frames)
        case Tombstone():
            writing.withdraw_if_known(record.frame, statement.digest)
        case _:
            pass
    return lost


def _unseen(segment: Segment, frame: Digest, display: int) -> NewCapture:
    """Describe a frame that another copy took; its size stands in the header that is there."""
    return NewCapture(
        commitment=frame,
        session=segment.session,
        round=segment.round,
        captured_ms=segment.begin,
        display=display,
        width=0,
        height=0,
    )
