"""Whether a statement of a dispute is admitted: a filing, and what follows it or asks for frames.

Rule: whether it may stand next in its case is asked last, of `caserules`.
"""

from workseal_protocol.dispute import CaseRecord
from workseal_protocol.records import (
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.caserules import next_in_case, open_case
from workseal_verifier.services.draft import Draft
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.speaking import add, speaking


def admit_filing(draft: Draft, candidate: Candidate, record: DisputeFiling, place: int) -> None:
    """Admit the filing of a case, or raise `RefusedError`."""
    state = speaking(draft, candidate, record.engagement, place)
    open_case(draft, state, candidate, record, place)
    add(draft, candidate, place)


def admit_dispute(draft: Draft, candidate: Candidate, record: CaseRecord, place: int) -> None:
    """Admit a later statement of a dispute, or raise `RefusedError`."""
    state = speaking(draft, candidate, record.engagement, place)
    match record:
        case DisputeRequest():
            _require_frames(state, record)
        case DisputeDisclosure():
            _require_answer(draft, state, record)
        case DisputeFinding():
            _require_first(draft, candidate, record)
        case DisputeAct():
            pass
    next_in_case(draft, state, candidate, record, place)
    add(draft, candidate, place)


def _require_frames(state: Engagement, record: DisputeRequest) -> None:
    past = state.past
    for asked in record.frames:
        found = past.frames.get(asked.frame)
        if found is None or found[1] != asked.segment:
            raise RefusedError(Reason.REFUSED, "the request names a frame that its segment has not")
        if asked.frame in past.withdrawn:
            raise RefusedError(Reason.REFUSED, "the request names a frame that was withdrawn")


def _require_answer(draft: Draft, state: Engagement, record: DisputeDisclosure) -> None:
    request = _request(draft, record)
    if request is None:
        raise RefusedError(Reason.REFUSED, "the disclosure answers no logged request")
    if request.place is not None and record.place is None:
        # Beside its case nobody would have the word about it, and whole frames no approval.
        raise RefusedError(Reason.REFUSED, "the request is part of a case: its answer is too")
    asked = {one.frame for one in request.frames}
    withdrawn = state.past.withdrawn
    for shown in record.frames:
        if shown.frame not in asked:
            raise RefusedError(Reason.REFUSED, "the disclosure shows a frame nobody asked for")
        if shown.frame in withdrawn:
            raise RefusedError(Reason.REFUSED, "the disclosure shows a frame that was withdrawn")


def _request(draft: Draft, record: DisputeDisclosure) -> DisputeRequest | None:
    """Return the logged request that a disclosure of the same engagement answers."""
    entry = draft.logged(record.request)
    if entry is None or (entry.kind, entry.engagement) != (
        DisputeRequest.KIND.value,
        record.engagement,
    ):
        return None
    found = read_record(Statement.parse(entry.body))
    return found if isinstance(found, DisputeRequest) else None


def _require_first(draft: Draft, candidate: Candidate, record: DisputeFinding) -> None:
    kind = candidate.statement.kind.value
    if draft.house.records.about(record.disclosure.raw, kind, record.engagement):
        raise RefusedError(Reason.CONFLICT, "the disclosure already has its finding")
