"""Witnessing a log: c2sp.org/tlog-witness, as bytes and as a decision.

Rules: a witness remembers one size and root for each log, and cosigns only what continues them.
Nothing here stores or sends: whoever runs a witness compares and stores in one transaction, before
it answers. A log-signed request that is refused may prove that the log forked: it is worth keeping.
docs/spec/witness.md
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from workseal_protocol.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    verified_cosignatures,
    verify_log,
)
from workseal_protocol.digest import DIGEST_BYTES, Digest, sha256
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.merkle import EMPTY_ROOT, MAX_SIZE, verify_consistency
from workseal_protocol.note import MAX_LINES, MAX_NOTE_BYTES, NoteLine, SignedNote, VerifierKey

MAX_PROOF_LINES = 63
# `old` and a size, the lines of a proof, an empty line, a note.
MAX_REQUEST_BYTES = 32 + 45 * MAX_PROOF_LINES + MAX_NOTE_BYTES

_OLD = re.compile(rb"old (0|[1-9][0-9]{0,18})\n")
_HASH = re.compile(rb"[0-9A-Za-z+/]{43}=")
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_EMPTY_TREE = re.compile(rb"[^\n]*\n0\n")


class Verdict(IntEnum):
    """Say what a witness answers; each is the status of its HTTP answer."""

    COSIGNED = 200
    MALFORMED = 400
    FORBIDDEN = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    UNPROCESSABLE = 422


class EmptyTreeError(MalformedError):
    """Say that an empty log names another root than that of the empty tree: unprocessable."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """Ask a witness to cosign a checkpoint that continues the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    signed: SignedCheckpoint

    def __post_init__(self) -> None:
        if not 0 <= self.old <= MAX_SIZE:
            raise ValueError("an old size has 63 bits")
        if len(self.proof) > MAX_PROOF_LINES:
            raise ValueError(f"a consistency proof has at most {MAX_PROOF_LINES} lines")
        if any(len(one) != DIGEST_BYTES for one in self.proof):
            raise ValueError("a hash of a consistency proof has 32 bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the body of a request, or raise `MalformedError`."""
        if len(data) > MAX_REQUEST_BYTES:
            raise MalformedError(f"a request has at most {MAX_REQUEST_BYTES} bytes")
        form = _OLD.match(data)
        if form is None:
            raise MalformedError("a request begins with a line: old, a space, a size")
        # From the newline of the first line on, so that a proof without lines is no special case.
        head, empty_line, note = data[form.end() - 1 :].partition(b"\n\n")
        if not empty_line:
            raise MalformedError("a request has an empty line before the checkpoint")
        lines = head.split(b"\n")[1:]
        try:
            return cls(int(form[1]), tuple(map(_hash, lines)), _checkpoint(note))
        except ValueError as error:
            raise MalformedError(f"add-checkpoint: {error}") from error

    def encode(self) -> bytes:
        """Write the body of a request; `parse` is its inverse."""
        proof = b"".join(base64.b64encode(one) + b"\n" for one in self.proof)
        return f"old {self.old}\n".encode() + proof + b"\n" + self.signed.encode()


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold the largest tree of one log that a witness has cosigned."""

    size: int
    root: Digest

    def __post_init__(self) -> None:
        # The same limits as a log's own claim.
        Checkpoint("any", self.size, self.root)


NOTHING_SEEN = Seen(0, Digest(EMPTY_ROOT))


@dataclass(frozen=True, slots=True)
class Judgement:
    """Hold a verdict, why, and whether the request proves that the log has two histories."""

    verdict: Verdict
    why: str = ""
    proves_fork: bool = False


def judge(request: AddCheckpoint, seen: Seen, logs: Iterable[VerifierKey]) -> Judgement:
    """Decide what a witness answers that has seen this much, and trusts these keys for logs.

    `COSIGNED` means: store the checkpoint's size and root as seen, then cosign it. The order of the
    checks is that of c2sp.org/tlog-witness.
    """
    checkpoint = request.signed.checkpoint
    keys = [key for key in logs if key.name == checkpoint.origin]
    if not keys:
        return Judgement(Verdict.UNKNOWN_LOG, "the checkpoint's origin is no log of this witness")
    try:
        _require_signed(request.signed, keys)
    except VerificationError as error:
        return Judgement(Verdict.FORBIDDEN, str(error))
    if request.old > checkpoint.size:
        return Judgement(Verdict.MALFORMED, "the old size is larger than the checkpoint's")
    forked = checkpoint.size == seen.size and checkpoint.root != seen.root
    if request.old != seen.size:
        why = f"the newest tree that was cosigned has {seen.size} leaves"
        return Judgement(Verdict.CONFLICT, why, proves_fork=forked)
    try:
        verify_consistency(
            old_size=seen.size,
            old_root=seen.root.raw,
            size=checkpoint.size,
            root=checkpoint.root.raw,
            path=request.proof,
        )
    except VerificationError as error:
        return Judgement(Verdict.UNPROCESSABLE, str(error), proves_fork=forked)
    return Judgement(Verdict.COSIGNED)


def read_cosignatures(
    data: bytes, checkpoint: Checkpoint, keys: Iterable[VerifierKey]
) -> tuple[NoteLine, ...]:
    """Return the lines of a witness's answer that are its cosignatures of this checkpoint.

    Lines of other keys, lines that do not verify, and lines without a time are left out. Raises
    `MalformedError` when the bytes are no signature lines.
    """
    lines = data.splitlines(keepends=True)
    if len(data) > MAX_NOTE_BYTES or not 1 <= len(lines) <= MAX_LINES:
        raise MalformedError(f"an answer has 1 to {MAX_LINES} signature lines")
    parsed = [NoteLine.parse(line) for line in lines]
    return tuple(
        line
        for key in keys
        for line in parsed
        if line.is_from(key) and _is_cosignature(line, checkpoint, key)
    )


def parse_size(data: bytes) -> int:
    """Read the size in the answer to a request whose old size is wrong (`text/x.tlog.size`)."""
    form = _SIZE.fullmatch(data)
    if form is None or int(form[1]) > MAX_SIZE:
        raise MalformedError("expected a size in decimal and a newline")
    return int(form[1])


def encode_size(size: int) -> bytes:
    """Write the size of the newest cosigned tree; `parse_size` is its inverse."""
    return f"{size}\n".encode()


def monitoring_path(origin: str) -> str:
    """Return where a witness shows the newest checkpoint of a log that it has cosigned."""
    return f"/{sha256(origin.encode()).hex()}/checkpoint"


def _require_signed(signed: SignedCheckpoint, keys: Iterable[VerifierKey]) -> None:
    present = [key for key in keys if signed.line_of(key) is not None]
    if not present:
        raise VerificationError("the checkpoint has no signature by a key of this log")
    for key in present:
        verify_log(signed, key)


def _is_cosignature(line: NoteLine, checkpoint: Checkpoint, key: VerifierKey) -> bool:
    try:
        (found,) = verified_cosignatures(SignedCheckpoint(checkpoint, (line,)), [key])
    except VerificationError:
        return False
    return found.timestamp > 0


def _hash(line: bytes) -> bytes:
    if _HASH.fullmatch(line) is None:
        raise MalformedError("a line of a consistency proof is a hash in base64")
    raw = base64.b64decode(line)
    # One value, one spelling: the last base64 digit may carry stray bits.
    if base64.b64encode(raw) != line:
        raise MalformedError("a hash is not in canonical base64")
    return raw


def _checkpoint(note: bytes) -> SignedCheckpoint:
    try:
        return SignedCheckpoint.parse(note)
    except MalformedError as error:
        if _EMPTY_TREE.match(note) and _is_note(note):
            raise EmptyTreeError("an empty log has the root of the empty tree") from error
        raise


def _is_note(data: bytes) -> bool:
    try:
        SignedNote.parse(data)
    except MalformedError:
        return False
    return True
