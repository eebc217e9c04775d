"""Records of a dispute: what was asked for, what was handed over, what the check found.

Each may have a place in a case (`cases`); without one it stands alone, as it did before there were
cases.
"""

from dataclasses import dataclass
from enum import IntEnum
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
    check_text,
    check_uint,
    read_version,
)
from workseal_protocol.records.caselinks import CasePlace
from workseal_protocol.records.rows import digest_at, row, uint_at
from workseal_protocol.statement import Kind

MAX_REQUESTED: Final = 64
MAX_REASON: Final = 500
# ML-KEM-768 (1184 bytes) and X25519 (32).
HPKE_KEY_BYTES: Final = 1216
MAX_TILES: Final = 65_536


class Outcome(IntEnum):
    """Say what a disclosure's check found."""

    HOLDS = 1
    FAILS = 2


@dataclass(frozen=True, slots=True)
class RequestedFrame:
    """Name one frame that an arbitrator asks for, and the segment that committed to it."""

    segment: Digest
    frame: Digest


@dataclass(frozen=True, slots=True)
class DisclosedFrame:
    """Name the disclosure that answers for one frame."""

    frame: Digest
    disclosure: Digest


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold what the check of one disclosure found, in tiles."""

    disclosure: Digest
    outcome: Outcome
    shown: int
    tiles: int

    def __post_init__(self) -> None:
        check_uint("tiles", self.tiles, maximum=MAX_TILES)
        check_uint("shown tiles", self.shown, maximum=self.tiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRequest:
    """Ask for frames, with a reason, a key to seal the answer to, and a date."""

    KIND: ClassVar[Kind] = Kind.DISPUTE_REQUEST

    engagement: bytes
    claimed_at: int
    frames: tuple[RequestedFrame, ...]
    reason: str
    sealing_key: bytes
    answer_by: int
    place: CasePlace | None = None

    def __post_init__(self) -> None:
        _check_head(self.engagement, self.claimed_at)
        check_distinct("frames", (each.frame for each in self.frames), maximum=MAX_REQUESTED)
        check_text("reason", self.reason, maximum=MAX_REASON)
        check_octets("sealing key", self.sealing_key, HPKE_KEY_BYTES)
        check_uint("answer_by", self.answer_by, maximum=MAX_TIME)
        if self.answer_by <= self.claimed_at:
            raise ValueError("the answer is due before it is asked for")

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "dispute.request")
        read_version(fields)
        frames = fields.array(10, "frames", minimum=1, maximum=MAX_REQUESTED)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                frames=tuple(_read_requested(item) for item in frames),
                reason=fields.text(11, "reason", maximum=MAX_REASON),
                sealing_key=fields.octets(12, "sealing key", length=HPKE_KEY_BYTES),
                answer_by=fields.uint(13, "answer_by"),
                place=CasePlace.take_optional(fields),
            )
        except ValueError as error:
            raise MalformedError(f"dispute.request: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: [[each.segment.raw, each.frame.raw] for each in self.frames],
            11: self.reason,
            12: self.sealing_key,
            13: self.answer_by,
        }
        return value if self.place is None else value | self.place.to_value()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeDisclosure:
    """Answer a request: which disclosure shows which frame. The tiles travel beside it."""

    KIND: ClassVar[Kind] = Kind.DISPUTE_DISCLOSURE

    engagement: bytes
    claimed_at: int
    request: Digest
    frames: tuple[DisclosedFrame, ...]
    place: CasePlace | None = None

    def __post_init__(self) -> None:
        _check_head(self.engagement, self.claimed_at)
        check_distinct("frames", (each.frame for each in self.frames), maximum=MAX_REQUESTED)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "dispute.disclosure")
        read_version(fields)
        frames = fields.array(11, "frames", minimum=1, maximum=MAX_REQUESTED)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                request=fields.digest(10, "request"),
                frames=tuple(_read_disclosed(item) for item in frames),
                place=CasePlace.take_optional(fields),
            )
        except ValueError as error:
            raise MalformedError(f"dispute.disclosure: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: self.request.raw,
            11: [[each.frame.raw, each.disclosure.raw] for each in self.frames],
        }
        return value if self.place is None else value | self.place.to_value()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFinding:
    """Say what a check of each disclosure found; anyone with the tiles can repeat it.

    It is the operator's, or of what was sent sealed alone the arbitrator's.

    `disclosure` is the digest of the dispute.disclosure statement.
    """

    KIND: ClassVar[Kind] = Kind.DISPUTE_FINDING

    engagement: bytes
    claimed_at: int
    disclosure: Digest
    findings: tuple[Finding, ...]
    place: CasePlace | None = None

    def __post_init__(self) -> None:
        _check_head(self.engagement, self.claimed_at)
        check_distinct(
            "findings", (each.disclosure for each in self.findings), maximum=MAX_REQUESTED
        )

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "dispute.finding")
        read_version(fields)
        findings = fields.array(11, "findings", minimum=1, maximum=MAX_REQUESTED)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                disclosure=fields.digest(10, "disclosure"),
                findings=tuple(_read_finding(item) for item in findings),
                place=CasePlace.take_optional(fields),
            )
        except ValueError as error:
            raise MalformedError(f"dispute.finding: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: self.disclosure.raw,
            11: [
                [each.disclosure.raw, each.outcome, each.shown, each.tiles]
                for each in self.findings
            ],
        }
        return value if self.place is None else value | self.place.to_value()


def _check_head(engagement: bytes, claimed_at: int) -> None:
    check_octets("engagement", engagement, ID_BYTES)
    check_uint("claimed_at", claimed_at, maximum=MAX_TIME)


def _read_requested(item: Value) -> RequestedFrame:
    parts = row(item, 2)
    return RequestedFrame(digest_at(parts, 0), digest_at(parts, 1))


def _read_disclosed(item: Value) -> DisclosedFrame:
    parts = row(item, 2)
    return DisclosedFrame(digest_at(parts, 0), digest_at(parts, 1))


def _read_finding(item: Value) -> Finding:
    parts = row(item, 4)
    return Finding(
        digest_at(parts, 0), Outcome(uint_at(parts, 1)), uint_at(parts, 2), uint_at(parts, 3)
    )
