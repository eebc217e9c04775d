"""A submission on its way through the sequencer: what it says, and the promise of its answer.

Rule: it is answered or refused once; whoever comes second changes nothing.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

from workseal_protocol.digest import Digest
from workseal_protocol.receipt import SubmissionAnswer
from workseal_protocol.records import (
    Acceptance,
    Declaration,
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    Evidence,
    Segment,
    SessionClose,
    SessionOpen,
    Tombstone,
)
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.loan import Loan
from workseal_verifier.services.publication import Published
from workseal_verifier.services.tickproofs import TickProofs

# What is held against all that its engagement's chain told before.
_SPEAKING = (
    Segment,
    SessionOpen,
    SessionClose,
    Tombstone,
    Declaration,
    Evidence,
    Acceptance,
    DisputeFiling,
    DisputeAct,
    DisputeRequest,
    DisputeDisclosure,
    DisputeFinding,
)

Charge: TypeAlias = Callable[[Sequence[Candidate]], None]


@dataclass(slots=True)
class Submission:
    """Statements of one request, and the promise of its answer."""

    candidates: Sequence[Candidate]
    old: int = 0
    answer: "Future[SubmissionAnswer]" = field(default_factory=Future)
    indices: tuple[int, ...] = ()
    # Told what was new of these, once it is logged.
    charge: "Charge | None" = None
    new: Sequence[Candidate] = ()
    # What it left a tick for, to have it read; it leaves none a second time.
    loans: Sequence[Loan] = ()
    # When it began to wait for others, by a clock that only goes on.
    came: float = field(default_factory=time.monotonic)


def spoken_of(candidates: Sequence[Candidate]) -> dict[bytes, Digest]:
    """List the engagements that signed statements go on with, each with a signer."""
    return {
        one.record.engagement: one.statement.issuer
        for one in candidates
        if one.signed and isinstance(one.record, _SPEAKING)
    }


def answer(one: Submission, published: Published, proofs: TickProofs) -> None:
    """Answer one that was logged: with its place in what is published, and the proof of it."""
    hashes = proofs.of(one.indices, one.old)
    if one.charge is not None:
        one.charge(one.new)
    one.answer.set_result(SubmissionAnswer(published.signed, one.indices, hashes))


def fail(one: Submission, refusal: RefusedError) -> None:
    """Refuse one, unless it is answered or refused already."""
    if not one.answer.done():
        one.answer.set_exception(refusal)


def fail_all(batch: Sequence[Submission], refusal: RefusedError) -> None:
    """Refuse all that are not answered yet."""
    for one in batch:
        fail(one, refusal)


def busy(detail: str) -> RefusedError:
    """Make the refusal of what may be sent again in a moment."""
    return RefusedError(Reason.BUSY, detail, retry_after=1)
