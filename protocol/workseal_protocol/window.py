"""Between which two instants a statement was signed, and how well that is known.

Rules: a bound comes only from objects that the freelancer cannot make alone: the operator's beacon
and cosigned checkpoints below, cosignatures and RFC 3161 tokens above. What links to a statement is
younger than it, so a lower bound holds for everything after it in the chain. A bound that nothing
proves is None, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.lottery import round_start
from workseal_protocol.policy import VerifiedCheckpoint
from workseal_protocol.records import (
    CHAINED,
    Anchor,
    Declaration,
    DeclarationForm,
    Record,
    Segment,
    SegmentState,
)

# How long after the end of its round a segment may be proved to exist and still be called online:
# signing, sending, one sequencing tick and the witnesses' round trip, with much to spare.
ONLINE_MS = 60_000
# Operator, witnesses and time-stamping authority each have a clock. Bounds that come from two of
# them may miss each other by this much before they contradict.
CLOCK_TOLERANCE_MS = 5_000


class Source(StrEnum):
    """Say what proves a bound."""

    NONE = "nothing"
    BEACON = "beacon value"
    ANCHOR = "anchored checkpoint"
    LINK = "statement before it"
    COSIGNATURE = "cosignature"
    STAMP = "time-stamp"


class Grade(StrEnum):
    """Say how a stretch of time is known."""

    ONLINE = "online"
    LATE = "late"
    OFFLINE = "offline"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Window:
    """Bound the instant of a signature, in Unix milliseconds; None where nothing bounds it."""

    lower: int | None = None
    upper: int | None = None
    lower_source: Source = Source.NONE
    upper_source: Source = Source.NONE

    @property
    def width(self) -> int | None:
        """Give the distance of the bounds in milliseconds, when both are known."""
        if self.lower is None or self.upper is None:
            return None
        return self.upper - self.lower


@dataclass(frozen=True, slots=True)
class Entry:
    """Join a statement's place in the log, what it says, and what is known about its time."""

    index: int
    digest: Digest
    record: Record
    window: Window
    grade: Grade | None


class WindowError(VerificationError):
    """Say which statement contradicts its own bounds."""

    def __init__(self, place: int, detail: str) -> None:
        super().__init__(detail)
        self.place = place


def windows_of(
    items: Sequence[tuple[int, Record]],
    checkpoints: Sequence[VerifiedCheckpoint],
    *,
    round_ms: int,
    beacon_proven: frozenset[int] = frozenset(),
    stamps: Mapping[int, int] | None = None,
    quorum: bool = False,
) -> tuple[Window, ...]:
    """Bound each (log index, record), in log order, from checkpoints that all verified.

    `beacon_proven` holds the indices of the segments whose verifier value matches the operator's
    commitment; `stamps` gives, for a checkpoint size, the upper end of its verified token; `quorum`
    says that the policy asks for cosignatures, whether or not they tell a time. Raises
    `WindowError` when a segment was signed long after the round that it claims, or could have been
    and its anchor is not at hand, when work is told of that was not over yet, or when the bounds of
    a statement contradict each other.
    """
    # By their bytes, which are looked up for each statement.
    anchors = {one.signed.digest.raw: one for one in checkpoints}
    uppers = _Uppers(checkpoints, stamps or {})
    windows: list[Window] = []
    link: int | None = None
    for place, (index, record) in enumerate(items):
        lower, source = _lower(place, index, record, anchors, index in beacon_proven, round_ms)
        if record.KIND in CHAINED:
            # What names a statement by its digest was signed after it.
            if link is not None and (lower is None or link > lower):
                lower, source = link, Source.LINK
            link = lower
        upper, upper_source = uppers.of(index)
        _check(place, record, lower, upper, round_ms)
        if quorum:
            _require_anchor(place, record, upper, anchors, round_ms)
        windows.append(Window(lower, upper, source, upper_source))
    return tuple(windows)


def grade(record: Record, window: Window, round_ms: int) -> Grade | None:
    """Say how the time of a record is known; None for a record that carries no time."""
    if isinstance(record, Declaration):
        return Grade.DECLARED
    if not isinstance(record, Segment):
        return None
    if record.state is SegmentState.OFF_SCREEN:
        return Grade.DECLARED
    if record.verifier_value is None:
        return Grade.OFFLINE
    return Grade.ONLINE if seen_in_time(record, window.upper, round_ms) else Grade.LATE


def seen_in_time(segment: Segment, upper: int | None, round_ms: int) -> bool:
    """Tell whether a segment is shown to have existed within a minute after its round."""
    return upper is not None and upper - round_start(segment.round + 1, round_ms) <= ONLINE_MS


def _lower(
    place: int,
    index: int,
    record: Record,
    anchors: Mapping[bytes, VerifiedCheckpoint],
    proven: bool,  # noqa: FBT001
    round_ms: int,
) -> tuple[int | None, Source]:
    lower: int | None = None
    source = Source.NONE
    anchor = getattr(record, "anchor", None)
    # (11) An anchor is older than the statement: it cannot cover it, at hand or not.
    if isinstance(anchor, Anchor) and anchor.size > index:
        raise WindowError(place, "its anchor covers the statement itself")
    checkpoint = anchors.get(anchor.digest.raw) if isinstance(anchor, Anchor) else None
    if isinstance(anchor, Anchor) and checkpoint is not None:
        if checkpoint.checkpoint.size != anchor.size:
            raise WindowError(place, "its anchor names another size than the checkpoint has")
        if checkpoint.not_before is not None:
            lower, source = checkpoint.not_before, Source.ANCHOR
    if proven and isinstance(record, Segment):
        start = round_start(record.round, round_ms)
        if lower is None or start > lower:
            lower, source = start, Source.BEACON
    return lower, source


def _check(place: int, record: Record, lower: int | None, upper: int | None, round_ms: int) -> None:
    # (11) Nothing is signed long after the round that it claims to tell of.
    if isinstance(record, Segment) and lower is not None:
        end = round_start(record.round + 1, round_ms)
        if lower > end + ONLINE_MS:
            raise WindowError(
                place, f"round {record.round} was signed at least {lower - end} ms after its end"
            )
    # (11) What is told of was over when the statement existed.
    over = _over(record)
    if over is not None and upper is not None and over > upper + CLOCK_TOLERANCE_MS:
        raise WindowError(place, f"it existed {over - upper} ms before the end that it tells of")
    # (11) The bounds leave an instant between them.
    if lower is not None and upper is not None and upper + CLOCK_TOLERANCE_MS < lower:
        raise WindowError(place, f"it existed {lower - upper} ms before it can have been signed")


def _require_anchor(
    place: int,
    record: Record,
    upper: int | None,
    anchors: Mapping[bytes, VerifiedCheckpoint],
    round_ms: int,
) -> None:
    # (11) What nobody saw in time may have been back-dated, and its anchor is what can tell.
    if not isinstance(record, Segment) or record.anchor.digest.raw in anchors:
        return
    if not seen_in_time(record, upper, round_ms):
        raise WindowError(
            place,
            f"round {record.round} was not seen in time, and its anchor is not in the bundle",
        )


def _over(record: Record) -> int | None:
    match record:
        # A live declaration describes time that its segments already tell of.
        case Segment(end=end) | Declaration(end=end, form=DeclarationForm.LATE):
            return end
        case _:
            return None


class _Uppers:
    """Find the least upper bound among the checkpoints that cover an index."""

    def __init__(
        self, checkpoints: Sequence[VerifiedCheckpoint], stamps: Mapping[int, int]
    ) -> None:
        self._rows: list[tuple[int, int, Source]] = []
        for checkpoint in checkpoints:
            size = checkpoint.checkpoint.size
            if checkpoint.existed_by is not None:
                self._rows.append((size, checkpoint.existed_by, Source.COSIGNATURE))
            if size in stamps:
                self._rows.append((size, stamps[size], Source.STAMP))
        self._rows.sort(key=lambda row: row[0])
        best: tuple[int, Source] | None = None
        self._best: list[tuple[int, Source]] = []
        for _, instant, source in reversed(self._rows):
            if best is None or instant < best[0]:
                best = (instant, source)
            self._best.append(best)
        self._best.reverse()
        self._next = 0

    def of(self, index: int) -> tuple[int | None, Source]:
        """Give the bound of an index; indices are asked for in ascending order."""
        while self._next < len(self._rows) and self._rows[self._next][0] <= index:
            self._next += 1
        if self._next == len(self._best):
            return None, Source.NONE
        return self._best[self._next]
