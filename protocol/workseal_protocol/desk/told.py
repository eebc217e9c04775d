"""Checks 1 and 2: what the log alone tells of the hours. Nothing is opened for them."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import pairwise

from workseal_protocol.chain import owed_instant
from workseal_protocol.desk.checked import Checked, Outcome
from workseal_protocol.desk.material import Material, Placed
from workseal_protocol.desk.withdrawals import Withdrawals
from workseal_protocol.digest import Digest
from workseal_protocol.records import Capture, Segment, SegmentState
from workseal_protocol.terms import Level


def check_cover(material: Material) -> Checked:
    """Say how much of the hours was recorded, where the gaps are, and what became of captures."""
    number, name = 1, "cover"
    if not material.places:
        return Checked(number, name, Outcome.NOT_RUN, "nothing was recorded in these hours")
    gaps = sorted(_gaps(material), reverse=True)
    frames = [frame for one in material.begun for frame in one.segment.frames]
    missed = sum(one.segment.capture is Capture.MISSED for one in material.begun)
    taken = frozenset(frames)
    shown = sum(one.commitment in taken for one in material.frames)
    longest = gaps[0][0] if gaps else 0
    sentence = (
        f"{_clock(_worked(material))} of {_clock(material.end - material.begin)} are recorded as"
        " worked, the"
        f" longest stretch without a record has {_clock(longest)}; {len(frames)} frames were"
        f" taken, {_gone(material.withdrawn, frames)}, {missed} missed"
    )
    if shown:
        sentence += f", {shown} are shown"
    share = material.terms.max_withdrawn_percent
    early = sum(frame in material.withdrawn.early for frame in frames)
    over = (early + missed) * 100 > share * (len(frames) + missed)
    if over:
        sentence += (
            f"; the terms let {share} % be withdrawn, and missing ones are counted with them"
        )
    proof = tuple(f"no record from {_instant(at)} for {_clock(gap)}" for gap, at in gaps[:20])
    noticed = over or not material.withdrawn.since_filing.isdisjoint(frames)
    return Checked(number, name, Outcome.NOTICED if noticed else Outcome.NOTHING, sentence, proof)


def _worked(material: Material) -> int:
    """Add up the worked time, cut at the edges of the hours as totals cut it at midnight."""
    worked = sum(
        _worked_by(one.segment, material.end) - _worked_by(one.segment, material.begin)
        for one in material.places
    )
    # Rounds have a tolerance: it never makes more work than there is time.
    return min(worked, material.end - material.begin)


def _worked_by(segment: Segment, instant: int) -> int:
    if instant <= segment.begin:
        return 0
    if instant >= segment.end:
        return segment.worked
    return segment.worked * (instant - segment.begin) // (segment.end - segment.begin)


def _gone(withdrawn: Withdrawals, frames: Collection[Digest]) -> str:
    """Tell the frames that had to be kept from those that had not, where there are such."""
    expired = sum(frame in withdrawn.expired for frame in frames)
    said = f"{sum(frame in withdrawn.frames for frame in frames) - expired} of them withdrawn"
    if later := sum(frame in withdrawn.since_filing for frame in frames):
        said += f" ({later} after the case was filed)"
    if expired:
        said += f" and {expired} deleted once the agreed days were over"
        if withdrawn.unplaced:
            said += " (the bundle has no filing, so that nothing tells whether before it)"
    return said


def _gaps(material: Material) -> Iterator[tuple[int, int]]:
    """Yield length and begin of each stretch of the hours that no segment covers."""
    spans = sorted((one.segment.begin, one.segment.end) for one in material.places)
    edges = [(material.begin, material.begin), *spans, (material.end, material.end)]
    reached = material.begin
    for (_, end), (begin, _) in pairwise(edges):
        reached = max(reached, end)
        if begin > reached:
            yield begin - reached, reached


def check_schedule(material: Material) -> Checked:
    """Draw the lottery of every round again, and compare with what the segments tell."""
    number, name = 2, "schedule"
    if material.terms.level < Level.FRAMES:
        return Checked(number, name, Outcome.NOT_RUN, "the terms ask for no frames")
    begun = material.begun
    due = [(one, at) for one in begun if (at := _owed(material, one)) is not None]
    owned = [one for one, _ in due if one.segment.capture is not Capture.NONE]
    told = sum(one.segment.capture is not Capture.NONE for one in begun)
    alone = sum(one.segment.verifier_value is None for one in begun)
    wrong = len(due) - len(owned) + told - len(owned)
    sentence = (
        f"{len(begun)} draws were computed again: {len(due)} captures were due, and"
        f" {len(owned)} of them are told as taken or missed; {told - len(owned)} are told that were"
        f" not due; {alone} rounds were drawn without the operator's value"
    )
    proof = tuple(
        f"round {one.segment.round}: due at {_instant(at)}, told as"
        f" {one.segment.capture.name.lower()} by {one.digest}"
        for one, at in due
    )
    return Checked(number, name, Outcome.NOTICED if wrong else Outcome.NOTHING, sentence, proof)


def _owed(material: Material, one: Placed) -> int | None:
    segment = one.segment
    at = owed_instant(material.terms, material.engagement, segment)
    if at is None or segment.state is not SegmentState.WORKING:
        return None
    return at if segment.begin <= at < segment.end else None


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000} h {ms // 60_000 % 60:02d} min {ms // 1000 % 60:02d} s"


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
