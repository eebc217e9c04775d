"""Receipts of inclusion as COSE_Sign1 (RFC 9942): what SCITT's tools read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cbor2

from workseal_protocol.cose import Sign1, envelope, octets, sig_structure
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, Check, PublicKey, Signer, check_at_once
from workseal_protocol.merkle import MAX_PATH, inclusion_root, leaf_hash

# COSE labels: RFC 9052, RFC 9597 (15), RFC 9942 (395, 396).
_ALG, _KID, _CLAIMS, _VDS, _PROOFS = 1, 4, 15, 395, 396
_ISSUER, _SUBJECT = 1, 2
_RFC9162_SHA256 = 1
_INCLUSION = -1
# {396: {-1: [ up to its one proof; and a hash in a path, with its head.
_ONE_PROOF = b"\xa1\x19\x01\x8c\xa1\x20\x81"
_DETACHED = b"\xf6"
PATH_MARK = b"\x58\x20"
_PATH_ITEM = len(PATH_MARK) + DIGEST_BYTES
# Of this many signatures the newest are remembered: one for each kind of subject is enough.
_MAX_SEEN = 4


def cose_receipt(  # noqa: PLR0913  (each is one field of the receipt)
    root: bytes,
    size: int,
    index: int,
    path: Sequence[bytes],
    *,
    signer: Signer,
    issuer: str,
    subject: str,
) -> bytes:
    """Write an RFC 9942 receipt of inclusion; `subject` is the statement's own subject."""
    protected = encode(
        {
            _ALG: int(signer.public_key.algorithm),
            _KID: signer.public_key.thumbprint.raw,
            _CLAIMS: {_ISSUER: issuer, _SUBJECT: subject},
            _VDS: _RFC9162_SHA256,
        }
    )
    proof = encode([size, index, list(path)])
    signature = signer.sign(sig_structure(protected, root))
    return Sign1(protected, None, signature, {_PROOFS: {_INCLUSION: [proof]}}).encode()


def verify_cose_receipt(data: bytes, *, entry: Digest, key: PublicKey) -> Digest:
    """Check an RFC 9942 receipt for one entry, and return the root that the log signed.

    The signature covers the root alone: size and index stay claims (a path can lead to one root
    from several sizes), and no witness speaks. Only a `Receipt` shows a place in one public log.
    """
    return read_cose_receipt(data, entry=entry, key=key).root


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """Hold the root that the log signed, and the place in a tree that the receipt claims."""

    root: Digest
    size: int
    index: int


def read_cose_receipt(
    data: bytes, *, entry: Digest, key: PublicKey, check: Check = check_at_once
) -> ReadReceipt:
    """Check as `verify_cose_receipt` does, and return what the receipt claims too."""
    sign1 = Sign1.parse(data)
    if sign1.payload is not None:
        raise MalformedError("a receipt of inclusion has a detached payload")
    size, index, path = _inclusion_proof(sign1.unprotected)
    algorithm, kid = _receipt_header(sign1.protected)
    if kid != key.thumbprint.raw or not key.allows(algorithm):
        raise VerificationError("the receipt is not by the log's key")
    root = inclusion_root(leaf=leaf_hash(entry.raw), index=index, size=size, path=path)
    check(key, sign1.signature, sig_structure(sign1.protected, root))
    return ReadReceipt(Digest(root), size, index)


class SeenReceipts:
    """Tell receipts in one tree that differ from a checked one in place and path alone.

    The log signs a protected header and a root: for the statements of one subject, and one size,
    that is one signature. Whoever has the tree's own paths need not read such receipts at all.
    """

    def __init__(self) -> None:
        self._size = b""
        self._ends: list[tuple[bytes, bytes]] = []

    def add(self, data: bytes, size: int) -> None:
        """Remember a receipt of the tree's size that was checked, and that leads to its root."""
        parts = Sign1.parse(data)
        self._size = encode(size)
        # All but an empty unprotected header, the detached payload and an empty signature.
        begin = envelope(parts.protected, None, b"")[:-3]
        end = _DETACHED + octets(parts.signature)
        self._ends = [(begin, end), *self._ends[: _MAX_SEEN - 1]]

    def holds(self, data: bytes, index: int, path: bytes) -> bool:
        """Tell whether it has one of these signatures, the index, and the path that the tree has.

        `path` is that of the leaf, each hash as a byte string.
        """
        if not self._ends:
            return False
        count = len(path) // _PATH_ITEM
        head = bytes((0x80 | count,)) if count < 24 else bytes((0x98, count))
        proof = octets(b"".join((b"\x83", self._size, cbor2.dumps(index), head, path)))
        return any(data == begin + _ONE_PROOF + proof + end for begin, end in self._ends)


def cose_receipt_place(data: bytes) -> tuple[int, int]:
    """Read the (size, index) that an RFC 9942 receipt claims, or raise `MalformedError`."""
    size, index, _ = _inclusion_proof(Sign1.parse(data).unprotected)
    return size, index


# One log writes few headers.
@lru_cache(maxsize=1024)
def _receipt_header(protected: bytes) -> tuple[Algorithm, bytes]:
    header = Fields(decode(protected), "receipt header")
    number = header.integer(_ALG, "algorithm", minimum=-65_536, maximum=-1)
    kid = header.octets(_KID, "key", length=DIGEST_BYTES)
    claims = header.fields(_CLAIMS, "claims")
    claims.text(_ISSUER, "issuer", maximum=512)
    claims.text(_SUBJECT, "subject", maximum=512)
    claims.close()
    if header.uint(_VDS, "verifiable data structure") != _RFC9162_SHA256:
        raise MalformedError("a receipt is about an RFC 9162 tree with SHA-256")
    header.close()
    try:
        return Algorithm(number), kid
    except ValueError as e:
        raise MalformedError("the receipt names an unknown algorithm") from e


def _inclusion_proof(unprotected: Value) -> tuple[int, int, list[bytes]]:
    # The proofs' labels are negative, so this map is read without `Fields`.
    match unprotected:
        case {396: {-1: [bytes(proof)], **more}, **other} if not more and not other:
            value = decode(proof)
        case _:
            raise MalformedError("a receipt has exactly one inclusion proof")
    match value:
        case [int(size), int(index), [*path]] if min(size, index) >= 0 and len(path) <= MAX_PATH:
            nodes = [node for node in path if isinstance(node, bytes)]
            if len(nodes) == len(path):
                return size, index, nodes
    raise MalformedError("an inclusion proof has a size, an index and a path")
