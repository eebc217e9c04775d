"""Whether a statement about work is admitted: those of the chain, hours, and frames still held.

Rule: a statement that it names is in the log already, and of the same engagement.
"""

from collections.abc import Collection

from workseal_protocol.chain import ChainError, advance
from workseal_protocol.digest import Digest
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    CHAINED,
    ChainedRecord,
    Possession,
    Segment,
    Timesheet,
    TimesheetAnswer,
)
from workseal_protocol.statement import Kind
from workseal_protocol.window import ONLINE_MS
from workseal_verifier.errors import ForkError, Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.columns import about_of, entry_with, span_of
from workseal_verifier.services.draft import Draft
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.sheetnotices import sheet_notices
from workseal_verifier.services.speaking import add, require_past, speaking

# --- the chain ---------------------------------------------------------------------


def admit_chained(draft: Draft, candidate: Candidate, record: ChainedRecord, place: int) -> None:
    """Admit the next statement of a chain, or raise `RefusedError`."""
    state = speaking(draft, candidate, record.engagement, place)
    chain = state.chain
    if chain is None:
        raise RefusedError(Reason.REFUSED, "the terms are not accepted yet")
    if record.seq < chain.next_seq:
        raise ForkError(record.engagement, record.seq, candidate.statement.encode())
    try:
        moved = advance(chain, candidate.statement, record)
    except ChainError as error:
        raise RefusedError(Reason.REFUSED, str(error)) from error
    anchored_at = draft.house.anchors.signed_at_ms(record.anchor)
    if isinstance(record, Segment):
        _check_segment(draft, state, record, anchored_at)
    span = span_of(record, state.terms.freelancer.thumbprint)
    if span is not None:
        require_past(draft, span.end_ms, "the work is not over")
        draft.claim(span)
    draft.put(state.moved(moved))
    draft.add(entry_with(candidate.statement, record, place, span))


def _check_segment(draft: Draft, state: Engagement, record: Segment, anchored_at: int) -> None:
    round_ms = state.terms.round_ms
    start = round_start(record.round, round_ms)
    require_past(draft, start, "the round has not begun")
    value = record.verifier_value
    if value is not None and not draft.house.beacon.is_committed(round_ms, record.round, value):
        raise RefusedError(Reason.REFUSED, "the verifier value is not the committed one")
    # The newest anchor bounds all of the chain so far: neither anchors nor rounds ever go back.
    if anchored_at > start + round_ms + ONLINE_MS:
        raise RefusedError(
            Reason.REFUSED, f"round {record.round} is told of long after it, as if it were new"
        )


# --- beside the chain --------------------------------------------------------------


def admit_beside(
    draft: Draft, candidate: Candidate, record: Timesheet | TimesheetAnswer | Possession, place: int
) -> None:
    """Admit what the parties say about work beside its chain, or raise `RefusedError`."""
    if isinstance(record, Possession):
        _admit_possession(draft, candidate, record, place)
    else:
        _admit_hours(draft, candidate, record, place)


def _admit_hours(
    draft: Draft, candidate: Candidate, record: Timesheet | TimesheetAnswer, place: int
) -> None:
    state = speaking(draft, candidate, record.engagement, place)
    if isinstance(record, Timesheet):
        _require_counted(draft, record)
    elif not _stands(draft, record.timesheet, record.engagement, {Timesheet.KIND}):
        raise RefusedError(Reason.REFUSED, "the answer is to a timesheet that is not logged")
    add(draft, candidate, place)
    draft.notices += sheet_notices(record, state.terms, place, draft.house.clock.now_ms())


def _require_counted(draft: Draft, record: Timesheet) -> None:
    if not _stands(draft, record.head, record.engagement, CHAINED):
        raise RefusedError(
            Reason.REFUSED, "the timesheet counts up to a statement that is not in the chain here"
        )
    if record.replaces is not None and not _stands(
        draft, record.replaces, record.engagement, {Timesheet.KIND}
    ):
        raise RefusedError(Reason.REFUSED, "the timesheet replaces one that is not logged")


def _admit_possession(draft: Draft, candidate: Candidate, record: Possession, place: int) -> None:
    """Admit the next statement of possession; what it draws and shows, its readers fold."""
    state = speaking(draft, candidate, record.engagement, place)
    before = record.before
    if before is not None and not _stands(draft, before, record.engagement, {Possession.KIND}):
        raise RefusedError(Reason.REFUSED, "it follows a statement of possession that is not here")
    if draft.has_about(candidate.statement.kind, about_of(record), record.engagement):
        raise RefusedError(Reason.CONFLICT, "another statement of possession has this place")
    if not _stands(draft, record.head, record.engagement, CHAINED):
        raise RefusedError(
            Reason.REFUSED, "it speaks up to a statement that is not in the chain here"
        )
    round_ms = state.terms.round_ms
    require_past(draft, round_start(record.round, round_ms), "the round has not begun")
    if not draft.house.beacon.is_committed(round_ms, record.round, record.value):
        raise RefusedError(Reason.REFUSED, "the value is not the committed one")
    add(draft, candidate, place)


def _stands(draft: Draft, digest: Digest, engagement: bytes, kinds: Collection[Kind]) -> bool:
    """Tell whether a statement of these kinds and this engagement is in the log."""
    entry = draft.logged(digest)
    return entry is not None and entry.engagement == engagement and entry.kind in kinds
