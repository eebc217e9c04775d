"""Seal a disclosure to the arbitrator, so that whoever carries it sees nothing of it.

Rules: HPKE base mode (RFC 9180) with ML-KEM-768 + X25519, HKDF-SHA256 and AES-256-GCM; the digest
of the arbitrator's request is bound in, so a package opens for its own request only. What is sealed
is padded, so that its length tells little about what is shown. HPKE proves no sender: the statement
inside does. Keys are arguments; `seal_package` draws fresh randomness inside `cryptography`, as
HPKE must. docs/spec/sealing.md
"""

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import decode, encode, split_sequence
from workseal_protocol.errors import MalformedError, VerificationError

# ML-KEM-768 first, X25519 (32 bytes) last, in both.
PRIVATE_BYTES: Final = 64 + 32
PUBLIC_BYTES: Final = 1184 + 32
ENCAPSULATED_BYTES: Final = 1088 + 32
MAX_PACKAGE_BYTES: Final = 64 * 2**20
# A request names at most 64 frames; each may have several disclosures (displays).
MAX_DISCLOSURES: Final = 512

_LABEL: Final = b"workseal/sealed/v2"
_X25519_BYTES: Final = 32
_TAG_BYTES: Final = 16
_LENGTH_BYTES: Final = 8
# Answers of a few tiles are the common ones, and all look alike.
_LEAST_PADDED: Final = 16 * 2**10
_MOST_PADDED: Final = _LENGTH_BYTES + MAX_PACKAGE_BYTES
_AROUND_BYTES: Final = ENCAPSULATED_BYTES + _TAG_BYTES
MIN_SEALED_BYTES: Final = _AROUND_BYTES + _LEAST_PADDED
MAX_SEALED_BYTES: Final = _AROUND_BYTES + _MOST_PADDED


def case_public(private: bytes) -> bytes:
    """Return the public key (1,216 bytes) of a private key (96 bytes: ML-KEM seed, X25519)."""
    kem, curve = _private_parts(private)
    return kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def encode_package(items: Sequence[bytes]) -> bytes:
    """Join a `dispute.disclosure` statement and encoded disclosures into one CBOR sequence."""
    if not 1 <= len(items) <= 1 + MAX_DISCLOSURES:
        raise ValueError(f"a package is one statement and at most {MAX_DISCLOSURES} disclosures")
    statement, *disclosures = items
    data = b"".join((statement, *(encode(disclosure) for disclosure in disclosures)))
    if len(data) > MAX_PACKAGE_BYTES:
        raise ValueError(f"a package has at most {MAX_PACKAGE_BYTES} bytes")
    return data


def parse_package(data: bytes) -> tuple[bytes, ...]:
    """Cut a package into the statement and the disclosures, or raise `MalformedError`.

    The items are not read: parse and verify each.
    """
    if len(data) > MAX_PACKAGE_BYTES:
        raise MalformedError(f"a package has at most {MAX_PACKAGE_BYTES} bytes")
    items = split_sequence(data, max_items=1 + MAX_DISCLOSURES, max_item_bytes=MAX_PACKAGE_BYTES)
    if not items:
        raise MalformedError("a package begins with a statement")
    statement, *wrapped = items
    return (statement, *(_unwrap(item) for item in wrapped))


def _unwrap(item: bytes) -> bytes:
    value = decode(item, max_bytes=MAX_PACKAGE_BYTES)
    if not isinstance(value, bytes):
        raise MalformedError("after its statement, a package holds byte strings only")
    return value


def seal_package(public: bytes, request: Digest, items: Sequence[bytes]) -> bytes:
    """Seal a statement and disclosures to the key of a request (`MalformedError` for a bad key).

    Two calls never give the same bytes.
    """
    padded = pad(encode_package(items))
    return _suite().encrypt(padded, _public_key(public), info=_info(request))


def open_package(private: bytes, request: Digest, sealed: bytes) -> tuple[bytes, ...]:
    """Open what was sealed for this request: the statement, then the disclosures.

    Raises `VerificationError` when key, request or bytes do not fit, `MalformedError` when what was
    sealed is not a package.
    """
    require_sealed_length(len(sealed))
    key = MLKEM768X25519PrivateKey(*_private_parts(private))
    try:
        data = _suite().decrypt(sealed, key, info=_info(request))
    except (InvalidTag, ValueError) as e:
        raise VerificationError("the package is not sealed to this key for this request") from e
    return parse_package(unpad(data))


def require_sealed_length(length: int) -> None:
    """Refuse a length that no sealed package has (`MalformedError`); whoever carries it sees that.

    A length between those of the padding would tell how much is shown.
    """
    if not MIN_SEALED_BYTES <= length <= MAX_SEALED_BYTES:
        raise MalformedError(
            f"a sealed package has {MIN_SEALED_BYTES} to {MAX_SEALED_BYTES} bytes, found {length}"
        )
    padded = length - _AROUND_BYTES
    # A padded length is the one that it would be padded to itself.
    if padded_length(padded - _LENGTH_BYTES) != padded:
        raise MalformedError(f"no padding gives a sealed package of {length} bytes")


def padded_length(length: int) -> int:
    """Return how many bytes a package of this length is padded to, its length included.

    The lengths are those of Padmé (Nikitin and others, 2019): 16 KiB at least, at most a
    sixteenth more than needed, 16 or 32 of them from one power of two to the next.
    """
    needed = max(_LENGTH_BYTES + length, _LEAST_PADDED)
    exponent = needed.bit_length() - 1
    free = exponent - exponent.bit_length()
    padded = -(-needed >> free) << free
    return min(padded, _MOST_PADDED)


def pad(package: bytes) -> bytes:
    """Write a package's length, the package, and zeros up to `padded_length`."""
    data = len(package).to_bytes(_LENGTH_BYTES) + package
    return data.ljust(padded_length(len(package)), b"\x00")


def unpad(data: bytes) -> bytes:
    """Read what `pad` writes, or raise `MalformedError`: one package has one padding."""
    length = int.from_bytes(data[:_LENGTH_BYTES])
    if length > MAX_PACKAGE_BYTES or len(data) != padded_length(length):
        raise MalformedError("the padding of a sealed package has another length")
    if any(data[_LENGTH_BYTES + length :]):
        raise MalformedError("the padding of a sealed package is zeros")
    return data[_LENGTH_BYTES : _LENGTH_BYTES + length]


def require_public(public: bytes) -> None:
    """Refuse bytes that are no public key, before anybody relies on them (`MalformedError`)."""
    _public_key(public)


def _public_key(public: bytes) -> MLKEM768X25519PublicKey:
    if len(public) != PUBLIC_BYTES:
        raise MalformedError(f"the public half of a case key has {PUBLIC_BYTES} bytes")
    try:
        kem = MLKEM768PublicKey.from_public_bytes(public[:-_X25519_BYTES])
        curve = X25519PublicKey.from_public_bytes(public[-_X25519_BYTES:])
        # Every scalar is a multiple of eight, so any one finds out a point of small order.
        X25519PrivateKey.from_private_bytes(bytes(_X25519_BYTES)).exchange(curve)
    except ValueError as e:
        raise MalformedError("the public half of a case key is not a public key") from e
    return MLKEM768X25519PublicKey(kem, curve)


def _private_parts(private: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(private) != PRIVATE_BYTES:
        raise ValueError(f"a case key has {PRIVATE_BYTES} bytes")
    return (
        MLKEM768PrivateKey.from_seed_bytes(private[:-_X25519_BYTES]),
        X25519PrivateKey.from_private_bytes(private[-_X25519_BYTES:]),
    )


def _suite() -> Suite:
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _info(request: Digest) -> bytes:
    return _LABEL + request.raw
