"""What an attestation says, and what says that somebody checked it: payloads, nothing verified.

Rules: no client, no engagement, no money, no zone stands in them, and no digest of anything that
could be guessed: the record is named by a salted commitment alone. docs/spec/attestation.md
"""

from dataclasses import astuple, dataclass
from typing import Final, Self

from workseal_protocol.digest import Digest, Tag
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_TIME,
    VERSION,
    check_octets,
    check_text,
    check_uint,
    read_version,
)
from workseal_protocol.records.rows import row, uint_at
from workseal_protocol.records.timesheets import MAX_DAY
from workseal_protocol.terms import Level

SALT_BYTES: Final = 16
MAX_PURPOSE: Final = 200


@dataclass(frozen=True, slots=True)
class Hours:
    """Hold milliseconds of a period, by class; `offline` and `accepted` are parts of them.

    `offline` is the part of working and sealed time that is graded offline or late, `accepted` the
    part of the recorded time that stands in timesheets which the client accepted.
    """

    working: int
    off_screen: int
    sealed: int
    late_declared: int
    offline: int
    accepted: int

    def __post_init__(self) -> None:
        for name, ms in zip(self.__slots__, astuple(self), strict=True):
            check_uint(name, ms)
        if self.offline > self.working + self.sealed:
            raise ValueError("more time is offline than was recorded")
        if self.accepted > self.recorded:
            raise ValueError("more time is accepted than was recorded")

    @property
    def recorded(self) -> int:
        """Add up what was recorded; late-declared time stands beside it."""
        return self.working + self.off_screen + self.sealed

    @property
    def online(self) -> int:
        """Give what was shown to exist within a minute; off-screen time is declared."""
        return self.working + self.sealed - self.offline


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Say how much its maker worked on the days [first, last], as the log knew it at a checkpoint.

    `checkpoint` is the digest of the checkpoint that lies beside it, with the lines that it has
    there; `record` the commitment to the record that was summed up; `purpose` who asked and for
    what, in their own words.
    """

    public_key: PublicKey
    claimed_at: int
    first: int
    last: int
    hours: Hours
    level: Level
    checkpoint: Digest
    record: Digest
    purpose: str | None = None

    def __post_init__(self) -> None:
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        check_uint("last", self.last, maximum=MAX_DAY)
        check_uint("first", self.first, maximum=self.last)
        if self.purpose is not None:
            check_text("purpose", self.purpose, maximum=MAX_PURPOSE)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "attestation")
        read_version(fields)
        figures = row(fields.array(12, "hours"), len(Hours.__slots__))
        try:
            claim = cls(
                public_key=PublicKey.of_raw(fields.octets(2, "key")),
                claimed_at=fields.uint(6, "claimed_at"),
                first=fields.uint(10, "first"),
                last=fields.uint(11, "last"),
                hours=Hours(*(uint_at(figures, place) for place in range(len(figures)))),
                level=Level(fields.uint(13, "level")),
                checkpoint=fields.digest(14, "checkpoint"),
                record=fields.digest(15, "record"),
                purpose=fields.optional_text(16, "purpose", maximum=MAX_PURPOSE),
            )
        except ValueError as error:
            raise MalformedError(f"attestation: {error}") from error
        fields.close()
        return claim

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.public_key.raw,
            6: self.claimed_at,
            10: self.first,
            11: self.last,
            12: list(astuple(self.hours)),
            13: self.level,
            14: self.checkpoint.raw,
            15: self.record.raw,
        }
        return value if self.purpose is None else value | {16: self.purpose}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Say that its maker had the record, and found in it what the attestation `about` says."""

    public_key: PublicKey
    claimed_at: int
    about: Digest

    def __post_init__(self) -> None:
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "attestation.check")
        read_version(fields)
        try:
            check = cls(
                public_key=PublicKey.of_raw(fields.octets(2, "key")),
                claimed_at=fields.uint(6, "claimed_at"),
                about=fields.digest(10, "about"),
            )
        except ValueError as error:
            raise MalformedError(f"attestation.check: {error}") from error
        fields.close()
        return check

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return {
            1: VERSION,
            2: self.public_key.raw,
            6: self.claimed_at,
            10: self.about.raw,
        }


@dataclass(frozen=True, slots=True)
class RecordOpening:
    """Say which record an attestation sums up: as confidential as the client's name."""

    salt: bytes
    engagement: bytes
    head: Digest

    def __post_init__(self) -> None:
        check_octets("salt", self.salt, SALT_BYTES)
        check_octets("engagement", self.engagement, ID_BYTES)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `encode` writes, or raise `MalformedError`."""
        match decode(data):
            case [bytes() as salt, bytes() as engagement, bytes() as head]:
                pass
            case _:
                raise MalformedError("an opening is an array of salt, engagement and head")
        try:
            return cls(salt, engagement, Digest(head))
        except ValueError as error:
            raise MalformedError(f"opening: {error}") from error

    def encode(self) -> bytes:
        """Write the opening; `parse` is its inverse."""
        return encode([self.salt, self.engagement, self.head.raw])

    @property
    def commitment(self) -> Digest:
        """Return what a claim names as its record; the parts have fixed lengths."""
        return Digest.of(Tag.ATTESTED, self.salt, self.engagement, self.head.raw)
