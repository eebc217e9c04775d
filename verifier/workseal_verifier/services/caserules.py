"""Whether a statement may stand next in its case, beside what the table of `dispute` says.

Rules: the fold decides, and nothing here decides a second way. A party may have one case at a time
that it filed, so that nobody is buried in them, and few in all; what one party files takes nothing
from the other. What was signed too long ago is refused, for its instant would be false; it costs a
signature, and no evidence.
"""

from collections.abc import Iterable
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    Case,
    CaseError,
    CaseRecord,
    Rule,
    Span,
    State,
    Wanted,
    back_ms,
)
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    DisputeAct,
    DisputeFiling,
    DisputeRequest,
    read_record,
)
from workseal_protocol.sealing import require_public
from workseal_protocol.statement import Statement
from workseal_verifier.errors import ForkError, Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.casedues import require_countable, require_counted, require_zone
from workseal_verifier.services.casefold import (
    ENDED,
    after,
    begun,
    case_row,
    filer_of,
    knowing,
)
from workseal_verifier.services.casefreeze import require_allowed, require_whole
from workseal_verifier.services.draft import Draft
from workseal_verifier.services.engagement import Engagement

# That one party files in one engagement, those that have ended among them.
MAX_FILED: Final = 32


def open_case(
    draft: Draft, state: Engagement, candidate: Candidate, record: DisputeFiling, place: int
) -> None:
    """Begin a case with a filing, or raise `RefusedError`."""
    if state.acceptance is None:
        raise RefusedError(Reason.REFUSED, "the terms are not accepted yet")
    _require_recent(draft, record.claimed_at, back_ms(record))
    try:
        case = begun(candidate.statement, draft.grounds(state))
    except CaseError as error:
        raise RefusedError(Reason.REFUSED, str(error)) from error
    require_zone(record.due)
    own = [one for one in draft.cases_in(state) if _filer(draft, state, one) is case.filer]
    if len(own) >= MAX_FILED:
        raise RefusedError(
            Reason.REFUSED, f"a party files at most {MAX_FILED} cases in an engagement"
        )
    if any(_is_running(draft, one) for one in own):
        raise RefusedError(
            Reason.REFUSED, "a case of the same party runs in this engagement: it ends first"
        )
    _require_fresh_hours(draft, own, record)
    require_countable(record.calendar, case.filer, record.claimed_at)
    notice = Wanted(Span(case.since, record.due.days), frozenset({case.respondent}))
    require_counted(case, notice, record.due)
    draft.put_case(case, case_row(case, place))


def _require_fresh_hours(draft: Draft, own: Iterable[Digest], record: DisputeFiling) -> None:
    """Refuse to draw again by filing again: docs/adr/0101."""
    for filing in own:
        entry = draft.logged(filing)
        earlier = None if entry is None else read_record(Statement.parse(entry.body))
        if not isinstance(earlier, DisputeFiling) or not earlier.overlaps(record):
            continue
        if _bars(draft, filing):
            raise RefusedError(
                Reason.REFUSED,
                f"the filing: expected hours of no case that the same party withdrew after a draw,"
                f" found those of case {filing}",
            )


def _bars(draft: Draft, filing: Digest) -> bool:
    fresh = draft.fresh_case(filing)
    if fresh is not None:
        return fresh.bars_filer
    # From the states alone: who may file must not have the log fold what has long ended.
    rows = draft.house.records.cases.steps(filing, below=MAX_INTEGER)
    return {State.DRAW.value, State.WITHDRAWN.value} <= {row.state for row in rows}


def next_in_case(
    draft: Draft, state: Engagement, candidate: Candidate, record: CaseRecord, place: int
) -> None:
    """Let a statement move its case on, or raise `RefusedError`."""
    if record.place is None:
        return
    _require_recent(draft, record.claimed_at, back_ms(record))
    case = draft.case(record.place.case, state)
    if case is None:
        raise RefusedError(Reason.REFUSED, "the engagement has no case of this name")
    try:
        moved = after(case, candidate.statement, draft.events.path)
    except CaseError as error:
        if error.rule is Rule.LINK and record.place.prev in case.statements:
            raise _taken(draft, case, candidate.statement, record.place.prev) from error
        raise RefusedError(Reason.REFUSED, str(error)) from error
    require_zone(record.place.due)
    if isinstance(record, DisputeAct):
        by = moved.statements[candidate.statement.digest]
        require_countable(record.calendar, by, record.claimed_at)
    _require_sealable(record)
    if record.place.due is not None:
        at = max(record.claimed_at, case.known_at)
        known = knowing(case, candidate.statement.issuer, draft.events.path)
        wanted = known.wanted(record, candidate.statement.issuer, at)
        require_counted(moved, wanted, record.place.due)
    match record:
        case DisputeAct():
            require_whole(record, state.past)
        case DisputeRequest():
            require_allowed(case, record, state.past, draft.house.records, below=place)
        case _:
            pass
    draft.put_case(moved, case_row(moved, place))


def require_no_case(draft: Draft, state: Engagement) -> None:
    """Refuse a request beside a case that runs: it would have no ruling, no sample and no level."""
    running = [one for one in draft.cases_in(state) if _is_running(draft, one)]
    if running:
        raise RefusedError(
            Reason.REFUSED,
            f"the request: a case runs in this engagement, {running[0]}: ask in it",
        )


def _require_sealable(record: CaseRecord) -> None:
    """Refuse a key that nothing can be sealed to: an answer could not be sent."""
    if not isinstance(record, DisputeAct | DisputeRequest):
        return
    if record.sealing_key is None:
        return
    try:
        require_public(record.sealing_key)
    except MalformedError as error:
        raise RefusedError(Reason.REFUSED, f"the sealing key: {error}") from error


def _require_recent(draft: Draft, claimed_at: int, back_ms: int) -> None:
    late = draft.house.clock.now_ms() - claimed_at - back_ms
    if late > 0:
        raise RefusedError(
            Reason.REFUSED,
            f"the statement was signed more than {back_ms // 1000} seconds ago by this server's"
            " clock, which /v1/operator tells: sign it anew",
        )


def _filer(draft: Draft, state: Engagement, filing: Digest) -> Role | None:
    # From the filing alone: who may file must not have the log fold what has long ended.
    entry = draft.logged(filing)
    if entry is None:
        return None
    return filer_of(Statement.parse(entry.body), state.terms, draft.events.path)


def _is_running(draft: Draft, filing: Digest) -> bool:
    fresh = draft.fresh_case(filing)
    if fresh is not None:
        return fresh.state not in ENDED
    last = draft.house.records.cases.last(filing, below=MAX_INTEGER)
    return last is not None and last.state not in ENDED


def _taken(draft: Draft, case: Case, statement: Statement, prev: Digest) -> RefusedError:
    """Refuse what follows a statement that another one follows, and hold what one key signed."""
    told = list(case.statements)
    number = told.index(prev) + 1
    entry = draft.logged(told[number])
    what = f"statement {number} of the case is another one: read it, and sign on the newest"
    if entry is None or Statement.parse(entry.body).issuer != statement.issuer:
        return RefusedError(Reason.CONFLICT, what)
    return ForkError(case.filing.engagement, number, statement.encode(), what)
