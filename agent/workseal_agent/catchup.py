"""What a restored home does before it signs: learn how far its chain got (ADR 0033, ADR 0035).

Rules: what the log has of this chain is taken over, statement by statement, each signed by this
key and obeying every rule. A chain that is being continued elsewhere at this moment is left alone:
whether it is, two readings of the log tell, and no clock, neither this one nor another. Two bodies
for one number are never papered over. All of it is stored in one transaction, or none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import cast

from workseal_agent.anchors import lone_anchors
from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.evidence import Destroyer, finish_withdrawals
from workseal_agent.knowncases import ListedFilings
from workseal_agent.language import phrase
from workseal_agent.ledger import (
    Engagement,
    Ledger,
    NewCapture,
    SegmentRow,
    SendState,
    StoredStatement,
    Transaction,
)
from workseal_agent.listing import listed
from workseal_agent.submission import Log
from workseal_protocol.chain import ChainError, ChainState, advance
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey
from workseal_protocol.policy import verify_checkpoint
from workseal_protocol.records import (
    ChainedRecord,
    Possession,
    Segment,
    Tombstone,
    read_record,
)
from workseal_protocol.statement import Statement

# A segment is sent within seconds of its round's end, and tried again after at most twenty.
_SENT_MS = 30_000

Chained = tuple[Statement, ChainedRecord]


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
    before = _Reading(engagement)
    for _ in before.of(ledger, client, engagement, key):
        pass
    wait(listening_seconds(engagement))
    # What is not new is compared and let go: held is what came after the backup, and no more.
    now = _Reading(engagement, before)
    fresh = [one for one in now.of(ledger, client, engagement, key) if one[1].seq >= state.next_seq]
    shown = tuple(_anchors(ledger, client, engagement, fresh))
    lost = 0
    added = 0
    with ledger.write() as writing:
        for checkpoint in shown:
            size = checkpoint.checkpoint.size
            writing.add_checkpoint(engagement.id, size, checkpoint.encode())
        for statement, record in fresh:
            state = _advanced(state, statement, record)
            lost += _take_over(writing, engagement.id, statement, record)
            added += 1
        for said in now.beside:
            # What the other copy said of its frames each week: the next one follows it.
            if ledger.statement(said.digest) is None:
                writing.add_statement(engagement.id, said)
        now.filings.note(writing)
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


class _Reading:
    """Read the chain as it is logged; `CatchUpError` if it is another one than this copy's.

    Of an earlier reading it keeps how many statements there were, and one digest of all of them.
    """

    def __init__(self, engagement: Engagement, before: "_Reading | None" = None) -> None:
        self.count = 0
        # What stands beside the chain and is to be followed: weekly statements of possession.
        self.beside: list[Statement] = []
        # What is disputed holds frames, whichever copy was told of it.
        self.filings = ListedFilings(engagement)
        self._digests = sha256()
        self._before = before

    @property
    def digest(self) -> bytes:
        """Return one digest of all that was read so far."""
        return self._digests.digest()

    def of(
        self, ledger: Ledger, client: VerifierClient, engagement: Engagement, key: PublicKey
    ) -> Iterator[Chained]:
        """Yield the chain in its order, each statement signed by this key; all else is checked."""
        stored = ledger.chain(engagement.id)
        for statement, record in _own(client, engagement, key, self):
            if record.seq != self.count:
                raise _less_listed()
            own = next(stored, None)
            if own is not None:
                _require_same(own, statement, record.seq)
            self._count(statement, record)
            yield statement, record
        # Whoever believed a list that lacks what this copy has receipts for would sign second
        # bodies. What came after the backup, and is hidden whole, cannot be missed by anybody.
        receipted = any(own.state is SendState.RECEIPTED for own in stored)
        if receipted or (self._before is not None and self.count < self._before.count):
            raise _less_listed()

    def _count(self, statement: Statement, record: ChainedRecord) -> None:
        """Refuse a chain that grew between two readings: somebody else signs it now."""
        self._digests.update(statement.digest.raw)
        self.count += 1
        before = self._before
        if before is None or self.count < before.count:
            return
        if self.count > before.count or self.digest != before.digest:
            raise CatchUpError(
                phrase(
                    "statement number {seq} of this chain was logged while this copy listened:"
                    " another copy of this home records. Stop it there for good, and try again",
                    seq=record.seq,
                )
            )


def _less_listed() -> UnreachableError:
    return UnreachableError(
        "the verifier lists less of this chain than it has given receipts for: try again later"
    )


def _own(
    client: VerifierClient, engagement: Engagement, key: PublicKey, reading: _Reading
) -> Iterator[Chained]:
    """Yield the chain as the verifier lists it; everything that it says is checked."""
    try:
        for index, body in listed(client, engagement):
            statement = Statement.parse(body)
            reading.filings.meet(index, statement)
            record = read_record(statement)
            if isinstance(record, ChainedRecord):
                statement.verify_signature(key)
                yield statement, record
            elif isinstance(record, Possession):
                statement.verify_signature(key)
                reading.beside.append(statement)
    except (MalformedError, VerificationError) as error:
        raise UnreachableError(
            phrase("the verifier lists what is not of this chain: {error}", error=error)
        ) from error


def _anchors(
    ledger: Ledger, client: VerifierClient, engagement: Engagement, fresh: list[Chained]
) -> Iterator[SignedCheckpoint]:
    """Fetch the checkpoints that the other copy anchored on, where a bundle needs them.

    Witnesses tell when a checkpoint was there, so each bounds what it covers. Without them only
    those that a statement stands after do; every other one would be left out of each bundle. One
    that the verifier has no more is left out; that it continues the others, the next answer and
    each bundle prove.
    """
    policy = Log.of(engagement).policy
    records = [record for _, record in fresh]
    anchors = {record.anchor for record in records}
    if policy.quorum is None:
        anchors = set(lone_anchors((record.seq, record) for record in records))
    for size in sorted({anchor.size for anchor in anchors} - _sizes(ledger, engagement)):
        try:
            signed = SignedCheckpoint.parse(client.checkpoint_at(size))
            yield verify_checkpoint(signed, policy).signed
        except RefusedError as error:
            if error.status != 404:
                raise
        except (MalformedError, VerificationError) as error:
            raise UnreachableError(
                phrase("a checkpoint is not from the agreed log: {error}", error=error)
            ) from error


def _sizes(ledger: Ledger, engagement: Engagement) -> set[int]:
    bodies = ledger.checkpoints(engagement.id)
    return {SignedCheckpoint.parse(body).checkpoint.size for body in bodies}


def _require_same(stored: StoredStatement, statement: Statement, seq: int) -> None:
    if stored.digest == statement.digest:
        return
    if stored.state is SendState.RECEIPTED:
        raise _less_listed()
    raise CatchUpError(
        phrase(
            "the log has another statement number {seq} of this chain than this copy: two"
            " copies signed, and only the one whose statements are logged can go on. Work"
            " on with this home needs a new engagement",
            seq=seq,
        )
    )


def _advanced(state: ChainState, statement: Statement, record: ChainedRecord) -> ChainState:
    try:
        return advance(state, statement, record)
    except ChainError as error:
        raise CatchUpError(
            phrase("the chain does not go on from this copy: {error}", error=error)
        ) from error


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
