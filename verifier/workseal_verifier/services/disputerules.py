"""Whether a statement of a dispute is admitted: a filing, and what follows it or asks for frames.

Rule: whether it may stand next in its case is asked last, of `caserules`.
"""

from typing import TypeVar

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CaseRecord
from workseal_protocol.keys import Role
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
from workseal_verifier.services.caserules import next_in_case, open_case, require_no_case
from workseal_verifier.services.draft import Draft
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.speaking import add, speaking

_Asked = TypeVar("_Asked", DisputeRequest, DisputeDisclosure)


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
            if record.place is None:
                require_no_case(draft, state)
        case DisputeDisclosure():
            _require_answer(draft, state, record)
        case DisputeFinding():
            _require_finding(draft, state, candidate, record, place)
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
    return _logged_as(draft, record.request, DisputeRequest, record.engagement)


def _logged_as(
    draft: Draft, digest: Digest, kind: type[_Asked], engagement: bytes
) -> _Asked | None:
    entry = draft.logged(digest)
    if entry is None or (entry.kind, entry.engagement) != (kind.KIND.value, engagement):
        return None
    found = read_record(Statement.parse(entry.body))
    return found if isinstance(found, kind) else None


def _require_finding(
    draft: Draft, state: Engagement, candidate: Candidate, record: DisputeFinding, place: int
) -> None:
    """Require the first finding of its maker; an arbitrator's is about a logged answer to them."""
    issuer, makers = candidate.statement.issuer, draft.makers_of(candidate, record.disclosure)
    arbitrators = _arbitrators(state)
    if issuer not in arbitrators:
        # Nobody's word keeps the operator's check out of the log.
        if any(maker not in arbitrators for maker in makers):
            raise RefusedError(Reason.CONFLICT, "the disclosure already has its finding")
        return
    if issuer in makers:
        raise RefusedError(Reason.CONFLICT, "the disclosure already has its finding by this key")
    _require_about_answer(draft, state, issuer, record, place)


def _require_about_answer(
    draft: Draft, state: Engagement, issuer: Digest, record: DisputeFinding, place: int
) -> None:
    answer = _logged_as(draft, record.disclosure, DisputeDisclosure, record.engagement)
    if answer is None:
        raise RefusedError(Reason.REFUSED, "the finding is about no logged disclosure")
    if {one.disclosure for one in record.findings} != {one.disclosure for one in answer.frames}:
        raise RefusedError(Reason.REFUSED, "the finding is not about what was disclosed")
    if answer.place is not None:
        # Its case says who sits, and may say it.
        if record.place is None:
            raise RefusedError(Reason.REFUSED, "the disclosure is part of a case: its finding is")
        return
    entry = draft.logged(answer.request)
    asker = None if entry is None else Statement.parse(entry.body).issuer
    if issuer != asker and (asker is None or state.keys.roles_of(asker, place)):
        raise RefusedError(Reason.REFUSED, "the finding is not by the arbitrator who asked")


def _arbitrators(state: Engagement) -> frozenset[Digest]:
    """Return the keys that ever spoke as an arbitrator of the engagement."""
    lives = state.keys.lives.items()
    return frozenset(key for key, life in lives if Role.ARBITRATOR in life.roles)
