"""Our answer to a submission: one proof for all of its statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cbor2

from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import MAX_INTEGER, Fields, Value, decode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.merkle import leaf_hash, verify_sparse
from workseal_protocol.note import MAX_NOTE_BYTES
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint

MAX_BATCH = 256  # statements in one submission
MAX_ANSWER_BYTES = 1_048_576  # MAX_BATCH paths of MAX_PATH hashes, and the largest note


@dataclass(frozen=True, slots=True)
class SubmissionAnswer:
    """Answer a submission: each statement's index, and one sparse proof for all of them.

    `indices` follow the order of the statements. `hashes` are
    `sparse_proof(node, size, sorted(set(indices)), [old size] or [])`.
    """

    signed: SignedCheckpoint
    indices: tuple[int, ...]
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.indices) <= MAX_BATCH:
            raise ValueError(f"an answer is for 1 to {MAX_BATCH} statements")
        if not 0 <= min(self.indices) <= max(self.indices) <= MAX_INTEGER:
            raise ValueError("an index has 53 bits")
        if any(len(node) != DIGEST_BYTES for node in self.hashes):
            raise ValueError("a hash has 32 bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an answer, or raise `MalformedError`."""
        fields = Fields(decode(data, max_bytes=MAX_ANSWER_BYTES), "submission answer")
        signed = SignedCheckpoint.parse(fields.octets(1, "checkpoint", maximum=MAX_NOTE_BYTES))
        indices = fields.array(2, "indices", minimum=1, maximum=MAX_BATCH)
        joined = fields.octets(3, "hashes", maximum=MAX_ANSWER_BYTES)
        fields.close()
        if len(joined) % DIGEST_BYTES:
            raise MalformedError("hashes: expected a multiple of 32 bytes")
        starts = range(0, len(joined), DIGEST_BYTES)
        return cls(
            signed,
            tuple(_index(value) for value in indices),
            tuple(joined[at : at + DIGEST_BYTES] for at in starts),
        )

    def encode(self) -> bytes:
        """Write the answer; `parse` is its inverse."""
        # In order, and of what the format has: a server writes one for each request.
        return cbor2.dumps({1: self.signed.encode(), 2: self.indices, 3: b"".join(self.hashes)})


def verify_answer(
    answer: SubmissionAnswer,
    digests: Sequence[Digest],
    old: Checkpoint | None,
    policy: TlogPolicy,
) -> VerifiedCheckpoint:
    """Check that every statement submitted is in the log, and that the log only grew since `old`.

    `digests` are those of the statements, in the order in which they were sent; `old` is the newest
    checkpoint that the caller verified, and the size that it named in the request.
    """
    verified = verify_checkpoint(answer.signed, policy)
    checkpoint = verified.checkpoint
    if len(digests) != len(answer.indices):
        raise VerificationError(f"expected {len(digests)} indices, found {len(answer.indices)}")
    leaves: dict[int, bytes] = {}
    for index, digest in zip(answer.indices, digests, strict=True):
        leaf = leaf_hash(digest.raw)
        if leaves.setdefault(index, leaf) != leaf:
            raise VerificationError("two statements are said to have one index")
    earlier = {}
    if old is not None:
        if old.origin != checkpoint.origin:
            raise VerificationError("the answer comes from another log")
        if old.size > checkpoint.size:
            raise VerificationError("the log is smaller than a checkpoint seen before")
        if old.size:
            earlier[old.size] = old.root.raw
    verify_sparse(
        size=checkpoint.size,
        root=checkpoint.root.raw,
        leaves=leaves,
        earlier=earlier,
        hashes=answer.hashes,
    )
    return verified


def _index(value: Value) -> int:
    if not isinstance(value, int) or value < 0:
        raise MalformedError("an index is an unsigned integer")
    return value
