"""Log checkpoints and cosignatures: c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature.

Rules: a checkpoint has exactly three lines (extension lines are refused: nothing audits them). A
line of a known key that does not verify rejects the whole checkpoint; lines of unknown keys are
ignored. Cosignature times are whole POSIX seconds, and a time of 0 says nothing about time.
"""

import base64
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, Check, PublicKey, Signer, check_at_once
from workseal_protocol.merkle import EMPTY_ROOT, MAX_SIZE
from workseal_protocol.note import NoteLine, NoteType, SignedNote, VerifierKey, require_lines

MAX_TIMESTAMP = 2**63 - 1

# Bounded, so that no later step (int, base64) meets a size of its own choosing.
_ORIGIN = re.compile(r"[!-*,-~]{1,255}")
_FORM = re.compile(
    rb"(?P<origin>[!-*,-~]{1,255})\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[0-9A-Za-z+/]{43}=)\n"
)
_SIGNATURE_BYTES = {NoteType.COSIGNATURE: 64, NoteType.MLDSA_COSIGNATURE: 2420}
_COSIGNER_TYPES = {
    Algorithm.EDDSA: NoteType.COSIGNATURE,
    Algorithm.ML_DSA_44: NoteType.MLDSA_COSIGNATURE,
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Say what a log claims: this many leaves, under this root."""

    origin: str
    size: int
    root: Digest
    _encoded: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if _ORIGIN.fullmatch(self.origin) is None:
            raise ValueError("an origin has 1 to 255 visible ASCII characters and no plus")
        if not 0 <= self.size <= MAX_SIZE:
            raise ValueError("a log has 0 to 2**63 - 1 leaves")
        if self.size == 0 and self.root.raw != EMPTY_ROOT:
            raise ValueError("an empty log has the root of the empty tree")
        root = base64.b64encode(self.root.raw).decode()
        written = f"{self.origin}\n{self.size}\n{root}\n".encode()
        object.__setattr__(self, "_encoded", written)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the three lines, or raise `MalformedError`."""
        form = _FORM.fullmatch(data)
        if form is None:
            raise MalformedError("a checkpoint has three lines: origin, size, root")
        origin, size, root = form.groups()
        try:
            parsed = cls(origin.decode(), int(size), Digest(base64.b64decode(root)))
        except ValueError as e:
            raise MalformedError(f"checkpoint: {e}") from e
        # One value, one spelling: the last base64 digit may carry stray bits.
        if parsed.encode() != data:
            raise MalformedError("checkpoint is not in canonical form")
        return parsed

    def encode(self) -> bytes:
        """Write the three lines; `parse` is its inverse."""
        return self._encoded


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """Hold a checkpoint with its signature lines, none of them verified yet."""

    checkpoint: Checkpoint
    lines: tuple[NoteLine, ...]
    # Written once: a bundle has thousands, and each is asked for several times.
    _encoded: bytes = field(init=False, repr=False, compare=False, default=b"")

    def __post_init__(self) -> None:
        # The text is in order: it was written from a checkpoint.
        require_lines(self.lines)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a signed checkpoint, or raise `MalformedError`."""
        note = SignedNote.parse(data)
        parsed = cls(Checkpoint.parse(note.body), note.lines)
        # Of both one spelling only is read.
        object.__setattr__(parsed, "_encoded", data)
        return parsed

    def encode(self) -> bytes:
        """Write the checkpoint with all its lines; `parse` is its inverse."""
        if not self._encoded:
            written = SignedNote(self.checkpoint.encode(), self.lines).encode()
            object.__setattr__(self, "_encoded", written)
        return self._encoded

    @property
    def digest(self) -> Digest:
        """Return SHA-256 of the complete bytes: what an anchor names."""
        return Digest.of(self.encode())

    def log_signed(self, key: VerifierKey) -> bytes:
        """Return the checkpoint with the log's line alone: what a time-stamp is over.

        Witness lines come and go; these bytes stay, so `openssl ts -verify` needs no tool of ours.
        """
        line = self.line_of(key)
        if line is None:
            raise VerificationError("the checkpoint has no line of the log's key")
        return SignedNote(self.checkpoint.encode(), (line,)).encode()

    def line_of(self, key: VerifierKey) -> NoteLine | None:
        """Return the line that names `key`, unverified."""
        name, key_id = key.name, key.key_id
        for line in self.lines:
            if line.key_id == key_id and line.name == name:
                return line
        return None


@dataclass(frozen=True, slots=True)
class Cosignature:
    """Say that a cosigner saw this tree as the log's largest at `timestamp` (POSIX seconds).

    `name` is the key's name; in a verified checkpoint it is the policy's name for the witness.
    """

    name: str
    timestamp: int
    key: VerifierKey


def sign_checkpoint(
    checkpoint: Checkpoint, signer: Signer, *, name: str | None = None
) -> SignedCheckpoint:
    """Sign as the log, with one line of type 0x01; `name` is the origin unless given."""
    key = VerifierKey(
        checkpoint.origin if name is None else name, signer.public_key, NoteType.LOG_ED25519
    )
    signature = signer.sign(checkpoint.encode())
    return SignedCheckpoint(checkpoint, (NoteLine(key.name, key.key_id, signature),))


def add_cosignature(signed: SignedCheckpoint, line: NoteLine) -> SignedCheckpoint:
    """Add a cosigner's line, unverified; it takes the place of an earlier one of the same key."""
    kept = (one for one in signed.lines if (one.name, one.key_id) != (line.name, line.key_id))
    return replace(signed, lines=(*kept, line))


def cosign(checkpoint: Checkpoint, name: str, signer: Signer, timestamp: int) -> NoteLine:
    """Cosign at `timestamp` (POSIX seconds): type 0x04 with Ed25519, 0x06 with ML-DSA-44.

    The caller has checked that the checkpoint extends the largest one it ever cosigned.
    """
    if not 0 <= timestamp <= MAX_TIMESTAMP:
        raise ValueError("a timestamp has 63 bits")
    if signer.public_key.algorithm not in _COSIGNER_TYPES:
        raise ValueError("a cosigner has an Ed25519 or ML-DSA-44 key")
    key = VerifierKey(name, signer.public_key, _COSIGNER_TYPES[signer.public_key.algorithm])
    signature = signer.sign(cosigned_message(checkpoint, key, timestamp))
    return NoteLine(name, key.key_id, struct.pack(">Q", timestamp) + signature)


def cosigned_text(text: bytes, timestamp: int) -> bytes:
    """Write what an Ed25519 cosigner signs at `timestamp`: `text` is the checkpoint's lines."""
    return b"cosignature/v1\ntime %d\n%b" % (timestamp, text)


def cosigned_message(checkpoint: Checkpoint, key: VerifierKey, timestamp: int) -> bytes:
    """Write what a cosigner signs at `timestamp` (POSIX seconds)."""
    if key.type is NoteType.COSIGNATURE:
        return cosigned_text(checkpoint.encode(), timestamp)
    name, origin = key.name.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            b"subtree/v1\n\x00",
            bytes([len(name)]),
            name,
            struct.pack(">Q", timestamp),
            bytes([len(origin)]),
            origin,
            struct.pack(">QQ", 0, checkpoint.size),
            checkpoint.root.raw,
        )
    )


def verify_log(signed: SignedCheckpoint, key: VerifierKey, check: Check = check_at_once) -> None:
    """Check the log's own line: type 0x01, the key's name equal to the origin."""
    if key.type is not NoteType.LOG_ED25519:
        raise ValueError("a log is verified with a key of type 0x01")
    if key.name != signed.checkpoint.origin:
        raise VerificationError("the checkpoint's origin is not the name of the log's key")
    line = signed.line_of(key)
    if line is None:
        raise VerificationError("the checkpoint has no line of the log's key")
    message = signed.checkpoint.encode()
    _verify(check, key.key, line.signature, message, what="the log's signature")


def verified_cosignatures(
    signed: SignedCheckpoint, keys: Iterable[VerifierKey], check: Check = check_at_once
) -> tuple[Cosignature, ...]:
    """Return the cosignatures of the given keys, in the order of the keys.

    Lines of other keys are ignored; a line of a given key that does not verify raises.
    """
    known = tuple(keys)
    if len({(key.name, key.key_id) for key in known}) != len(known):
        raise ValueError("two keys share one name and key id")
    if any(key.type is NoteType.LOG_ED25519 for key in known):
        raise ValueError("a cosigner's key has type 0x04 or 0x06")
    found = ((key, signed.line_of(key)) for key in known)
    return tuple(
        Cosignature(key.name, _verified_time(signed.checkpoint, key, line, check), key)
        for key, line in found
        if line is not None
    )


def _verified_time(checkpoint: Checkpoint, key: VerifierKey, line: NoteLine, check: Check) -> int:
    if len(line.signature) != 8 + _SIGNATURE_BYTES[key.type]:
        raise VerificationError("a cosignature of a known key has a wrong length")
    timestamp = int.from_bytes(line.signature[:8])
    if timestamp > MAX_TIMESTAMP:
        raise VerificationError("a cosignature's timestamp has more than 63 bits")
    message = cosigned_message(checkpoint, key, timestamp)
    _verify(check, key.key, line.signature[8:], message, what="a cosignature of a known key")
    return timestamp


def _verify(check: Check, key: PublicKey, signature: bytes, message: bytes, *, what: str) -> None:
    try:
        check(key, signature, message)
    except VerificationError as e:
        raise VerificationError(f"{what} does not verify") from e
