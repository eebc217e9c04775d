"""An attestation as one file: the claim, the checkpoint that it names, and who checked it.

Rules: the container is that of a bundle, so any ZIP tool opens it, and `parse` accepts exactly what
`encode` writes. Checks are added and never change the claim.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from workseal_protocol.attestation.claim import Check, Claim
from workseal_protocol.attestation.readme import README
from workseal_protocol.attestation.signed import Signed
from workseal_protocol.bundle import read_archive, write_archive
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.errors import MalformedError

MAX_CHECKS: Final = 8
_CHECK = re.compile(r"checks/[0-9]\.cose")
# Claim and checks are a few kilobytes, and a checkpoint with ML-DSA witnesses at most 256 KiB.
MAX_ATTESTATION_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attestation:
    """Hold the parts of one attestation, none of them verified."""

    claim: Signed[Claim]
    checkpoint: SignedCheckpoint
    checks: tuple[Signed[Check], ...] = ()

    def __post_init__(self) -> None:
        if len(self.checks) > MAX_CHECKS:
            raise ValueError(f"an attestation has at most {MAX_CHECKS} checks")
        if len({one.said.public_key for one in self.checks}) != len(self.checks):
            raise ValueError("one key checks an attestation once")
        if self.claim.said.checkpoint != self.checkpoint.digest:
            raise ValueError("the checkpoint is not the one that the claim names")
        if any(one.said.about != self.claim.digest for one in self.checks):
            raise ValueError("a check is about another attestation")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an attestation, or raise `MalformedError`."""
        if len(data) > MAX_ATTESTATION_BYTES:
            raise MalformedError(
                f"expected at most {MAX_ATTESTATION_BYTES} bytes, found {len(data)}"
            )
        entries = read_archive(data)
        parts = dict(entries)
        checks = [content for name, content in entries if _CHECK.fullmatch(name)]
        try:
            parsed = cls(
                Signed.parse(parts["claim.cose"], Claim),
                SignedCheckpoint.parse(parts["checkpoint"]),
                tuple(Signed.parse(content, Check) for content in checks[: MAX_CHECKS + 1]),
            )
        except KeyError as error:
            raise MalformedError(
                f"this is not an attestation: it has no {error.args[0]}"
            ) from error
        except ValueError as error:
            raise MalformedError(f"attestation: {error}") from error
        if parsed.encode() != data:
            raise MalformedError("the entries are not those of an attestation, in their order")
        return parsed

    def encode(self) -> bytes:
        """Write the file; `parse` is its inverse."""
        entries = [
            ("README.txt", README),
            ("claim.cose", self.claim.encode()),
            ("claim.pem", self.claim.said.public_key.pem()),
            ("checkpoint", self.checkpoint.encode()),
        ]
        for at, one in enumerate(self.checks):
            entries.append((f"checks/{at}.cose", one.encode()))
            entries.append((f"checks/{at}.pem", one.said.public_key.pem()))
        return write_archive(entries)

    def with_check(self, check: Signed[Check]) -> Self:
        """Return the attestation with one check more; it takes the place of its key's earlier."""
        kept = [one for one in self.checks if one.said.public_key != check.said.public_key]
        return replace(self, checks=(*kept, check))
