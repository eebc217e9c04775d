"""Whether a freeze is whole, and whether a request of a case names the frames that it may.

Rules: the chain that the log has in memory is what decides, so that no statement is read again
while everybody waits. A freeze is as of its own place in the log, and so are the frames that are
drawn from it: a tombstone that was logged since changes no place. Docs: docs/spec/sampling.md.
"""

from bisect import bisect_left

from workseal_protocol.chain import ChainReplay
from workseal_protocol.dispute import (
    LADDER,
    Case,
    FrozenFrame,
    ToldFrame,
    frames_of_hours,
    verify_freeze,
    verify_named,
)
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import (
    CHAINED,
    Act,
    ChainedRecord,
    DisputeAct,
    DisputeRequest,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store.records import RecordStore

_CHAINED = tuple(kind.value for kind in CHAINED)


def require_whole(act: DisputeAct, past: ChainReplay) -> None:
    """Refuse a freeze that is not of exactly the frames of its hours, as the log has them now."""
    if act.freeze is None:
        return
    frames = frames_in(past, act.begin or 0, act.end or 0, below=past.length)
    try:
        verify_freeze(act.freeze, frames)
    except VerificationError as error:
        raise RefusedError(Reason.REFUSED, str(error)) from error


def require_allowed(
    case: Case, request: DisputeRequest, past: ChainReplay, records: RecordStore, *, below: int
) -> None:
    """Refuse frames of other hours than were asked for, and where some were drawn all others."""
    if case.ask is None:
        return
    asked = frames_in(past, case.ask.begin, case.ask.end, below=past.length)
    sampled = LADDER[case.ask.level].sampled
    frames = _frozen(case, past, records, below) if sampled else ()
    try:
        verify_named(case, request, frames, asked)
    except VerificationError as error:
        raise RefusedError(Reason.REFUSED, str(error)) from error


def frames_in(past: ChainReplay, begin: int, end: int, *, below: int) -> tuple[FrozenFrame, ...]:
    """Return the frames of segments that begin in [begin, end), as the chain was before a seq."""
    spans = past.recorded
    # The memory has spans by their begin: only those of the hours are looked at.
    places = range(bisect_left(spans.begins, begin), bisect_left(spans.begins, end))
    begins = {spans.seqs[place]: spans.begins[place] for place in places}
    told = (
        ToldFrame(begins[seq], segment, frame)
        for frame, (seq, segment) in past.frames.items()
        if seq < below and seq in begins
    )
    withdrawn = {frame for frame, at in past.withdrawn.items() if at < below}
    return frames_of_hours(told, withdrawn, begin, end)


def _frozen(
    case: Case, past: ChainReplay, records: RecordStore, below: int
) -> tuple[FrozenFrame, ...]:
    """Return the frames that the sample of a case was frozen from."""
    for position, body in records.cases.statements(case.case, below=below):
        record = read_record(Statement.parse(body))
        if isinstance(record, DisputeAct) and record.act is Act.ASK and _is_of(record, case):
            newest = records.newest_of(case.filing.engagement, _CHAINED, below=position)
            told = None if newest is None else read_record(Statement.parse(newest.body))
            seq = told.seq + 1 if isinstance(told, ChainedRecord) else 0
            return frames_in(past, record.begin or 0, record.end or 0, below=seq)
    return ()


def _is_of(record: DisputeAct, case: Case) -> bool:
    return case.sample is not None and record.freeze == case.sample.freeze
