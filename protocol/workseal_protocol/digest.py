"""SHA-256 digests, and the table of tags that keep their uses apart.

Rule: whatever is hashed begins with a tag of this table, or is a complete statement, checkpoint or
file whose own first bytes tell it apart.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

DIGEST_BYTES = 32


class Tag:
    """Name the first bytes of hashed input, one for each use (docs/spec/README.md)."""

    LEAF = b"\x00"
    NODE = b"\x01"
    FRAME = b"\x02"
    SEED = b"\x03"
    VALUE = b"\x04"
    VERIFIER_CHAIN = b"workseal/v/v1"
    AGENT_CHAIN = b"workseal/a/v1"
    DRAW = b"workseal/cap/v1"
    DRAW_OFFLINE = b"workseal/cap-offline/v1"
    PANEL = b"workseal/panel/v1"
    SECRET = b"workseal/secret/v1"
    SAMPLE = b"workseal/sample/v1"
    SHARE = b"workseal/share/v1"
    PLACE = b"workseal/place/v1"
    OUTLINE = b"workseal/tag/v1"
    ATTESTED = b"workseal/attested/v1"


def sha256(*parts: bytes | memoryview) -> bytes:
    """Hash the concatenation of the parts."""
    # Joined first: nearly all inputs are short, and one call costs less than one for each part.
    return hashlib.sha256(b"".join(parts)).digest()


@dataclass(frozen=True, slots=True, order=True, init=False)
class Digest:
    """Hold one SHA-256 digest."""

    raw: bytes

    # Its own, for one call less: a month's bundle names some 200,000.
    def __init__(self, raw: bytes) -> None:
        if type(raw) is not bytes or len(raw) != DIGEST_BYTES:
            raise ValueError("a digest has 32 bytes")
        object.__setattr__(self, "raw", raw)

    @classmethod
    def of(cls, *parts: bytes | memoryview) -> Self:
        """Hash the concatenation of the parts."""
        return cls(sha256(*parts))

    # As a dataclass has them, but without a tuple for each: digests are looked up all the time.
    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if type(other) is Digest else NotImplemented

    def __hash__(self) -> int:
        return hash(self.raw)

    def __str__(self) -> str:
        return self.raw.hex()
