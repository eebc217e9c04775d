"""HTTP requests signed by a party's key: one strict subset of RFC 9421.

Rules: the label, the covered components, the parameters and their order are fixed, so that there is
one spelling of each signature and nothing to negotiate. A body is covered through its digest (RFC
9530), which stands in the header: a signature is judged before the body has come. Whether the
instant is near and the nonce new is for the caller to judge, who has a clock and a memory.
docs/spec/access.md
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Self

from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, PublicKey, Signer

SIGNATURE: Final = "signature"
SIGNATURE_INPUT: Final = "signature-input"
CONTENT_DIGEST: Final = "content-digest"
NONCE_BYTES: Final = 16
# Seconds; still an exact number for every reader of structured fields (15 digits).
MAX_CREATED: Final = 10**12 - 1
# These have a body, even an empty one; the others have none.
WITH_BODY: Final = frozenset({"POST", "PUT"})

_LABEL: Final = "workseal"
_ALG: Final = "ed25519"
# What a signature is for: none of one use is one of another.
REQUEST_TAG: Final = "workseal/request/v1"
WEBHOOK_TAG: Final = "workseal/webhook/v1"
_HEAD: Final = '("@method" "@authority" "@path" "@query"'
_MAX_HEADER: Final = 512

_METHOD = re.compile(r"[A-Z]{1,16}")
_AUTHORITY = re.compile(r"(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[1-9][0-9]{0,4})?")
# As they stand on the wire: visible ASCII.
_PATH = re.compile(r"/[!-~]*")
_QUERY = re.compile(r"\?[!-~]*")
_INPUT_FORM = re.compile(
    re.escape(f"{_LABEL}={_HEAD}")
    + r'(?P<body> "content-digest")?\);created=(?P<created>0|[1-9][0-9]{0,11});'
    + r'nonce="(?P<nonce>[A-Za-z0-9_-]{22})";'
    + re.escape(f'alg="{_ALG}";')
    + r'keyid="(?P<keyid>[0-9a-f]{64})";'
    + r'tag="(?P<tag>workseal/(?:request|webhook)/v1)"'
)
_SIGNATURE_FORM = re.compile(re.escape(_LABEL) + r"=:([A-Za-z0-9+/]{86}==):")
_DIGEST_FORM = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


@dataclass(frozen=True, slots=True)
class Target:
    """Hold what a request asks for, as it stands on the wire; raises `ValueError`.

    `authority` is host and port in lower case, without a scheme's own port. `query` begins with its
    question mark, which also stands for an absent one.
    """

    method: str
    authority: str
    path: str
    query: str = "?"

    def __post_init__(self) -> None:
        if _METHOD.fullmatch(self.method) is None:
            raise ValueError("a method is written in capital letters")
        if _AUTHORITY.fullmatch(self.authority) is None:
            raise ValueError("an authority is a host in lower case, and perhaps a port")
        if _PATH.fullmatch(self.path) is None or "?" in self.path:
            raise ValueError("a path begins with a slash and is visible ASCII")
        if _QUERY.fullmatch(self.query) is None:
            raise ValueError("a query begins with a question mark and is visible ASCII")


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """Hold a request's signature, unverified; `body` is the digest that it covers, if any."""

    key: Digest
    created: int
    nonce: bytes
    body: Digest | None
    signature: bytes
    tag: str = REQUEST_TAG

    @classmethod
    def parse(
        cls,
        signature_input: str,
        signature: str,
        content_digest: str | None,
        *,
        tag: str = REQUEST_TAG,
    ) -> Self:
        """Read the values of the header's fields, or raise `MalformedError`.

        A digest that the signature does not cover is not read; one for another use is malformed.
        """
        if max(len(signature_input), len(signature)) > _MAX_HEADER:
            raise MalformedError(f"a signature's fields have at most {_MAX_HEADER} characters")
        form = _INPUT_FORM.fullmatch(signature_input)
        if form is None or form["tag"] != tag:
            raise MalformedError("signature-input does not have the form of the specification")
        sealed = _SIGNATURE_FORM.fullmatch(signature)
        if sealed is None:
            raise MalformedError(f"signature: expected {_LABEL}=: and the base64 of 64 bytes")
        body = None
        if form["body"] is not None:
            body = _parse_digest(content_digest)
        return cls(
            key=Digest(bytes.fromhex(form["keyid"])),
            created=int(form["created"]),
            nonce=_canonical(form["nonce"] + "==", base64.urlsafe_b64decode, _base64url),
            body=body,
            signature=_canonical(sealed[1], base64.b64decode, _base64),
            tag=tag,
        )

    def fields(self) -> dict[str, str]:
        """Write the fields that `parse` reads."""
        written = {
            SIGNATURE_INPUT: f"{_LABEL}={self._parameters()}",
            SIGNATURE: f"{_LABEL}=:{_base64(self.signature)}:",
        }
        if self.body is not None:
            written[CONTENT_DIGEST] = _digest_field(self.body)
        return written

    def base(self, target: Target) -> bytes:
        """Write what is signed (RFC 9421 section 2.5)."""
        lines = [
            f'"@method": {target.method}',
            f'"@authority": {target.authority}',
            f'"@path": {target.path}',
            f'"@query": {target.query}',
        ]
        if self.body is not None:
            lines.append(f'"content-digest": {_digest_field(self.body)}')
        lines.append(f'"@signature-params": {self._parameters()}')
        return "\n".join(lines).encode()

    def verify(self, target: Target, key: PublicKey) -> None:
        """Check that this key signed this request, or raise `VerificationError`."""
        if key.algorithm is not Algorithm.EDDSA:
            raise VerificationError("a request is signed with an Ed25519 key")
        if key.thumbprint != self.key:
            raise VerificationError("the request names another key")
        if (self.body is not None) is not (target.method in WITH_BODY):
            raise VerificationError(f"a {target.method} covers a body where there is one")
        key.verify(self.signature, self.base(target))

    def verify_body(self, body: bytes) -> None:
        """Check that this is the body that was signed, or raise `VerificationError`."""
        if self.body is not None and Digest.of(body) != self.body:
            raise VerificationError("the body is not the one that was signed")

    def _parameters(self) -> str:
        covered = _HEAD + (' "content-digest"' if self.body is not None else "") + ")"
        return (
            f'{covered};created={self.created};nonce="{_base64url(self.nonce)[:22]}";'
            f'alg="{_ALG}";keyid="{self.key}";tag="{self.tag}"'
        )


def sign_request(
    target: Target,
    signer: Signer,
    *,
    created: int,
    nonce: bytes,
    body: bytes = b"",
    tag: str = REQUEST_TAG,
) -> dict[str, str]:
    """Sign a request; returns the fields to add to its header.

    Raises `ValueError` for a key of another algorithm and for values that no reader takes.
    """
    key = signer.public_key
    if key.algorithm is not Algorithm.EDDSA:
        raise ValueError("a request is signed with an Ed25519 key")
    if len(nonce) != NONCE_BYTES or not 0 <= created <= MAX_CREATED:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, an instant at most 12 digits")
    covered = Digest.of(body) if target.method in WITH_BODY else None
    unsigned = RequestSignature(key.thumbprint, created, nonce, covered, b"", tag)
    return replace(unsigned, signature=signer.sign(unsigned.base(target))).fields()


def _parse_digest(field: str | None) -> Digest:
    form = _DIGEST_FORM.fullmatch(field or "")
    if form is None:
        raise MalformedError("content-digest: expected sha-256=: and the base64 of 32 bytes")
    return Digest(_canonical(form[1], base64.b64decode, _base64))


def _digest_field(digest: Digest) -> str:
    return f"sha-256=:{_base64(digest.raw)}:"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _canonical(text: str, read: Callable[[str], bytes], write: Callable[[bytes], str]) -> bytes:
    """Read base64 whose form was checked; its last digit may still carry stray bits."""
    data = read(text)
    if write(data) != text:
        raise MalformedError("base64 is not in canonical form")
    return data
