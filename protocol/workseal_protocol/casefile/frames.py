"""The frames of a case against the chain that the bundle shows: what was frozen, what was named.

Rules: a freeze is of the chain as the log had it before the `ask`. Where the bundle's log ends
before that, what contradicts it is refused, and what cannot be compared is counted.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from workseal_protocol.casefile.replay import Told
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    LADDER,
    Case,
    FrozenFrame,
    frames_between,
    verify_freeze,
    verify_named,
)
from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import (
    Act,
    ChainedRecord,
    DisputeAct,
    DisputeRequest,
    Freeze,
    Holding,
    Segment,
    Stratum,
    Tombstone,
    read_record,
)
from workseal_protocol.window import Entry


@dataclass(slots=True)
class Compared:
    """Count freezes and requests, and of both those that the bundle's log does not reach."""

    freezes: int = 0
    requests: int = 0
    unreached: int = 0


@dataclass(frozen=True, slots=True)
class _Hours:
    """Hold the frames of some hours; `exact` says that they are those of the place in the log."""

    frames: tuple[FrozenFrame, ...]
    exact: bool
    # No later statement of the chain can tell of these hours.
    over: bool


@dataclass(slots=True)
class _Chain:
    """Find frames in what the bundle shows of the freelancer's chain."""

    entries: Sequence[Entry]
    # Since when each statement of the case is in the log.
    indices: dict[Digest, int] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Collection[Entry]) -> "_Chain":
        ordered = sorted(entries, key=lambda one: one.index)
        told = [one for one in ordered if isinstance(one.record, Segment | Tombstone)]
        return cls(told, {one.digest: one.index for one in ordered})

    def hours(self, begin: int, end: int, before: Digest) -> _Hours:
        index = self.indices.get(before)
        told: list[tuple[Digest, ChainedRecord]] = [
            (one.digest, one.record)
            for one in self.entries
            if isinstance(one.record, Segment | Tombstone) and (index is None or one.index < index)
        ]
        begins = (record.begin for _, record in told if isinstance(record, Segment))
        over = index is not None or max(begins, default=0) >= end
        return _Hours(frames_between(told, begin, end), exact=index is not None, over=over)


def compare_frames(told: Sequence[Told], entries: Collection[Entry]) -> Compared:
    """Check every freeze and every request of a case, or raise `VerificationError`."""
    chain, compared = _Chain.of(entries), Compared()
    frozen: dict[Freeze, _Hours] = {}
    for number, (before, one) in enumerate(pairwise(told), 1):
        record = read_record(one.statement)
        try:
            if isinstance(record, DisputeAct) and record.act is Act.ASK and record.freeze:
                hours = chain.hours(record.begin or 0, record.end or 0, one.statement.digest)
                frozen[record.freeze] = _check_freeze(record, record.freeze, hours)
                compared.freezes += 1
                compared.unreached += not frozen[record.freeze].exact
            elif isinstance(record, DisputeRequest):
                compared.requests += 1
                reached = _check_request(before.case, record, frozen, chain, one.statement.digest)
                compared.unreached += not reached
        except VerificationError as error:
            raise VerificationError(f"statement {number}: {error}") from error
    return compared


def _check_freeze(ask: DisputeAct, freeze: Freeze, hours: _Hours) -> _Hours:
    """Check a freeze as far as the chain is shown; give back of which frames it is known to be."""
    shown = _counts(Stratum(one.holding, one.day, 1) for one in hours.frames)
    claimed = _counts(freeze.strata)
    # Of equal counts it is of these frames: what the chain has once it has for good.
    if hours.exact or shown == claimed:
        verify_freeze(freeze, hours.frames)
        return _Hours(hours.frames, exact=True, over=True)
    first, last = (ask.begin or 0) // DAY_MS, ((ask.end or 0) - 1) // DAY_MS
    for day in sorted({day for _, day in claimed.keys() | shown.keys()}):
        there, of_day = _of_day(shown, day), _of_day(claimed, day)
        gone = Holding.WITHDRAWN, day
        expected = f"{there}" if hours.over else f"at least {there}"
        if of_day < there or (hours.over and of_day > there) or claimed[gone] < shown[gone]:
            raise VerificationError(
                f"the freeze: expected {expected} frames on day {day}, {shown[gone]} or more of"
                f" them withdrawn, found {of_day} and {claimed[gone]}"
            )
        if of_day and not first <= day <= last:
            raise VerificationError(
                f"the freeze: expected days of its hours, {first} to {last}, found day {day}"
            )
    return hours


def _counts(strata: Iterable[Stratum]) -> Counter[tuple[Holding, int]]:
    found: Counter[tuple[Holding, int]] = Counter()
    for one in strata:
        found[one.holding, one.day] += one.count
    return found


def _of_day(counts: Counter[tuple[Holding, int]], day: int) -> int:
    return counts[Holding.KEPT, day] + counts[Holding.WITHDRAWN, day]


def _check_request(
    case: Case, request: DisputeRequest, frozen: dict[Freeze, _Hours], chain: _Chain, named: Digest
) -> bool:
    """Check what a request names; say whether the bundle shows enough to compare all of it."""
    if case.ask is None:
        return True
    hours = chain.hours(case.ask.begin, case.ask.end, named)
    if not LADDER[case.ask.level].sampled or case.sample is None:
        return not _strange(request, hours) or hours.exact
    whole = frozen[case.sample.freeze]
    if whole.exact:
        # Where the frozen ones are known, so is when their segments began.
        verify_named(case, request, whole.frames, hours.frames)
        return True
    for one in (whole, hours):
        _strange(request, one)
    return False


def _strange(request: DisputeRequest, hours: _Hours) -> bool:
    """Say whether a request names what these hours do not show; raise where they show all."""
    known = {(one.segment, one.frame) for one in hours.frames}
    strange = [one for one in request.frames if (one.segment, one.frame) not in known]
    if strange and hours.over:
        raise VerificationError(
            f"the request: expected frames of its hours, found {strange[0].frame}"
        )
    return bool(strange)
