"""What every record of the work chain begins with: its place, its predecessor, its anchor."""

from dataclasses import dataclass
from typing import Final, Self, TypedDict

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_INTEGER, Fields, Value
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_TIME,
    VERSION,
    check_octets,
    check_uint,
    read_version,
)

# The acceptance is in the log before the chain begins, so a covering checkpoint is never empty.
MIN_ANCHOR: Final = 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """Name a checkpoint that the signer had verified: digest of its complete bytes, and size."""

    digest: Digest
    size: int

    def __post_init__(self) -> None:
        check_uint("anchor size", self.size, minimum=MIN_ANCHOR)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `to_value` writes."""
        anchor = cls(
            fields.digest(1, "digest"),
            fields.integer(2, "size", minimum=MIN_ANCHOR, maximum=MAX_INTEGER),
        )
        fields.close()
        return anchor

    def to_value(self) -> dict[int, Value]:
        """Return the map of key 5."""
        return {1: self.digest.raw, 2: self.size}


class LinkFields(TypedDict):
    """Name the fields that `read_link` reads."""

    engagement: bytes
    seq: int
    prev: Digest
    anchor: Anchor
    claimed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Hold keys 2 to 6 of a chained record.

    `claimed_at` is the device's clock in Unix milliseconds: a claim.
    """

    engagement: bytes
    seq: int
    prev: Digest
    anchor: Anchor
    claimed_at: int


def check_link(link: Link) -> None:
    """Raise `ValueError` for a link that cannot be written."""
    check_octets("engagement", link.engagement, ID_BYTES)
    check_uint("seq", link.seq)
    check_uint("claimed_at", link.claimed_at, maximum=MAX_TIME)


def read_link(fields: Fields) -> LinkFields:
    """Take keys 1 to 6."""
    read_version(fields)
    return {
        "engagement": fields.octets(2, "engagement", length=ID_BYTES),
        "seq": fields.uint(3, "seq"),
        "prev": fields.digest(4, "prev"),
        "anchor": Anchor.read(fields.fields(5, "anchor")),
        "claimed_at": fields.uint(6, "claimed_at"),
    }


def link_value(link: Link) -> dict[int, Value]:
    """Return keys 1 to 6."""
    return {
        1: VERSION,
        2: link.engagement,
        3: link.seq,
        4: link.prev.raw,
        5: link.anchor.to_value(),
        6: link.claimed_at,
    }
