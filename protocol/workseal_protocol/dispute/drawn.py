"""From the chain to the frames of a sample: what is frozen, what was drawn, what may be named.

Rule: this needs the freelancer's chain as far as it was logged before the request; a case alone
does not have it. Whoever has both checks that the frozen frames are all, and the named ones drawn.
"""

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from workseal_protocol.digest import Digest
from workseal_protocol.dispute.case import Case
from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.dispute.ladder import LADDER
from workseal_protocol.dispute.sampling import (
    FrozenFrame,
    canonical,
    freeze_frames,
    strata_of,
)
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import (
    ChainedRecord,
    DisputeRequest,
    Freeze,
    Holding,
    RequestedFrame,
    Segment,
    Tombstone,
)


class ToldFrame(NamedTuple):
    """Name a frame as a chain tells it: when its segment began, which segment that is."""

    begin: int
    segment: Digest
    frame: Digest


def frames_of_hours(
    told: Iterable[ToldFrame], withdrawn: Container[Digest], begin: int, end: int
) -> tuple[FrozenFrame, ...]:
    """Return the frames of segments that begin in [begin, end), in their canonical order.

    `told` comes in the order of the chain. This alone says what a freeze is of.
    """
    return canonical(
        FrozenFrame(
            Holding.WITHDRAWN if one.frame in withdrawn else Holding.KEPT,
            one.begin // DAY_MS,
            one.segment,
            one.frame,
        )
        for one in told
        if begin <= one.begin < end
    )


def frames_between(
    chain: Iterable[tuple[Digest, ChainedRecord]], begin: int, end: int
) -> tuple[FrozenFrame, ...]:
    """Return the frozen frames of these hours from statements; else as `frames_of_hours`.

    `chain` has each statement's digest and what it says, in order, up to the request.
    """
    told: list[ToldFrame] = []
    withdrawn: set[Digest] = set()
    for digest, record in chain:
        match record:
            case Segment():
                told += (ToldFrame(record.begin, digest, frame) for frame in record.frames)
            case Tombstone():
                withdrawn.add(record.frame)
            case _:
                pass
    return frames_of_hours(told, withdrawn, begin, end)


def verify_freeze(freeze: Freeze, frames: Sequence[FrozenFrame]) -> None:
    """Check that a freeze is of exactly these frames, or raise `VerificationError`."""
    # Counted before anything is hashed: a wrong freeze is cheap to make, and a log waits for this.
    strata = strata_of(frames)
    if strata != freeze.strata:
        raise VerificationError(
            f"the freeze: expected {len(frames)} frames in {len(strata)} strata,"
            f" found {freeze.count} in {len(freeze.strata)}, or others"
        )
    own = freeze_frames(frames)
    if own.root != freeze.root:
        raise VerificationError(f"the freeze: expected root {own.root}, found {freeze.root}")


def drawn_frames(case: Case, frames: Sequence[FrozenFrame]) -> tuple[RequestedFrame, ...]:
    """Return the drawn frames that can still be shown; `ValueError` before the draw."""
    places = case.drawn
    if places is None:
        raise ValueError("the sample is not drawn yet")
    return tuple(
        RequestedFrame(frames[place].segment, frames[place].frame)
        for place in places
        if frames[place].holding is Holding.KEPT
    )


def verify_named(
    case: Case,
    request: DisputeRequest,
    frames: Sequence[FrozenFrame],
    asked: Sequence[FrozenFrame],
) -> None:
    """Check that a request names frames of its hours, drawn ones where there is a sample.

    `frames` are those of the freeze, `asked` those of the hours of the `ask`. Raises
    `VerificationError`.
    """
    if case.ask is None:
        return
    of_hours = {(one.segment, one.frame) for one in asked}
    sampled = LADDER[case.ask.level].sampled
    drawn = frozenset(drawn_frames(case, frames)) if sampled else frozenset()
    for one in request.frames:
        if sampled and one not in drawn:
            raise VerificationError(
                f"the request: expected frames that were drawn, found {one.frame}"
            )
        if (one.segment, one.frame) not in of_hours:
            raise VerificationError(
                f"the request: expected frames of the hours that were asked for, found {one.frame}"
            )
