"""Receipts: that a statement is in the log (c2sp.org/tlog-proof, RFC 9942, and our batch answer).

Rules: size and root come only from a checkpoint that a policy accepts, never from a proof. What is
unauthenticated (`extra` of a tlog-proof, the unprotected header of a COSE receipt) decides nothing.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cbor2

from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint
from workseal_protocol.cose import Sign1, envelope, octets, sig_structure
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import MAX_INTEGER, Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, Check, PublicKey, Signer, check_at_once
from workseal_protocol.merkle import (
    MAX_PATH,
    MAX_SIZE,
    inclusion_root,
    leaf_hash,
    verify_inclusion,
    verify_sparse,
)
from workseal_protocol.note import MAX_NOTE_BYTES
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint

MAX_EXTRA_BYTES = 4096
MAX_BATCH = 256  # statements in one submission
MAX_ANSWER_BYTES = 1_048_576  # MAX_BATCH paths of MAX_PATH hashes, and the largest note

_HEAD = b"c2sp.org/tlog-proof@v1\n"
# Bounded, so that no later step (int, base64) meets a size of its own choosing.
_PROOF = re.compile(
    rb"c2sp\.org/tlog-proof@v1\n"
    rb"(?:extra (?P<extra>[0-9A-Za-z+/]{2,5464}={0,2})\n)?"
    rb"index (?P<index>0|[1-9][0-9]{0,18})\n"
    rb"(?P<path>(?:[0-9A-Za-z+/]{43}=\n){0,63})"
)

# COSE labels: RFC 9052, RFC 9597 (15), RFC 9942 (395, 396).
_ALG, _KID, _CLAIMS, _VDS, _PROOFS = 1, 4, 15, 395, 396
_ISSUER, _SUBJECT = 1, 2
_RFC9162_SHA256 = 1
_INCLUSION = -1
# {396: {-1: [ up to its one proof; and a hash in a path, with its head.
_ONE_PROOF = b"\xa1\x19\x01\x8c\xa1\x20\x81"
_DETACHED = b"\xf6"
PATH_MARK = b"\x58\x20"
_PATH_ITEM = len(PATH_MARK) + DIGEST_BYTES
# Of this many signatures the newest are remembered: one for each kind of subject is enough.
_MAX_SEEN = 4


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hold one entry's place in a log: index, inclusion path, signed checkpoint; unverified.

    `extra` is whatever the proof carried beside it, authenticated by nothing.
    """

    index: int
    path: tuple[bytes, ...]
    signed: SignedCheckpoint
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_SIZE:
            raise ValueError("an index lies below 2**63 - 1")
        if len(self.path) > MAX_PATH or any(len(node) != DIGEST_BYTES for node in self.path):
            raise ValueError(f"a path has at most {MAX_PATH} hashes of 32 bytes")
        if self.extra is not None and not 1 <= len(self.extra) <= MAX_EXTRA_BYTES:
            raise ValueError(f"extra data has 1 to {MAX_EXTRA_BYTES} bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a `.tlog-proof` file, or raise `MalformedError`."""
        head, empty_line, checkpoint = data.partition(b"\n\n")
        form = _PROOF.fullmatch(head + b"\n")
        if form is None or not empty_line:
            raise MalformedError("a log proof has its header, an index, a path and a checkpoint")
        extra = form["extra"]
        try:
            parsed = cls(
                int(form["index"]),
                tuple(base64.b64decode(node) for node in form["path"].splitlines()),
                SignedCheckpoint.parse(checkpoint),
                None if extra is None else base64.b64decode(extra),
            )
        except ValueError as e:
            raise MalformedError("a log proof has an index below 2**63 and canonical base64") from e
        if parsed.encode() != data:
            raise MalformedError("log proof is not in canonical form")
        return parsed

    def encode(self) -> bytes:
        """Write the `.tlog-proof` file; `parse` is its inverse."""
        extra = [] if self.extra is None else [b"extra " + base64.b64encode(self.extra) + b"\n"]
        path = (base64.b64encode(node) + b"\n" for node in self.path)
        index = f"index {self.index}\n".encode()
        return b"".join((_HEAD, *extra, index, *path, b"\n", self.signed.encode()))


def verify_receipt(receipt: Receipt, digest: Digest, policy: TlogPolicy) -> VerifiedCheckpoint:
    """Check that the entry `digest` is in a log that the policy accepts."""
    verified = verify_checkpoint(receipt.signed, policy)
    verify_inclusion(
        leaf=leaf_hash(digest.raw),
        index=receipt.index,
        size=verified.checkpoint.size,
        path=receipt.path,
        root=verified.checkpoint.root.raw,
    )
    return verified


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


def cose_receipt(  # noqa: PLR0913  (each is one field of the receipt)
    root: bytes,
    size: int,
    index: int,
    path: Sequence[bytes],
    *,
    signer: Signer,
    issuer: str,
    subject: str,
) -> bytes:
    """Write an RFC 9942 receipt of inclusion; `subject` is the statement's own subject."""
    protected = encode(
        {
            _ALG: int(signer.public_key.algorithm),
            _KID: signer.public_key.thumbprint.raw,
            _CLAIMS: {_ISSUER: issuer, _SUBJECT: subject},
            _VDS: _RFC9162_SHA256,
        }
    )
    proof = encode([size, index, list(path)])
    signature = signer.sign(sig_structure(protected, root))
    return Sign1(protected, None, signature, {_PROOFS: {_INCLUSION: [proof]}}).encode()


def verify_cose_receipt(data: bytes, *, entry: Digest, key: PublicKey) -> Digest:
    """Check an RFC 9942 receipt for one entry, and return the root that the log signed.

    The signature covers the root alone: size and index stay claims (a path can lead to one root
    from several sizes), and no witness speaks. Only a `Receipt` shows a place in one public log.
    """
    return read_cose_receipt(data, entry=entry, key=key).root


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """Hold the root that the log signed, and the place in a tree that the receipt claims."""

    root: Digest
    size: int
    index: int


def read_cose_receipt(
    data: bytes, *, entry: Digest, key: PublicKey, check: Check = check_at_once
) -> ReadReceipt:
    """Check as `verify_cose_receipt` does, and return what the receipt claims too."""
    sign1 = Sign1.parse(data)
    if sign1.payload is not None:
        raise MalformedError("a receipt of inclusion has a detached payload")
    size, index, path = _inclusion_proof(sign1.unprotected)
    algorithm, kid = _receipt_header(sign1.protected)
    if kid != key.thumbprint.raw or not key.allows(algorithm):
        raise VerificationError("the receipt is not by the log's key")
    root = inclusion_root(leaf=leaf_hash(entry.raw), index=index, size=size, path=path)
    check(key, sign1.signature, sig_structure(sign1.protected, root))
    return ReadReceipt(Digest(root), size, index)


class SeenReceipts:
    """Tell receipts in one tree that differ from a checked one in place and path alone.

    The log signs a protected header and a root: for the statements of one subject, and one size,
    that is one signature. Whoever has the tree's own paths need not read such receipts at all.
    """

    def __init__(self) -> None:
        self._size = b""
        self._ends: list[tuple[bytes, bytes]] = []

    def add(self, data: bytes, size: int) -> None:
        """Remember a receipt of the tree's size that was checked, and that leads to its root."""
        parts = Sign1.parse(data)
        self._size = encode(size)
        # All but an empty unprotected header, the detached payload and an empty signature.
        begin = envelope(parts.protected, None, b"")[:-3]
        end = _DETACHED + octets(parts.signature)
        self._ends = [(begin, end), *self._ends[: _MAX_SEEN - 1]]

    def holds(self, data: bytes, index: int, path: bytes) -> bool:
        """Tell whether it has one of these signatures, the index, and the path that the tree has.

        `path` is that of the leaf, each hash as a byte string.
        """
        if not self._ends:
            return False
        count = len(path) // _PATH_ITEM
        head = bytes((0x80 | count,)) if count < 24 else bytes((0x98, count))
        proof = octets(b"".join((b"\x83", self._size, cbor2.dumps(index), head, path)))
        return any(data == begin + _ONE_PROOF + proof + end for begin, end in self._ends)


def cose_receipt_place(data: bytes) -> tuple[int, int]:
    """Read the (size, index) that an RFC 9942 receipt claims, or raise `MalformedError`."""
    size, index, _ = _inclusion_proof(Sign1.parse(data).unprotected)
    return size, index


# One log writes few headers.
@lru_cache(maxsize=1024)
def _receipt_header(protected: bytes) -> tuple[Algorithm, bytes]:
    header = Fields(decode(protected), "receipt header")
    number = header.integer(_ALG, "algorithm", minimum=-65_536, maximum=-1)
    kid = header.octets(_KID, "key", length=DIGEST_BYTES)
    claims = header.fields(_CLAIMS, "claims")
    claims.text(_ISSUER, "issuer", maximum=512)
    claims.text(_SUBJECT, "subject", maximum=512)
    claims.close()
    if header.uint(_VDS, "verifiable data structure") != _RFC9162_SHA256:
        raise MalformedError("a receipt is about an RFC 9162 tree with SHA-256")
    header.close()
    try:
        return Algorithm(number), kid
    except ValueError as e:
        raise MalformedError("the receipt names an unknown algorithm") from e


def _inclusion_proof(unprotected: Value) -> tuple[int, int, list[bytes]]:
    # The proofs' labels are negative, so this map is read without `Fields`.
    match unprotected:
        case {396: {-1: [bytes(proof)], **more}, **other} if not more and not other:
            value = decode(proof)
        case _:
            raise MalformedError("a receipt has exactly one inclusion proof")
    match value:
        case [int(size), int(index), [*path]] if min(size, index) >= 0 and len(path) <= MAX_PATH:
            nodes = [node for node in path if isinstance(node, bytes)]
            if len(nodes) == len(path):
                return size, index, nodes
    raise MalformedError("an inclusion proof has a size, an index and a path")


def _index(value: Value) -> int:
    if not isinstance(value, int) or value < 0:
        raise MalformedError("an index is an unsigned integer")
    return value
