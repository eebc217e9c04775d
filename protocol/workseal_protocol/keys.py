"""Public keys, their names, and the table of signature algorithms.

Rules: one key, one algorithm, chosen when the key is made and never negotiated. Which Ed25519 keys
and signatures are accepted is fixed in `ed25519`, so that every component accepts the same ones.
"""

import base64
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Protocol, Self, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
    MLDSA65PrivateKey,
    MLDSA65PublicKey,
)

from workseal_protocol.digest import Digest
from workseal_protocol.ed25519 import Ed25519Key
from workseal_protocol.errors import MalformedError, VerificationError

SEED_BYTES: Final = 32


class Algorithm(IntEnum):
    """Name the COSE algorithms that statements may carry (RFC 9053, 9864, 9964)."""

    EDDSA = -8
    ED25519 = -19
    ML_DSA_44 = -48
    ML_DSA_65 = -49

    # A number's own: an enum's hashes the name, by a call, wherever keys are looked up.
    __hash__ = int.__hash__


class Role(IntEnum):
    """Name the four people of an engagement; a key has one role."""

    FREELANCER = 1
    CLIENT = 2
    ARBITRATOR = 3
    OPERATOR = 4


PUBLIC_KEY_BYTES: Final = {
    Algorithm.EDDSA: 32,
    Algorithm.ML_DSA_44: 1312,
    Algorithm.ML_DSA_65: 1952,
}
SIGNATURE_BYTES: Final = {
    Algorithm.EDDSA: 64,
    Algorithm.ED25519: 64,
    Algorithm.ML_DSA_44: 2420,
    Algorithm.ML_DSA_65: 3309,
}

# The deterministic COSE_Key up to the key bytes: {1: OKP, -1: Ed25519, -2: x} with the head of x,
# and {1: AKP, 3: alg, -1: pub}. RFC 9679 section 3 hashes exactly these members.
_COSE_KEY_HEAD: Final = {
    Algorithm.EDDSA: bytes.fromhex("a301012006215820"),
    Algorithm.ML_DSA_44: bytes.fromhex("a3010703382f20590520"),
    Algorithm.ML_DSA_65: bytes.fromhex("a30107033830205907a0"),
}
_TEXT_NAME: Final = {
    Algorithm.EDDSA: "ed25519",
    Algorithm.ML_DSA_44: "mldsa44",
    Algorithm.ML_DSA_65: "mldsa65",
}
_TEXT_FORM = re.compile(r"(ed25519|mldsa44|mldsa65):([A-Za-z0-9_-]{43,2603})")
URI_PREFIX: Final = "urn:ietf:params:oauth:ckt:sha-256:"

_OpenKey: TypeAlias = Ed25519Key | MLDSA44PublicKey | MLDSA65PublicKey
_SecretKey: TypeAlias = Ed25519PrivateKey | MLDSA44PrivateKey | MLDSA65PrivateKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Hold the bytes of a public key that its algorithm accepts.

    An Ed25519 key has the algorithm EDDSA; that its statements may name ED25519 too is decided by
    `allows`. Raises `ValueError`.
    """

    raw: bytes
    algorithm: Algorithm = Algorithm.EDDSA

    def __post_init__(self) -> None:
        if self.algorithm not in PUBLIC_KEY_BYTES:
            raise ValueError("the algorithm of an Ed25519 key is written EDDSA (-8)")
        _open(self.raw, self.algorithm)

    @classmethod
    def of_raw(cls, raw: bytes) -> Self:
        """Tell the algorithm by the length, or raise `MalformedError`."""
        for algorithm, length in PUBLIC_KEY_BYTES.items():
            if len(raw) == length:
                return cls._checked(raw, algorithm)
        raise MalformedError(f"expected a public key of 32, 1312 or 1952 bytes, found {len(raw)}")

    @classmethod
    def parse_text(cls, text: str) -> Self:
        """Read what `text` writes, or raise `MalformedError`."""
        form = _TEXT_FORM.fullmatch(text)
        if form is None:
            raise MalformedError("a key is written ed25519:, mldsa44: or mldsa65: and base64url")
        name, digits = form.groups()
        if len(digits) % 4 == 1:
            raise MalformedError("the base64url of a key has a length that no key has")
        raw = base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
        key = cls._checked(raw, next(a for a, n in _TEXT_NAME.items() if n == name))
        if key.text() != text:
            raise MalformedError("the base64url of a key has stray bits")
        return key

    @classmethod
    def _checked(cls, raw: bytes, algorithm: Algorithm) -> Self:
        try:
            return cls(raw, algorithm)
        except ValueError as error:
            raise MalformedError(str(error)) from error

    @property
    def thumbprint(self) -> Digest:
        """Name the key: SHA-256 of its deterministic COSE_Key (RFC 9679)."""
        return _thumbprint(self.raw, self.algorithm)

    @property
    def uri(self) -> str:
        """Name the key as a URI (RFC 9679 section 5)."""
        return thumbprint_uri(self.thumbprint)

    @property
    def signature_bytes(self) -> int:
        """Return the length of the key's signatures."""
        return SIGNATURE_BYTES[self.algorithm]

    def text(self) -> str:
        """Write the key for a policy file or a person."""
        digits = base64.urlsafe_b64encode(self.raw).rstrip(b"=").decode()
        return f"{_TEXT_NAME[self.algorithm]}:{digits}"

    def pem(self) -> bytes:
        """Write the key as SubjectPublicKeyInfo in PEM, for tools of others."""
        # It loads every kind of key that there is: a megabyte, where few ever write one.
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            Encoding,
            PublicFormat,
        )

        opened: Ed25519PublicKey | MLDSA44PublicKey | MLDSA65PublicKey
        if self.algorithm is Algorithm.ML_DSA_44:
            opened = MLDSA44PublicKey.from_public_bytes(self.raw)
        elif self.algorithm is Algorithm.ML_DSA_65:
            opened = MLDSA65PublicKey.from_public_bytes(self.raw)
        else:
            opened = Ed25519PublicKey.from_public_bytes(self.raw)
        return opened.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def allows(self, algorithm: Algorithm) -> bool:
        """Say whether a statement by this key may name the algorithm."""
        if self.algorithm is Algorithm.EDDSA:
            return algorithm is Algorithm.EDDSA or algorithm is Algorithm.ED25519
        return algorithm is self.algorithm

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a signature, or raise `VerificationError`."""
        try:
            _open(self.raw, self.algorithm).verify(signature, message)
        except InvalidSignature as error:
            raise VerificationError("the signature does not match") from error


class Check(Protocol):
    """Check one signature as `PublicKey.verify` does, or see to it that it will be checked."""

    def __call__(self, key: PublicKey, signature: bytes, message: bytes, /) -> None:
        """Raise `VerificationError` for a signature that is known not to match."""


def check_at_once(key: PublicKey, signature: bytes, message: bytes, /) -> None:
    """Check one signature here and now, or raise `VerificationError`."""
    key.verify(signature, message)


class Signer(Protocol):
    """Sign with one key, wherever its secret lies."""

    @property
    def public_key(self) -> PublicKey:
        """Return the key that verifies what `sign` returns."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""


class SeedSigner:
    """Sign with a key whose 32-byte seed is in memory."""

    __slots__ = ("_public", "_secret")

    def __init__(self, seed: bytes, algorithm: Algorithm = Algorithm.EDDSA) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes")
        self._secret = _secret_key(seed, algorithm)
        self._public = PublicKey(self._secret.public_key().public_bytes_raw(), algorithm)

    @property
    def public_key(self) -> PublicKey:
        """Return the key that verifies what `sign` returns."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature; ML-DSA is randomised, so two calls differ."""
        return self._secret.sign(message)

    def __repr__(self) -> str:
        return f"SeedSigner({self._public.text()[:24]}…)"


def thumbprint_uri(thumbprint: Digest) -> str:
    """Write a thumbprint as a URI (RFC 9679 section 5)."""
    return URI_PREFIX + base64.urlsafe_b64encode(thumbprint.raw).rstrip(b"=").decode()


def _secret_key(seed: bytes, algorithm: Algorithm) -> _SecretKey:
    if algorithm is Algorithm.ML_DSA_44:
        return MLDSA44PrivateKey.from_seed_bytes(seed)
    if algorithm is Algorithm.ML_DSA_65:
        return MLDSA65PrivateKey.from_seed_bytes(seed)
    return Ed25519PrivateKey.from_private_bytes(seed)


# Keys are few and asked for with every statement: opening one costs more than finding it here.
@lru_cache(maxsize=16_384)
def _open(raw: bytes, algorithm: Algorithm) -> _OpenKey:
    if len(raw) != PUBLIC_KEY_BYTES[algorithm]:
        raise ValueError(
            f"expected a public key of {PUBLIC_KEY_BYTES[algorithm]} bytes, found {len(raw)}"
        )
    if algorithm is Algorithm.ML_DSA_44:
        return MLDSA44PublicKey.from_public_bytes(raw)
    if algorithm is Algorithm.ML_DSA_65:
        return MLDSA65PublicKey.from_public_bytes(raw)
    return Ed25519Key(raw)


@lru_cache(maxsize=16_384)
def _thumbprint(raw: bytes, algorithm: Algorithm) -> Digest:
    return Digest.of(_COSE_KEY_HEAD[algorithm], raw)
