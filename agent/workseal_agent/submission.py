"""Sending statements and checking the answer: a receipt is stored only after it was verified.

Rules: an answer that the log did not sign is no answer, and the statements are sent again. One
that the log did sign and that contradicts what it signed before is evidence: it is kept, and
nothing more is sent. Bodies are kept in either case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger
from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.merkle import verify_sparse
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.receipt import SubmissionAnswer, verify_answer


class LogContradictionError(AgentError):
    """Say that the log signed two things that cannot both be true; the evidence is kept."""


@dataclass(frozen=True, slots=True)
class Log:
    """Hold what is needed to judge one engagement's log: the policy that both parties signed."""

    engagement: bytes
    policy: TlogPolicy
    operator_uri: str

    @classmethod
    def of(cls, engagement: Engagement) -> "Log":
        """Take the policy from the signed terms."""
        terms = engagement.terms
        return cls(engagement.id, TlogPolicy.parse(terms.log_policy), terms.operator.uri)


def newest_checkpoint(ledger: Ledger, engagement: bytes) -> Checkpoint | None:
    """Return the largest checkpoint that was verified before."""
    signed = newest_signed(ledger, engagement)
    return None if signed is None else signed.checkpoint


def newest_signed(ledger: Ledger, engagement: bytes) -> SignedCheckpoint | None:
    """Return the same with its signatures: evidence, when the log contradicts it."""
    body = ledger.newest_checkpoint(engagement)
    return None if body is None else SignedCheckpoint.parse(body)


def submit(
    ledger: Ledger, client: VerifierClient, log: Log, bodies: Sequence[bytes], *, now_ms: int
) -> VerifiedCheckpoint:
    """Send statements and store their receipts.

    Raises `UnreachableError`, `RefusedError` or `LogContradictionError`; nothing is stored then.
    """
    old = newest_checkpoint(ledger, log.engagement)
    answer = client.submit(bodies, old.size if old else 0)
    digests = [Digest.of(body) for body in bodies]
    return accept_answer(ledger, log, digests, old, answer, now_ms=now_ms)


def accept_answer(
    ledger: Ledger,
    log: Log,
    digests: Sequence[Digest],
    old: Checkpoint | None,
    data: bytes,
    *,
    now_ms: int,
) -> VerifiedCheckpoint:
    """Verify an answer and store the receipts of those statements that the ledger holds."""
    try:
        answer = SubmissionAnswer.parse(data)
        verify_checkpoint(answer.signed, log.policy)
    except (MalformedError, ValueError) as error:
        raise UnreachableError("the verifier's answer is not in the right form") from error
    except VerificationError as error:
        raise UnreachableError(
            phrase("the answer is not from the agreed log: {error}", error=error)
        ) from error
    try:
        verified = verify_answer(answer, digests, old, log.policy)
    except VerificationError as error:
        text = phrase("the log contradicts what it signed before: {error}", error=error)
        with ledger.write() as writing:
            writing.add_incident(log.engagement, now_ms, text, data)
        raise LogContradictionError(text) from error
    with ledger.write() as writing:
        size = verified.checkpoint.size
        writing.add_checkpoint(log.engagement, size, verified.signed.encode())
        for digest, index in zip(digests, answer.indices, strict=True):
            writing.receipted(digest, index, size)
    return verified


def require_growth(
    ledger: Ledger,
    client: VerifierClient,
    engagement: bytes,
    signed: Iterable[SignedCheckpoint],
    *,
    now_ms: int,
) -> None:
    """Check that each checkpoint is a prefix of the next larger one, with proofs fetched now.

    Raises `LogContradictionError` when one is not; both checkpoints and the proof are kept then.
    """
    for old, new in pairwise(sorted(signed, key=lambda one: one.checkpoint.size)):
        hashes: tuple[bytes, ...] = ()
        try:
            if old.checkpoint.size != new.checkpoint.size:
                hashes = client.proof(new.checkpoint.size, [], [old.checkpoint.size])
            _require_prefix(old.checkpoint, new.checkpoint, hashes)
        except VerificationError as error:
            evidence = encode([old.encode(), new.encode(), b"".join(hashes)])
            text = phrase("the log contradicts what it signed before: {error}", error=error)
            with ledger.write() as writing:
                writing.add_incident(engagement, now_ms, text, evidence)
            raise LogContradictionError(text) from error


def _require_prefix(old: Checkpoint, new: Checkpoint, hashes: Sequence[bytes]) -> None:
    if old.size == new.size:
        if old.root != new.root:
            raise VerificationError(phrase("it signed two roots for size {size}", size=old.size))
        return
    earlier = {old.size: old.root.raw}
    try:
        verify_sparse(size=new.size, root=new.root.raw, leaves={}, earlier=earlier, hashes=hashes)
    except VerificationError as error:
        raise VerificationError(
            phrase(
                "size {size} does not continue size {earlier}: {error}",
                size=new.size,
                earlier=old.size,
                error=error,
            )
        ) from error
