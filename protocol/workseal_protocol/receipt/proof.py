"""The proof of one entry as a file of its own (c2sp.org/tlog-proof)."""

import base64
import re
from dataclasses import dataclass
from typing import Self

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.merkle import MAX_PATH, MAX_SIZE, leaf_hash, verify_inclusion
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint

MAX_EXTRA_BYTES = 4096

_HEAD = b"c2sp.org/tlog-proof@v1\n"
# Bounded, so that no later step (int, base64) meets a size of its own choosing.
_PROOF = re.compile(
    rb"c2sp\.org/tlog-proof@v1\n"
    rb"(?:extra (?P<extra>[0-9A-Za-z+/]{2,5464}={0,2})\n)?"
    rb"index (?P<index>0|[1-9][0-9]{0,18})\n"
    rb"(?P<path>(?:[0-9A-Za-z+/]{43}=\n){0,63})"
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hold one entry's place in a log: index, inclusion path, signed checkpoint; unverified.

    `extra` is whatever the proof carried beside it, authenticated by nothing.
    """

    index: int
    path: tuple[bytes, ...]
    signed: SignedCheckpoint
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_SIZE:
            raise ValueError("an index lies below 2**63 - 1")
        if len(self.path) > MAX_PATH or any(len(node) != DIGEST_BYTES for node in self.path):
            raise ValueError(f"a path has at most {MAX_PATH} hashes of 32 bytes")
        if self.extra is not None and not 1 <= len(self.extra) <= MAX_EXTRA_BYTES:
            raise ValueError(f"extra data has 1 to {MAX_EXTRA_BYTES} bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a `.tlog-proof` file, or raise `MalformedError`."""
        head, empty_line, checkpoint = data.partition(b"\n\n")
        form = _PROOF.fullmatch(head + b"\n")
        if form is None or not empty_line:
            raise MalformedError("a log proof has its header, an index, a path and a checkpoint")
        extra = form["extra"]
        try:
            parsed = cls(
                int(form["index"]),
                tuple(base64.b64decode(node) for node in form["path"].splitlines()),
                SignedCheckpoint.parse(checkpoint),
                None if extra is None else base64.b64decode(extra),
            )
        except ValueError as e:
            raise MalformedError("a log proof has an index below 2**63 and canonical base64") from e
        if parsed.encode() != data:
            raise MalformedError("log proof is not in canonical form")
        return parsed

    def encode(self) -> bytes:
        """Write the `.tlog-proof` file; `parse` is its inverse."""
        extra = [] if self.extra is None else [b"extra " + base64.b64encode(self.extra) + b"\n"]
        path = (base64.b64encode(node) + b"\n" for node in self.path)
        index = f"index {self.index}\n".encode()
        return b"".join((_HEAD, *extra, index, *path, b"\n", self.signed.encode()))


def verify_receipt(receipt: Receipt, digest: Digest, policy: TlogPolicy) -> VerifiedCheckpoint:
    """Check that the entry `digest` is in a log that the policy accepts."""
    verified = verify_checkpoint(receipt.signed, policy)
    verify_inclusion(
        leaf=leaf_hash(digest.raw),
        index=receipt.index,
        size=verified.checkpoint.size,
        path=receipt.path,
        root=verified.checkpoint.root.raw,
    )
    return verified
