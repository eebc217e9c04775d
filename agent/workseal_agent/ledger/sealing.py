"""Encryption of the private values that lie in the ledger.

Rules: whoever has the signing key has this key, so a copied ledger file alone opens nothing. It is
derived from the deterministic Ed25519 signature over a message that no statement can be. Each value
is bound to its place: what was sealed for one row does not open in another.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workseal_agent.ledger.errors import LedgerError
from workseal_protocol.keys import Algorithm, Signer

_INFO = b"workseal/ledger/v1"
# Statements are signed over CBOR that begins with 0x84, key proofs over "workseal/key.rotate/v1".
_MESSAGE = b"workseal/ledger-key/v1"
_DETERMINISTIC = frozenset({Algorithm.EDDSA, Algorithm.ED25519})
_NONCE = 12


class LedgerKey:
    """Seal and open values; holds no other secret than its own key."""

    def __init__(self, signer: Signer) -> None:
        if signer.public_key.algorithm not in _DETERMINISTIC:
            raise ValueError("the ledger's key needs a signer whose signatures repeat")
        secret = signer.sign(_MESSAGE)
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(secret)
        self._aead = AESGCM(key)

    def __repr__(self) -> str:
        return "LedgerKey()"

    def seal(self, place: bytes, value: bytes) -> bytes:
        """Encrypt a value for one place."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._aead.encrypt(nonce, value, place)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """Decrypt a value, or raise `LedgerError` when it is not this place's or was changed."""
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except (InvalidTag, ValueError) as error:
            raise LedgerError(
                "a private value of the ledger does not open with this key"
            ) from error
