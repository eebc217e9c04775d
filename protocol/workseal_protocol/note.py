"""Signed notes and verifier keys: c2sp.org/signed-note.

Rules: one value has one spelling (canonical base64, one line for each key); the text is split from
its signature lines at the last empty line. Parsing verifies nothing: lines of unknown keys are kept
and ignored by whoever verifies.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Self

from workseal_protocol.digest import sha256
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, PublicKey

MAX_NOTE_BYTES = 262_144  # 64 lines with the largest signatures in use (ML-DSA-44, 3.3 kB a line)
MAX_LINES = 64  # C2SP asks for 16 at least
MAX_NAME_BYTES = 255  # one length byte in the ML-DSA cosignature
MAX_SIGNATURE_BYTES = 8192

_DASH = "\u2014"
_LINE = re.compile(rf"{_DASH} ([^ \n]{{1,255}}) ([0-9A-Za-z+/]{{8,10932}}={{0,2}})")
# 33 bytes (Ed25519) or 1,313 bytes (ML-DSA-44): the type byte and the key.
_VKEY = re.compile(r"([^+]{1,255})\+([0-9a-f]{8})\+([0-9A-Za-z+/]{44}|[0-9A-Za-z+/]{1751}=)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteType(IntEnum):
    """Name the signature types of C2SP that Workseal makes and verifies."""

    LOG_ED25519 = 0x01
    COSIGNATURE = 0x04
    MLDSA_COSIGNATURE = 0x06


_ALGORITHMS = {
    NoteType.LOG_ED25519: Algorithm.EDDSA,
    NoteType.COSIGNATURE: Algorithm.EDDSA,
    NoteType.MLDSA_COSIGNATURE: Algorithm.ML_DSA_44,
}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Hold a named public key and the one type of signature that it may make."""

    name: str
    key: PublicKey
    type: NoteType
    # The 4-byte key ID: a hint that finds the line, never a proof.
    key_id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_name(self.name)
        if self.key.algorithm is not _ALGORITHMS[self.type]:
            raise ValueError(f"a key of note type {self.type:d} has another algorithm")
        hashed = sha256(self.name.encode(), b"\n", bytes([self.type]), self.key.raw)
        object.__setattr__(self, "key_id", hashed[:4])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name+id+key`, or raise `MalformedError`."""
        form = _VKEY.fullmatch(text)
        if form is None:
            raise MalformedError("a verifier key has three parts: name, key id, key")
        name, key_id, key = form.groups()
        raw = _decode_base64(key)
        try:
            note_type = NoteType(raw[0])
            parsed = cls(name, PublicKey(raw[1:], _ALGORITHMS[note_type]), note_type)
        except ValueError as e:
            raise MalformedError("a verifier key has a valid name, type and public key") from e
        if parsed.key_id.hex() != key_id:
            raise MalformedError("the key id is not the one of this name and key")
        return parsed

    def encode(self) -> str:
        """Write the verifier key; `parse` is its inverse."""
        key = base64.b64encode(bytes([self.type]) + self.key.raw).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


@dataclass(frozen=True, slots=True)
class NoteLine:
    """Hold one signature line; who signed, by name and key ID, is not yet verified."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        _require_name(self.name)
        if len(self.key_id) != 4:
            raise ValueError("a key id has 4 bytes")
        if not 2 <= len(self.signature) <= MAX_SIGNATURE_BYTES:
            raise ValueError(f"a signature has 2 to {MAX_SIGNATURE_BYTES} bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one line with its newline, or raise `MalformedError`."""
        if not data.endswith(b"\n"):
            raise MalformedError("a signature line ends with a newline")
        return cls.read(_decode_text(data[:-1]))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one line of a note's text, without its newline, or raise `MalformedError`."""
        form = _LINE.fullmatch(text)
        if form is None:
            raise MalformedError("a signature line has a dash, a name and base64")
        blob = _decode_base64(form[2])
        try:
            return cls(form[1], blob[:4], blob[4:])
        except ValueError as e:
            raise MalformedError(f"signature line: {e}") from e

    def encode(self) -> bytes:
        """Write the line with its newline."""
        blob = base64.b64encode(self.key_id + self.signature).decode()
        return f"{_DASH} {self.name} {blob}\n".encode()

    def is_from(self, key: VerifierKey) -> bool:
        """Tell whether name and key ID are those of `key`."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class SignedNote:
    """Hold a text (which ends with a newline) and at least one signature line."""

    body: bytes
    lines: tuple[NoteLine, ...]

    def __post_init__(self) -> None:
        if not self.body.endswith(b"\n"):
            raise ValueError("the text of a note ends with a newline")
        require_lines(self.lines)
        # Checked here too: what we write must be what we read.
        try:
            _decode_text(self.body)
        except MalformedError as e:
            raise ValueError(str(e)) from e

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a note, or raise `MalformedError`."""
        if len(data) > MAX_NOTE_BYTES:
            raise MalformedError(f"a note has at most {MAX_NOTE_BYTES} bytes")
        text = _decode_text(data)
        body, empty_line, signatures = text.rpartition("\n\n")
        if not empty_line or not signatures.endswith("\n"):
            raise MalformedError("a note has a text, an empty line and signature lines")
        lines = signatures[:-1].split("\n")
        try:
            parsed = tuple(NoteLine.read(line) for line in lines)
            return cls(f"{body}\n".encode(), parsed)
        except ValueError as e:
            raise MalformedError(f"note: {e}") from e

    def encode(self) -> bytes:
        """Write the note; `parse` is its inverse."""
        return b"".join((self.body, b"\n", *(line.encode() for line in self.lines)))


def require_lines(lines: Sequence[NoteLine]) -> None:
    """Raise `ValueError` unless these may be all lines of one note."""
    if not 1 <= len(lines) <= MAX_LINES:
        raise ValueError(f"a note has 1 to {MAX_LINES} signature lines")
    if len({(line.name, line.key_id) for line in lines}) != len(lines):
        raise ValueError("a note has one line for each key")


# Few names stand on many lines; one that is refused is looked at each time.
@lru_cache(maxsize=1024)
def _require_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise ValueError("a key name is not empty and has no space, plus or control character")
    # A lone surrogate has no UTF-8 form; UnicodeEncodeError is a ValueError.
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"a key name has at most {MAX_NAME_BYTES} bytes")


def _decode_text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        raise MalformedError("a note is UTF-8 text") from e
    if _CONTROL.search(text):
        raise MalformedError("a note has no control characters but the newline")
    return text


def _decode_base64(text: str) -> bytes:
    try:
        data = binascii.a2b_base64(text)
    except ValueError as e:
        raise MalformedError("expected base64 with padding") from e
    # The last digit may carry stray bits.
    if binascii.b2a_base64(data, newline=False).decode() != text:
        raise MalformedError("base64 is not in canonical form")
    return data
