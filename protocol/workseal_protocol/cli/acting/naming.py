"""Which frames an arbitrator freezes and names: by the freelancer's chain as the log has it.

Rules: the frozen frames are those of the hours asked about, as they stood when it was asked; the
named ones are those that were drawn, but for the withdrawn. What was drawn is checked against the
freeze before anything is named.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    LADDER,
    Ask,
    Case,
    drawn_frames,
    frames_between,
    freeze_frames,
    verify_freeze,
)
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.records import (
    Act,
    ChainedRecord,
    DisputeAct,
    Freeze,
    RequestedFrame,
    Segment,
    Tombstone,
    read_record,
)
from workseal_protocol.statement import Kind, Statement

_DIGITS = re.compile(r"[0-9a-f]{8,64}")
_TOLD = frozenset({Kind.SEGMENT, Kind.TOMBSTONE, Kind.DISPUTE_ACT})

Told = Sequence[tuple[Digest, ChainedRecord | DisputeAct]]


def freeze_hours(statements: Iterable[Statement], begin: int, end: int) -> Freeze:
    """Freeze all frames of these hours, or raise `CommandError` where there are none."""
    frames = frames_between(_chained(_told(statements)), begin, end)
    if not frames:
        raise CommandError("there are no frames in these hours", DOES_NOT_HOLD)
    return freeze_frames(frames)


def frames_to_name(
    case: Case, statements: Iterable[Statement], typed: Sequence[str]
) -> tuple[RequestedFrame, ...]:
    """Name the drawn frames of the hours asked about, or of those that may be the typed ones."""
    if case.ask is None:
        raise CommandError("nothing is asked for in this case now", DOES_NOT_HOLD)
    told = _told(statements)
    of_hours = _of_hours(told, case.ask)
    sampled = LADDER[case.ask.level].sampled
    known = [one for one in _drawn(case, told) if one in of_hours] if sampled else list(of_hours)
    if not known:
        which = "drawn frames" if sampled else "frames"
        raise CommandError(f"these hours have no {which}", DOES_NOT_HOLD)
    withdrawn = {record.frame for _, record in told if isinstance(record, Tombstone)}
    known = [one for one in known if one.frame not in withdrawn]
    if not known:
        raise CommandError("all of these frames were withdrawn", DOES_NOT_HOLD)
    if typed:
        return tuple(_frame_named(name, known) for name in typed)
    if not sampled:
        raise CommandError("request: expected --frame with the frames to show, found none")
    return tuple(known[: case.ask.granted])


def _of_hours(told: Told, ask: Ask) -> Mapping[RequestedFrame, None]:
    """Give the frames of segments that begin in the hours of a request, in the chain's order."""
    return dict.fromkeys(
        RequestedFrame(digest, frame)
        for digest, record in told
        if isinstance(record, Segment) and ask.begin <= record.begin < ask.end
        for frame in record.frames
    )


def _drawn(case: Case, told: Told) -> tuple[RequestedFrame, ...]:
    """Give the drawn frames, of the chain as it was when they were frozen."""
    freeze = None if case.sample is None else case.sample.freeze
    for place, (_, record) in enumerate(told):
        if isinstance(record, DisputeAct) and _freezes(record, case, freeze):
            before = _chained(told[:place])
            frames = frames_between(before, record.begin or 0, record.end or 0)
            try:
                verify_freeze(record.freeze or _none(), frames)
                return drawn_frames(case, frames)
            except (VerificationError, ValueError) as error:
                raise CommandError(f"the frames cannot be named: {error}", 1) from error
    raise CommandError("the record does not have the request that froze these frames", 1)


def _freezes(record: DisputeAct, case: Case, freeze: Freeze | None) -> bool:
    return record.act is Act.ASK and record.place.case == case.case and record.freeze == freeze


def _none() -> Freeze:
    raise CommandError("nothing is frozen", DOES_NOT_HOLD)


def _told(statements: Iterable[Statement]) -> Told:
    """Read what is told of frames and of cases; the rest of a record is not looked at."""
    found: list[tuple[Digest, ChainedRecord | DisputeAct]] = []
    for statement in statements:
        if statement.kind not in _TOLD:
            continue
        try:
            record = read_record(statement)
        except MalformedError as error:
            raise CommandError(f"a statement of the record is malformed: {error}") from error
        if isinstance(record, Tombstone | DisputeAct) or (
            isinstance(record, Segment) and record.frames
        ):
            found.append((statement.digest, record))
    return found


def _chained(told: Told) -> Iterable[tuple[Digest, ChainedRecord]]:
    return ((digest, one) for digest, one in told if not isinstance(one, DisputeAct))


def _frame_named(name: str, known: Sequence[RequestedFrame]) -> RequestedFrame:
    found = [one for one in known if _DIGITS.fullmatch(name) and str(one.frame).startswith(name)]
    if len(found) != 1:
        raise CommandError(
            "--frame: expected the first eight digits or more of one frame that may be named,"
            f" found {len(found)} for {name[:64]}"
        )
    return found[0]
