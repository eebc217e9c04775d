"""Salted commitments to single values, and the two small values that segments commit to.

Rules: every value has a salt of its own, so one opening opens one value. No type here can hold the
identity of a key, a title or an application. Counts are kept in coarse buckets before they are
committed. docs/spec/commitments.md
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workseal_protocol.digest import Digest, Tag
from workseal_protocol.encoding import MAX_INTEGER, Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError

SALT_BYTES = 16
SECRET_BYTES = 32
# A memo or an artefact's description; pictures and files are committed by their digest.
MAX_VALUE_BYTES = 32_768
# One round cannot honestly need more remarks.
MAX_NOTES = 64
# The longest round of the terms (ten minutes), in seconds and in milliseconds.
MAX_INPUT_SECONDS = 600
MAX_OBSERVED_MS = 600_000

_SALT_INFO = b"workseal/salt/v1"
_BUCKET_STARTS = (1, 10, 30, 100, 300)


class ValueKind(IntEnum):
    """Name what a salted commitment is about; part of the hashed bytes."""

    ACTIVITY = 1
    NOTES = 2
    ENVIRONMENT = 3
    MEMO = 4
    ARTEFACT = 5
    EVIDENCE = 6


def commit(kind: ValueKind, salt: bytes, value: bytes) -> Digest:
    """Fix a value without showing it."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 16 bytes")
    return Digest.of(Tag.VALUE, bytes((kind,)), salt, value)


def derive_salt(secret: bytes, kind: ValueKind, number: int) -> bytes:
    """Derive the salt of the value that has this kind and number under a session's secret.

    The secret is random and as confidential as all values under it together.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError("a session secret has 32 bytes")
    if not 0 <= number < 1 << 64:
        raise ValueError("the number of a salt is an unsigned 64-bit integer")
    info = _SALT_INFO + bytes((kind,)) + number.to_bytes(8, "big")
    return HKDF(algorithm=SHA256(), length=SALT_BYTES, salt=None, info=info).derive(secret)


@dataclass(frozen=True, slots=True)
class Opening:
    """Show one committed value: in which statement it stands, its kind, its salt and itself."""

    statement: Digest
    kind: ValueKind
    salt: bytes
    value: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise ValueError("a salt has 16 bytes")
        if len(self.value) > MAX_VALUE_BYTES:
            raise ValueError(f"an opened value has at most {MAX_VALUE_BYTES} bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an opening, or raise `MalformedError`."""
        match decode(data):
            case [bytes() as statement, int() as kind, bytes() as salt, bytes() as value]:
                pass
            case _:
                raise MalformedError("an opening is an array of digest, kind, salt and value")
        try:
            return cls(Digest(statement), ValueKind(kind), salt, value)
        except ValueError as e:
            raise MalformedError("opening: digest, kind, salt or value is out of its range") from e

    @property
    def committed(self) -> bytes:
        """Return the bytes whose SHA-256 is the commitment."""
        return Tag.VALUE + bytes((self.kind,)) + self.salt + self.value

    def encode(self) -> bytes:
        """Write the opening; `parse` is its inverse."""
        return encode([self.statement.raw, int(self.kind), self.salt, self.value])


def verify_opening(opening: Opening, commitment: Digest) -> None:
    """Check that the opened value is the one that was committed, or raise `VerificationError`."""
    if commit(opening.kind, opening.salt, opening.value) != commitment:
        raise VerificationError(f"the opened {opening.kind.name.lower()} is not what was committed")


class ActivitySource(IntEnum):
    """Say what observed the input."""

    NONE = 0
    XINPUT2 = 1
    IDLE = 2
    REPLAY = 3
    LISTENER = 4


def bucket(count: int) -> int:
    """Coarsen a count: 0, 1-9, 10-29, 30-99, 100-299 and 300 or more become 0 to 5."""
    if count < 0:
        raise ValueError("a count is not negative")
    return bisect_right(_BUCKET_STARTS, count)


@dataclass(frozen=True, slots=True)
class ActivityRecord:
    """Hold what was observed in one segment: corroboration, never a score.

    `observed_ms` is the denominator. `keys` and `pointer` are buckets; `synthetic_tenths` is the
    share of input from synthetic devices (0 to 10) and `changed_percent` the share of tiles changed
    since the last frame, each None where it could not be observed.
    """

    observed_ms: int
    input_seconds: int
    keys: int
    pointer: int
    synthetic_tenths: int | None
    changed_percent: int | None
    source: ActivitySource

    def __post_init__(self) -> None:
        for name, value, maximum in (
            ("observed_ms", self.observed_ms, MAX_OBSERVED_MS),
            ("input_seconds", self.input_seconds, MAX_INPUT_SECONDS),
            ("keys", self.keys, len(_BUCKET_STARTS)),
            ("pointer", self.pointer, len(_BUCKET_STARTS)),
            ("synthetic_tenths", self.synthetic_tenths or 0, 10),
            ("changed_percent", self.changed_percent or 0, 100),
        ):
            if not 0 <= value <= maximum:
                raise ValueError(f"{name} lies between 0 and {maximum}")
        # A second with input may begin and end outside the observed span, one at each side.
        if self.input_seconds * 1000 > self.observed_ms + 2000:
            raise ValueError("input_seconds exceed the observed time")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an activity record, or raise `MalformedError`."""
        fields = Fields(decode(data), "activity record")
        observed_ms = fields.uint(1, "observed_ms", maximum=MAX_OBSERVED_MS)
        input_seconds = fields.uint(2, "input_seconds", maximum=MAX_INPUT_SECONDS)
        keys = fields.uint(3, "keys", maximum=len(_BUCKET_STARTS))
        pointer = fields.uint(4, "pointer", maximum=len(_BUCKET_STARTS))
        synthetic = fields.optional_uint(5, "synthetic_tenths", maximum=10)
        changed = fields.optional_uint(6, "changed_percent", maximum=100)
        source = fields.uint(7, "source", maximum=max(ActivitySource))
        fields.close()
        try:
            return cls(
                observed_ms,
                input_seconds,
                keys,
                pointer,
                synthetic,
                changed,
                ActivitySource(source),
            )
        except ValueError as e:
            raise MalformedError(f"activity record: {e}") from e

    def encode(self) -> bytes:
        """Write the record as a CBOR map; `parse` is its inverse."""
        value: dict[int, Value] = {
            1: self.observed_ms,
            2: self.input_seconds,
            3: self.keys,
            4: self.pointer,
            7: int(self.source),
        }
        if self.synthetic_tenths is not None:
            value[5] = self.synthetic_tenths
        if self.changed_percent is not None:
            value[6] = self.changed_percent
        return encode(value)


class NoteCode(IntEnum):
    """Name a remark of the agent about a segment; the meaning of its value is in the spec."""

    SUSPEND = 1
    CLOCK_STEP = 2
    CRASH_GAP = 3
    DISPLAY_CHANGE = 4
    CAPTURE_FAILED = 5
    MASKED = 6
    OFFLINE = 7
    SCHEDULE_LATE = 8
    LOCKED = 9


@dataclass(frozen=True, slots=True)
class Note:
    """Hold one remark: a code, and one integer whose meaning the code gives."""

    code: NoteCode
    value: int

    def __post_init__(self) -> None:
        if not -MAX_INTEGER <= self.value <= MAX_INTEGER:
            raise ValueError("the value of a note does not fit in 53 bits")


def encode_notes(notes: Sequence[Note]) -> bytes:
    """Write notes, in their order, as a CBOR array; no notes are the empty array."""
    if len(notes) > MAX_NOTES:
        raise ValueError(f"a segment has at most {MAX_NOTES} notes")
    return encode([[int(note.code), note.value] for note in notes])


def parse_notes(data: bytes) -> tuple[Note, ...]:
    """Read notes, or raise `MalformedError`."""
    items = decode(data)
    if not isinstance(items, list) or len(items) > MAX_NOTES:
        raise MalformedError(f"notes are an array of at most {MAX_NOTES} items")
    return tuple(_read_note(item) for item in items)


def _read_note(item: Value) -> Note:
    match item:
        case [int() as code, int() as value]:
            pass
        case _:
            raise MalformedError("a note is an array of a code and an integer")
    try:
        return Note(NoteCode(code), value)
    except ValueError as e:
        raise MalformedError("note: unknown code, or value out of range") from e
