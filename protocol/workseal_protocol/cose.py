"""COSE_Sign1 (RFC 9052 section 4.2) as Workseal writes it, always with tag 18.

Rules: the protected header stays the bytes that were signed. The unprotected header is a map that
nobody signed; statements refuse any but the empty one. A payload of None is a detached one.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from workseal_protocol.encoding import MAX_BYTES, Value, encode, read_item, read_octets
from workseal_protocol.errors import MalformedError

# Tag 18, then an array of four.
_HEAD: Final = b"\xd2\x84"
_NIL: Final = b"\xf6"
_EMPTY_MAP: Final = b"\xa0"
_SIGNATURE1: Final = b"\x84\x6aSignature1"


@dataclass(frozen=True, slots=True)
class Sign1:
    """Hold the four parts of a COSE_Sign1, unverified."""

    protected: bytes
    payload: bytes | None
    signature: bytes
    unprotected: dict[int, Value] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, data: bytes, *, max_bytes: int = MAX_BYTES) -> Self:
        """Read one tagged COSE_Sign1, or raise `MalformedError`."""
        parsed = cls.read(data, max_bytes=max_bytes)
        if parsed.encode() != data:
            raise MalformedError("the COSE_Sign1 is not in its one spelling")
        return parsed

    @classmethod
    def read(cls, data: bytes, *, max_bytes: int = MAX_BYTES) -> Self:
        """Read the parts, or raise `MalformedError`; the caller writes them again and compares."""
        if len(data) > max_bytes:
            raise MalformedError(f"expected at most {max_bytes} bytes, found {len(data)}")
        if data[:2] != _HEAD:
            raise MalformedError("expected a COSE_Sign1: tag 18 and an array of four")
        protected, at = _octets(data, 2, "protected header")
        unprotected: Value = {}
        if data[at : at + 1] == _EMPTY_MAP:
            at += 1
        else:
            unprotected, at = read_item(data, at)
        if not isinstance(unprotected, dict):
            raise MalformedError("expected a map as unprotected header")
        payload: bytes | None = None
        if data[at : at + 1] == _NIL:
            at += 1
        else:
            payload, at = _octets(data, at, "payload")
        signature, at = _octets(data, at, "signature")
        if at != len(data):
            raise MalformedError("the COSE_Sign1 is not in its one spelling")
        return cls(protected, payload, signature, unprotected)

    def encode(self) -> bytes:
        """Write the COSE_Sign1; `parse` is its inverse."""
        return envelope(self.protected, self.payload, self.signature, self.unprotected)


def cut(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Cut the usual COSE_Sign1 into its protected header, payload and signature.

    What is cut is in its one spelling: an empty unprotected header, the payload inside, and each
    length as short as it can be. None where that is for `Sign1.read` to do, or to refuse.
    """
    if data[:2] != _HEAD:
        return None
    protected = read_octets(data, 2)
    if protected is None or data[protected[1] : protected[1] + 1] != _EMPTY_MAP:
        return None
    payload = read_octets(data, protected[1] + 1)
    signature = None if payload is None else read_octets(data, payload[1])
    if payload is None or signature is None or signature[1] != len(data):
        return None
    return protected[0], payload[0], signature[0]


def envelope(
    protected: bytes,
    payload: bytes | None,
    signature: bytes,
    unprotected: dict[int, Value] | None = None,
) -> bytes:
    """Write a tagged COSE_Sign1 of these parts."""
    return b"".join(
        (
            _HEAD,
            octets(protected),
            encode(unprotected) if unprotected else _EMPTY_MAP,
            _NIL if payload is None else octets(payload),
            octets(signature),
        )
    )


def sig_structure(protected: bytes, payload: bytes) -> bytes:
    """Write what is signed: RFC 9052 section 4.4, with empty external data."""
    return b"".join((_SIGNATURE1, octets(protected), b"\x40", octets(payload)))


def octets(data: bytes) -> bytes:
    """Write a CBOR byte string."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 1 << 8:
        return bytes((0x58, size)) + data
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2) + data
    return b"\x5a" + size.to_bytes(4) + data


def _octets(data: bytes, at: int, what: str) -> tuple[bytes, int]:
    quick = read_octets(data, at)
    if quick is not None:
        return quick
    value, end = read_item(data, at)
    if not isinstance(value, bytes):
        raise MalformedError(f"expected a byte string as {what}")
    return value, end
