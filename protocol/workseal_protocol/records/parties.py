"""Records of the keys' lives: announced, replaced, ended."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey, Role, Signer
from workseal_protocol.records.bounds import MAX_TIME, VERSION, check_uint, read_version
from workseal_protocol.statement import Kind

_ROTATION: Final = b"workseal/key.rotate/v1"


class RevocationReason(IntEnum):
    """Say why a key ended."""

    LOST = 1
    COMPROMISED = 2
    RETIRED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAnnounce:
    """Introduce a key; signed by itself. `recovery` names a key that may revoke it."""

    KIND: ClassVar[Kind] = Kind.KEY_ANNOUNCE

    claimed_at: int
    public_key: PublicKey
    role: Role
    recovery: Digest | None = None

    def __post_init__(self) -> None:
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "key.announce")
        read_version(fields)
        try:
            record = cls(
                claimed_at=fields.uint(6, "claimed_at"),
                public_key=_read_key(fields, 10, 11),
                role=Role(fields.uint(12, "role")),
                recovery=fields.optional_digest(13, "recovery"),
            )
        except ValueError as error:
            raise MalformedError(f"key.announce: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            6: self.claimed_at,
            10: self.public_key.raw,
            11: self.public_key.algorithm,
            12: self.role,
        }
        if self.recovery is not None:
            value[13] = self.recovery.raw
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotate:
    """Replace a key; signed by the old one, with a proof that the new one agrees."""

    KIND: ClassVar[Kind] = Kind.KEY_ROTATE

    claimed_at: int
    old: Digest
    public_key: PublicKey
    proof: bytes

    def __post_init__(self) -> None:
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        if len(self.proof) != self.public_key.signature_bytes:
            raise ValueError("the proof does not have the length of its algorithm")
        if self.public_key.thumbprint == self.old:
            raise ValueError("a key cannot replace itself")

    @classmethod
    def make(cls, *, claimed_at: int, old: PublicKey, new: Signer) -> Self:
        """Let the new key agree to replace the old one."""
        message = rotation_message(old.thumbprint, new.public_key.thumbprint)
        return cls(
            claimed_at=claimed_at,
            old=old.thumbprint,
            public_key=new.public_key,
            proof=new.sign(message),
        )

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "key.rotate")
        read_version(fields)
        try:
            record = cls(
                claimed_at=fields.uint(6, "claimed_at"),
                old=fields.digest(10, "old"),
                public_key=_read_key(fields, 11, 12),
                proof=fields.octets(13, "proof"),
            )
        except ValueError as error:
            raise MalformedError(f"key.rotate: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return {
            1: VERSION,
            6: self.claimed_at,
            10: self.old.raw,
            11: self.public_key.raw,
            12: self.public_key.algorithm,
            13: self.proof,
        }

    def verify_proof(self) -> None:
        """Check that the new key agreed, or raise `VerificationError`."""
        message = rotation_message(self.old, self.public_key.thumbprint)
        self.public_key.verify(self.proof, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoke:
    """End a key; signed by itself or by its recovery key."""

    KIND: ClassVar[Kind] = Kind.KEY_REVOKE

    claimed_at: int
    key: Digest
    reason: RevocationReason

    def __post_init__(self) -> None:
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "key.revoke")
        read_version(fields)
        try:
            record = cls(
                claimed_at=fields.uint(6, "claimed_at"),
                key=fields.digest(10, "key"),
                reason=RevocationReason(fields.uint(11, "reason")),
            )
        except ValueError as error:
            raise MalformedError(f"key.revoke: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return {1: VERSION, 6: self.claimed_at, 10: self.key.raw, 11: self.reason}


def rotation_message(old: Digest, new: Digest) -> bytes:
    """Return what the new key signs: both thumbprints under a tag of their own."""
    return _ROTATION + old.raw + new.raw


def _read_key(fields: Fields, raw: int, algorithm: int) -> PublicKey:
    key = PublicKey.of_raw(fields.octets(raw, "public key"))
    named = fields.integer(algorithm, "algorithm", minimum=-65_535, maximum=-1)
    if named != key.algorithm:
        raise MalformedError(f"expected {key.algorithm} as algorithm of the key, found {named}")
    return key
