"""The vault's key pair: HPKE (RFC 9180) with ML-KEM-768 and X25519 together, as raw bytes.

Rules: the public half can only seal, so a process that records needs nothing else. One key seals
for one `info`; what was sealed for another place does not open.
"""

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

_MLKEM_SEED = 64
_MLKEM_PUBLIC = 1184
_X25519 = 32
PRIVATE_BYTES = _MLKEM_SEED + _X25519
PUBLIC_BYTES = _MLKEM_PUBLIC + _X25519
SEAL_OVERHEAD = KEM.MLKEM768_X25519.enc_length() + 16

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def generate_private() -> bytes:
    """Make a new private key: ML-KEM seed (64 bytes), then the X25519 key (32 bytes)."""
    mlkem = MLKEM768PrivateKey.generate().private_bytes_raw()
    return mlkem + X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """Return the public half: ML-KEM (1184 bytes), then X25519 (32 bytes)."""
    mlkem, x25519 = _private_halves(private)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


class SealingKey:
    """Seal short secrets to one public key; `ValueError` when the key is not one."""

    def __init__(self, public: bytes) -> None:
        if len(public) != PUBLIC_BYTES:
            raise ValueError(f"a vault public key has {PUBLIC_BYTES} bytes")
        self._key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:]),
        )

    def seal(self, secret: bytes, info: bytes) -> bytes:
        """Seal a secret; the result is `SEAL_OVERHEAD` bytes longer."""
        return _SUITE.encrypt(secret, self._key, info)


class OpeningKey:
    """Open what was sealed to the public half; `ValueError` when the key is not one."""

    def __init__(self, private: bytes) -> None:
        self._key = MLKEM768X25519PrivateKey(*_private_halves(private))

    def __repr__(self) -> str:
        return "OpeningKey(...)"

    def open(self, sealed: bytes, info: bytes) -> bytes | None:
        """Open a sealed secret; None when it is not for this key and this info, or was changed."""
        try:
            return _SUITE.decrypt(sealed, self._key, info)
        except (InvalidTag, ValueError):
            return None


def _private_halves(private: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(private) != PRIVATE_BYTES:
        raise ValueError(f"a vault private key has {PRIVATE_BYTES} bytes")
    return (
        MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED]),
        X25519PrivateKey.from_private_bytes(private[_MLKEM_SEED:]),
    )
