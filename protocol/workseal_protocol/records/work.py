"""Records of work: segments, withdrawals and declarations."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_TIME,
    VALUE_BYTES,
    check_distinct,
    check_octets,
    check_uint,
)
from workseal_protocol.records.links import Link, check_link, link_value, read_link
from workseal_protocol.statement import Kind

# A round is at most ten minutes, and a segment lies in one round.
MAX_WORKED: Final = 600_000
MAX_FRAMES: Final = 8


class SegmentState(IntEnum):
    """Say what kind of work a segment is."""

    WORKING = 1
    OFF_SCREEN = 2
    SEALED = 3


class Capture(IntEnum):
    """Say what became of the capture that was due."""

    NONE = 0
    CAPTURED = 1
    MISSED = 2


class WithdrawalReason(IntEnum):
    """Say why a frame was withdrawn."""

    PRIVATE = 1
    THIRD_PARTY = 2
    CREDENTIALS = 3
    RETENTION = 4
    OTHER = 5


class DeclarationForm(IntEnum):
    """Say whether a declaration describes recorded segments or adds time."""

    LIVE = 1
    LATE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Link):
    """Record one stretch of work within one round.

    `begin` and `end` are wall-clock claims in Unix milliseconds; `worked` is measured milliseconds.
    """

    KIND: ClassVar[Kind] = Kind.SEGMENT

    session: bytes
    round: int
    begin: int
    end: int
    worked: int
    state: SegmentState
    agent_value: bytes
    verifier_value: bytes | None = None
    activity: Digest | None = None
    notes: Digest
    capture: Capture = Capture.NONE
    frames: tuple[Digest, ...] = ()

    def __post_init__(self) -> None:
        check_link(self)
        check_octets("session", self.session, ID_BYTES)
        check_uint("round", self.round)
        check_uint("end", self.end, maximum=MAX_TIME)
        if not 0 <= self.begin <= self.end:
            raise ValueError("a segment ends before it begins")
        check_uint("worked", self.worked, maximum=MAX_WORKED)
        check_octets("agent value", self.agent_value, VALUE_BYTES)
        if self.verifier_value is not None:
            check_octets("verifier value", self.verifier_value, VALUE_BYTES)
        self._check_evidence()

    def _check_evidence(self) -> None:
        if (self.capture is Capture.CAPTURED) != bool(self.frames):
            raise ValueError("frames stand exactly in a segment that was captured")
        if self.frames:
            check_distinct("frames", self.frames, maximum=MAX_FRAMES)
        if self.state is not SegmentState.WORKING and self.capture is not Capture.NONE:
            raise ValueError("only a segment of work on the screen has a capture")
        if self.state is SegmentState.SEALED and self.activity is not None:
            raise ValueError("a sealed segment has no activity")

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "segment")
        try:
            record = cls(
                **read_link(fields),
                session=fields.octets(7, "session", length=ID_BYTES),
                round=fields.uint(10, "round"),
                begin=fields.uint(11, "begin"),
                end=fields.uint(12, "end"),
                worked=fields.uint(13, "worked"),
                state=SegmentState(fields.uint(14, "state")),
                agent_value=fields.octets(15, "agent value", length=VALUE_BYTES),
                verifier_value=fields.optional_octets(16, "verifier value", length=VALUE_BYTES),
                activity=fields.optional_digest(17, "activity"),
                notes=fields.digest(18, "notes"),
                capture=Capture(fields.uint(19, "capture")),
                frames=_read_frames(
                    fields.optional_array(20, "frames", minimum=1, maximum=MAX_FRAMES)
                ),
            )
        except ValueError as error:
            raise MalformedError(f"segment: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value = link_value(self) | {
            7: self.session,
            10: self.round,
            11: self.begin,
            12: self.end,
            13: self.worked,
            14: self.state,
            15: self.agent_value,
            18: self.notes.raw,
            19: self.capture,
        }
        if self.verifier_value is not None:
            value[16] = self.verifier_value
        if self.activity is not None:
            value[17] = self.activity.raw
        if self.frames:
            value[20] = [frame.raw for frame in self.frames]
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone(Link):
    """Withdraw one frame; its commitment and the time of its segment stay."""

    KIND: ClassVar[Kind] = Kind.TOMBSTONE

    segment: Digest
    frame: Digest
    reason: WithdrawalReason

    def __post_init__(self) -> None:
        check_link(self)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "tombstone")
        try:
            record = cls(
                **read_link(fields),
                segment=fields.digest(10, "segment"),
                frame=fields.digest(11, "frame"),
                reason=WithdrawalReason(fields.uint(12, "reason")),
            )
        except ValueError as error:
            raise MalformedError(f"tombstone: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return link_value(self) | {10: self.segment.raw, 11: self.frame.raw, 12: self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Link):
    """Say what off-screen time was: live, beside recorded segments, or late, adding time."""

    KIND: ClassVar[Kind] = Kind.DECLARATION

    begin: int
    end: int
    worked: int
    form: DeclarationForm
    memo: Digest
    artefact: Digest | None = None

    def __post_init__(self) -> None:
        check_link(self)
        check_uint("end", self.end, maximum=MAX_TIME)
        if not 0 <= self.begin < self.end:
            raise ValueError("a declaration ends before it begins")
        check_uint("worked", self.worked, maximum=self.end - self.begin)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "declaration")
        try:
            record = cls(
                **read_link(fields),
                begin=fields.uint(10, "begin"),
                end=fields.uint(11, "end"),
                worked=fields.uint(12, "worked"),
                form=DeclarationForm(fields.uint(13, "form")),
                memo=fields.digest(14, "memo"),
                artefact=fields.optional_digest(15, "artefact"),
            )
        except ValueError as error:
            raise MalformedError(f"declaration: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value = link_value(self) | {
            10: self.begin,
            11: self.end,
            12: self.worked,
            13: self.form,
            14: self.memo.raw,
        }
        if self.artefact is not None:
            value[15] = self.artefact.raw
        return value


def _read_frames(items: list[Value] | None) -> tuple[Digest, ...]:
    frames: list[Digest] = []
    for item in items or ():
        if not isinstance(item, bytes) or len(item) != DIGEST_BYTES:
            raise MalformedError("segment: frames (20): expected 32 bytes for each")
        frames.append(Digest(item))
    return tuple(frames)
