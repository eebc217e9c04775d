"""Statements: what a party says, signed, in the one form that the log admits.

A COSE_Sign1 shaped as a SCITT Signed Statement (RFC 9943). Rules: the kind stands in the content
type and in typ and both agree; the issuer's thumbprint is kid and part of iss and both agree; the
subject is the engagement or, for kinds without one, the issuer. `parse` accepts exactly what
`encode` writes, so a statement has one digest. The payload is read by `records`.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, Self

from workseal_protocol.cose import Sign1, cut, envelope, sig_structure
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_BYTES, Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import (
    SIGNATURE_BYTES,
    Algorithm,
    Check,
    PublicKey,
    Signer,
    check_at_once,
    thumbprint_uri,
)
from workseal_protocol.slots import puts_of

ENGAGEMENT_BYTES: Final = 16

_ALG, _CONTENT_TYPE, _KID, _CWT_CLAIMS, _TYP = 1, 3, 4, 15, 16
_ISS, _SUB = 1, 2
_SUBJECT = re.compile(
    r"urn:uuid:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})"
)
_WRONG_LENGTH: Final = "the signature does not have the length of its algorithm"
_CONTENT_FORM = re.compile(r"application/vnd\.workseal\.([a-z.]{1,32})\+cbor")


class Kind(StrEnum):
    """Name everything that a party can say."""

    KEY_ANNOUNCE = "key.announce"
    KEY_ROTATE = "key.rotate"
    KEY_REVOKE = "key.revoke"
    OFFER = "offer"
    ACCEPTANCE = "acceptance"
    SESSION_OPEN = "session.open"
    SEGMENT = "segment"
    SESSION_CLOSE = "session.close"
    TOMBSTONE = "tombstone"
    DECLARATION = "declaration"
    EVIDENCE = "evidence"
    POSSESSION = "possession"
    TIMESHEET = "timesheet"
    TIMESHEET_ANSWER = "timesheet.answer"
    LOG_POLICY = "log.policy"
    BEACON_COMMITMENT = "beacon.commitment"
    DISPUTE_FILING = "dispute.filing"
    DISPUTE_ACT = "dispute.act"
    DISPUTE_REQUEST = "dispute.request"
    DISPUTE_DISCLOSURE = "dispute.disclosure"
    DISPUTE_FINDING = "dispute.finding"
    BUNDLE_MANIFEST = "bundle.manifest"

    # A text's own: an enum's hashes the name, by a call, wherever kinds are looked up.
    __hash__ = str.__hash__

    @property
    def in_engagement(self) -> bool:
        """Say whether the subject of this kind is an engagement."""
        return self not in _ABOUT_ISSUER


_ABOUT_ISSUER: Final = frozenset(
    {
        Kind.KEY_ANNOUNCE,
        Kind.KEY_ROTATE,
        Kind.KEY_REVOKE,
        Kind.LOG_POLICY,
        Kind.BEACON_COMMITMENT,
    }
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold one signed statement, its signature unverified; raises `ValueError` when malformed."""

    kind: Kind
    issuer: Digest
    subject: str
    payload: bytes
    algorithm: Algorithm
    signature: bytes
    # The entry in the log: SHA-256 of the complete bytes.
    digest: Digest = field(init=False, repr=False, compare=False)
    _protected: bytes = field(init=False, repr=False, compare=False)
    _encoded: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.signature) != SIGNATURE_BYTES[self.algorithm]:
            raise ValueError(_WRONG_LENGTH)
        protected = _write_protected(self.kind, self.issuer, self.subject, self.algorithm)
        encoded = envelope(protected, self.payload, self.signature)
        if len(encoded) > MAX_BYTES:
            raise ValueError(f"a statement has at most {MAX_BYTES} bytes")
        object.__setattr__(self, "digest", Digest.of(encoded))
        object.__setattr__(self, "_protected", protected)
        object.__setattr__(self, "_encoded", encoded)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one statement, or raise `MalformedError`."""
        parts = cut(data) if len(data) <= MAX_BYTES else None
        return cls._parsed(data) if parts is None else cls._of_parts(data, *parts)

    @classmethod
    def _of_parts(cls, data: bytes, protected: bytes, payload: bytes, signature: bytes) -> Self:
        """Make the statement of parts that were cut from its bytes, which are their spelling."""
        kind, issuer, subject, algorithm, length = _read_protected(protected)
        if len(signature) != length:
            raise MalformedError(_WRONG_LENGTH)
        parsed = object.__new__(cls)
        digest = Digest.of(data)
        values = (kind, issuer, subject, payload, algorithm, signature, digest, protected, data)
        for put, value in zip(_PUTS, values, strict=True):
            put(parsed, value)
        return parsed

    @classmethod
    def _parsed(cls, data: bytes) -> Self:
        parts = Sign1.read(data)
        if parts.unprotected:
            raise MalformedError("expected an empty unprotected header")
        if parts.payload is None:
            raise MalformedError("expected the payload inside the statement")
        kind, issuer, subject, algorithm, _ = _read_protected(parts.protected)
        try:
            parsed = cls(kind, issuer, subject, parts.payload, algorithm, parts.signature)
        except ValueError as error:
            raise MalformedError(str(error)) from error
        if parsed._encoded != data:
            raise MalformedError("the COSE_Sign1 is not in its one spelling")
        return parsed

    def encode(self) -> bytes:
        """Return the exact bytes; `parse` is its inverse."""
        return self._encoded

    def verify_signature(self, key: PublicKey, check: Check = check_at_once) -> None:
        """Check that this key signed the statement, or raise `VerificationError`."""
        if key.thumbprint != self.issuer:
            raise VerificationError("the statement names another key as its issuer")
        if not key.allows(self.algorithm):
            raise VerificationError("the statement names an algorithm that is not its key's")
        check(key, self.signature, sig_structure(self._protected, self.payload))


_PUTS: Final = puts_of(Statement)


def outline(data: bytes) -> tuple[Kind, str, bytes] | None:
    """Cut a statement into kind, subject and payload; None where that is for `parse`, or refused.

    It takes nothing that `parse` does not take.
    """
    parts = cut(data) if len(data) <= MAX_BYTES else None
    if parts is None:
        return None
    protected, payload, signature = parts
    try:
        kind, _, subject, _, length = _read_protected(protected)
    except MalformedError:
        return None
    return (kind, subject, payload) if len(signature) == length else None


def sign_statement(kind: Kind, subject: str, payload: Value, signer: Signer) -> Statement:
    """Sign a payload with the signer's own algorithm."""
    key = signer.public_key
    body = encode(payload)
    protected = _write_protected(kind, key.thumbprint, subject, key.algorithm)
    signature = signer.sign(sig_structure(protected, body))
    return Statement(kind, key.thumbprint, subject, body, key.algorithm, signature)


# One engagement's records ask thousands of times.
@lru_cache(maxsize=256)
def engagement_subject(engagement: bytes) -> str:
    """Write an engagement's 16 bytes as the subject of its statements."""
    if len(engagement) != ENGAGEMENT_BYTES:
        raise ValueError(f"an engagement has {ENGAGEMENT_BYTES} bytes")
    digits = engagement.hex()
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def subject_engagement(subject: str) -> bytes:
    """Read what `engagement_subject` writes, or raise `MalformedError`."""
    form = _SUBJECT.fullmatch(subject)
    if form is None:
        raise MalformedError("expected urn:uuid: and lower-case digits as subject")
    return bytes.fromhex("".join(form.groups()))


# A session's statements share one header: each is written and read once.
@lru_cache(maxsize=16_384)
def _write_protected(kind: Kind, issuer: Digest, subject: str, algorithm: Algorithm) -> bytes:
    issuer_uri = thumbprint_uri(issuer)
    if kind.in_engagement:
        if _SUBJECT.fullmatch(subject) is None:
            raise ValueError(f"expected an engagement as subject of {kind}")
    elif subject != issuer_uri:
        raise ValueError(f"expected the issuer as subject of {kind}")
    return encode(
        {
            _ALG: algorithm,
            _CONTENT_TYPE: f"application/vnd.workseal.{kind}+cbor",
            _KID: issuer.raw,
            _CWT_CLAIMS: {_ISS: issuer_uri, _SUB: subject},
            _TYP: f"application/vnd.workseal.{kind}+cose",
        }
    )


@lru_cache(maxsize=16_384)
def _read_protected(data: bytes) -> tuple[Kind, Digest, str, Algorithm, int]:
    header = Fields(decode(data), "protected header")
    claims = header.fields(_CWT_CLAIMS, "claims")
    form = _CONTENT_FORM.fullmatch(header.text(_CONTENT_TYPE, "content type"))
    try:
        algorithm = Algorithm(header.integer(_ALG, "alg", minimum=-65_535, maximum=-1))
        kind = Kind(form[1] if form else "")
        issuer = header.digest(_KID, "kid")
        subject = claims.text(_SUB, "sub", maximum=255)
        # Writes typ and iss from what was read: equal bytes mean that they agreed.
        written = _write_protected(kind, issuer, subject, algorithm)
    except ValueError as error:
        raise MalformedError(f"protected header: {_short(error)}") from error
    if written != data:
        raise MalformedError("protected header: typ, iss and sub do not follow from kind and kid")
    return kind, issuer, subject, algorithm, SIGNATURE_BYTES[algorithm]


def _short(error: ValueError) -> str:
    return str(error)[:80]
