"""The record that lists what a bundle holds."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_TIME,
    VERSION,
    check_distinct,
    check_octets,
    check_uint,
    read_version,
)
from workseal_protocol.records.rows import digest_at, row, text_at, uint_at
from workseal_protocol.statement import Kind

# A statement has at most 64 KiB: about this many entries with long names.
MAX_ENTRIES: Final = 512
# A relative path of plain names: nothing that a careless unpacker could be led astray by.
_NAME = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """Name one entry of a bundle: SHA-256 and length of its bytes."""

    name: str
    digest: Digest
    length: int

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ValueError("an entry's name is not a plain relative path")
        check_uint("length", self.length)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleManifest:
    """List every other entry of a bundle, in its order; signed by the party that exports it."""

    KIND: ClassVar[Kind] = Kind.BUNDLE_MANIFEST

    engagement: bytes
    claimed_at: int
    entries: tuple[ManifestEntry, ...]

    def __post_init__(self) -> None:
        check_octets("engagement", self.engagement, ID_BYTES)
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        check_distinct("entries", (each.name for each in self.entries), maximum=MAX_ENTRIES)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "bundle.manifest")
        read_version(fields)
        entries = fields.array(10, "entries", minimum=1, maximum=MAX_ENTRIES)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                entries=tuple(_read_entry(item) for item in entries),
            )
        except ValueError as error:
            raise MalformedError(f"bundle.manifest: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: [[each.name, each.digest.raw, each.length] for each in self.entries],
        }


def _read_entry(item: Value) -> ManifestEntry:
    parts = row(item, 3)
    return ManifestEntry(text_at(parts, 0), digest_at(parts, 1), uint_at(parts, 2))
