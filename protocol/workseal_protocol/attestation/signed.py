"""The envelope of a claim and of a check: a COSE_Sign1 as statements are, which no log admits.

Rules: the header names kind and key as a statement's does, so the tools that verify statements
verify these; the subject is the signer, who speaks of nobody else. One value has one encoding.
"""

from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar

from workseal_protocol.attestation.claim import Check, Claim
from workseal_protocol.cose import Sign1, envelope, sig_structure
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_BYTES, Fields, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import SIGNATURE_BYTES, Algorithm, PublicKey, Signer

_ALG, _CONTENT_TYPE, _KID, _CWT_CLAIMS, _TYP = 1, 3, 4, 15, 16
_ISS, _SUB = 1, 2
_KINDS: Final[dict[type[Claim | Check], str]] = {
    Claim: "attestation",
    Check: "attestation.check",
}

_Said = TypeVar("_Said", Claim, Check)


@dataclass(frozen=True, slots=True)
class Signed(Generic[_Said]):
    """Hold what somebody said and their signature, unverified."""

    said: _Said
    algorithm: Algorithm
    signature: bytes

    def __post_init__(self) -> None:
        if len(self.signature) != SIGNATURE_BYTES[self.algorithm]:
            raise ValueError("the signature does not have the length of its algorithm")

    @classmethod
    def parse(cls, data: bytes, kind: type[_Said]) -> Self:
        """Read one, or raise `MalformedError`."""
        if len(data) > MAX_BYTES:
            raise MalformedError(f"expected at most {MAX_BYTES} bytes, found {len(data)}")
        parts = Sign1.parse(data)
        if parts.payload is None or parts.unprotected:
            raise MalformedError("expected a payload, and an empty unprotected header")
        algorithm = Fields(decode(parts.protected), "protected header").integer(
            _ALG, "alg", minimum=-65_535, maximum=-1
        )
        try:
            signed = cls(kind.read(decode(parts.payload)), Algorithm(algorithm), parts.signature)
        except ValueError as error:
            raise MalformedError(f"{_KINDS[kind]}: {str(error)[:80]}") from error
        if signed.encode() != data:
            raise MalformedError("the header does not follow from the kind and the key")
        return signed

    def encode(self) -> bytes:
        """Write the COSE_Sign1; `parse` is its inverse."""
        protected = _protected(type(self.said), self.said.public_key, self.algorithm)
        return envelope(protected, encode(self.said.to_value()), self.signature)

    @property
    def digest(self) -> Digest:
        """Return SHA-256 of the complete bytes."""
        return Digest.of(self.encode())

    def verify_signature(self) -> None:
        """Check that the key inside signed it, or raise `VerificationError`.

        Whose key that is, the reader's policy says.
        """
        key = self.said.public_key
        if not key.allows(self.algorithm):
            raise VerificationError("it names an algorithm that is not its key's")
        protected = _protected(type(self.said), key, self.algorithm)
        key.verify(self.signature, sig_structure(protected, encode(self.said.to_value())))


def sign_said(said: _Said, signer: Signer) -> Signed[_Said]:
    """Sign with the key that the claim or check names."""
    key = signer.public_key
    if said.public_key != key:
        raise ValueError("who signs is not who speaks")
    protected = _protected(type(said), key, key.algorithm)
    signature = signer.sign(sig_structure(protected, encode(said.to_value())))
    return Signed(said, key.algorithm, signature)


def _protected(kind: type[Claim | Check], key: PublicKey, algorithm: Algorithm) -> bytes:
    name = f"application/vnd.workseal.{_KINDS[kind]}"
    return encode(
        {
            _ALG: algorithm,
            _CONTENT_TYPE: f"{name}+cbor",
            _KID: key.thumbprint.raw,
            _CWT_CLAIMS: {_ISS: key.uri, _SUB: key.uri},
            _TYP: f"{name}+cose",
        }
    )
