"""From the chain to the frames of a sample: what is frozen, what was drawn, what may be named.

Rule: this needs the freelancer's chain as far as it was logged before the request; a case alone
does not have it. Whoever has both checks that the frozen frames are all, and the named ones drawn.
"""

from collections.abc import Iterable, Sequence

from workseal_protocol.digest import Digest
from workseal_protocol.dispute.case import Case
from workseal_protocol.dispute.ladder import LADDER
from workseal_protocol.dispute.sampling import FrozenFrame, canonical, freeze_frames
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

_DAY_MS = 86_400_000


def frames_between(
    chain: Iterable[tuple[Digest, ChainedRecord]], begin: int, end: int
) -> tuple[FrozenFrame, ...]:
    """Return the frames of segments that begin in [begin, end), in their canonical order.

    `chain` has each statement's digest and what it says, in order, up to the request.
    """
    found: list[tuple[int, Digest, Digest]] = []
    withdrawn: set[Digest] = set()
    for digest, record in chain:
        match record:
            case Segment() if begin <= record.begin < end:
                found += ((record.begin // _DAY_MS, digest, frame) for frame in record.frames)
            case Tombstone():
                withdrawn.add(record.frame)
            case _:
                pass
    return canonical(
        FrozenFrame(Holding.WITHDRAWN if frame in withdrawn else Holding.KEPT, day, segment, frame)
        for day, segment, frame in found
    )


def verify_freeze(freeze: Freeze, frames: Sequence[FrozenFrame]) -> None:
    """Check that a freeze is of exactly these frames, or raise `VerificationError`."""
    if not frames:
        raise VerificationError("the freeze: expected frames in these hours, found none")
    own = freeze_frames(frames)
    if own.strata != freeze.strata:
        raise VerificationError(
            f"the freeze: expected {own.count} frames in {len(own.strata)} strata,"
            f" found {freeze.count} in {len(freeze.strata)}, or others"
        )
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


def verify_named(case: Case, request: DisputeRequest, frames: Sequence[FrozenFrame]) -> None:
    """Check that a request of a sampled level names drawn frames alone, or `VerificationError`."""
    if case.ask is None or not LADDER[case.ask.level].sampled:
        return
    allowed = frozenset(drawn_frames(case, frames))
    for one in request.frames:
        if one not in allowed:
            raise VerificationError(
                f"the request: expected frames that were drawn, found {one.frame}"
            )
