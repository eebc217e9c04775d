"""The rules of admission, one function for each family of statements.

Order in each: who may speak (403), does it contradict what is logged (409), does it hold (422).
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TypeAlias, TypeVar

from workseal_protocol.chain import ChainError, advance
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import AHEAD_MS, CaseRecord
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.errors import VerificationError
from workseal_protocol.keyhistory import MAKERS, KeyHistory
from workseal_protocol.keys import PublicKey, Role
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    CHAINED,
    Acceptance,
    BeaconCommitment,
    BundleManifest,
    ChainedRecord,
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    KeyAnnounce,
    KeyRecord,
    KeyRevoke,
    KeyRotate,
    LogPolicy,
    Offer,
    Possession,
    Segment,
    Timesheet,
    TimesheetAnswer,
    read_record,
)
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.window import ONLINE_MS
from workseal_verifier.errors import ForkError, Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.caserules import next_in_case, open_case
from workseal_verifier.services.columns import about_of, beacon_row, entry_with, party_rows, span_of
from workseal_verifier.services.draft import Draft, unknown_party
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.keyfold import KeyEvent

# So many keys of one person are known: whoever looks for the person looks for each of them.
MAX_SUCCESSION = 64
# A little early is told to come back; far ahead is a false claim.
SOON_MS = 600_000

# Nothing is compared with when these say that they were made: a recording machine whose clock is
# wrong must not lose what it recorded by the verifier's.
_CLAIMS_ALONE = (ChainedRecord, DisputeDisclosure, BundleManifest)

_OperatorRecord: TypeAlias = LogPolicy | BeaconCommitment
_Asked = TypeVar("_Asked", DisputeRequest, DisputeDisclosure)


def admit_one(draft: Draft, candidate: Candidate, place: int) -> None:
    """Admit one statement at a place in the log, or raise `RefusedError`."""
    if isinstance(candidate.record, Segment):
        # First, for nearly every statement is one.
        _admit_chained(draft, candidate, candidate.record, place)
    else:
        _admit_other(draft, candidate, place)


def _admit_other(draft: Draft, candidate: Candidate, place: int) -> None:
    if not isinstance(candidate.record, _CLAIMS_ALONE):
        # A claim from the future would stand above every later statement that must follow it.
        _require_past(draft, candidate.record.claimed_at, "the claimed time has not come")
    match candidate.record:
        case Offer() as record:
            _admit_offer(draft, candidate, record, place)
        case Acceptance() as record:
            _admit_acceptance(draft, candidate, record, place)
        case KeyAnnounce() | KeyRotate() | KeyRevoke() as record:
            _admit_key(draft, candidate, record, place)
        case LogPolicy() | BeaconCommitment() as record:
            _admit_operator(draft, candidate, record, place)
        case DisputeFiling() as record:
            _admit_filing(draft, candidate, record, place)
        case DisputeAct() | DisputeRequest() | DisputeDisclosure() | DisputeFinding() as record:
            _admit_dispute(draft, candidate, record, place)
        case Timesheet() | TimesheetAnswer() | Possession() as record:
            _admit_beside(draft, candidate, record, place)
        case BundleManifest():
            raise RefusedError(Reason.REFUSED, "a bundle manifest is not a statement for the log")
        case record:
            _admit_chained(draft, candidate, record, place)


# --- agreement --------------------------------------------------------------------


def _admit_offer(draft: Draft, candidate: Candidate, record: Offer, place: int) -> None:
    house, terms = draft.house, record.terms
    # First, so that whose key may offer here is told to nobody but who has it.
    _require_signature(draft.events.history(terms), candidate, place)
    if not house.may_offer(terms.client):
        raise RefusedError(Reason.UNKNOWN_PARTY, "this server takes offers from its own clients")
    if draft.find(record.engagement) is not None:
        raise RefusedError(Reason.CONFLICT, "another offer has this engagement")
    if terms.log_policy != house.policy_text:
        raise RefusedError(Reason.REFUSED, "the terms name another log policy than this log's")
    if terms.operator != house.identity.operator.public_key:
        raise RefusedError(Reason.REFUSED, "the terms name another operator")
    if terms.round_ms not in house.beacon.periods_ms:
        periods = ", ".join(map(str, house.beacon.periods_ms))
        raise RefusedError(Reason.REFUSED, f"this log has rounds of {periods} ms")
    draft.put(Engagement.start(record, candidate.digest, draft.events))
    draft.parties += party_rows(record)
    _add(draft, candidate, place)


def _admit_acceptance(draft: Draft, candidate: Candidate, record: Acceptance, place: int) -> None:
    state = _speaking(draft, candidate, record.engagement, place)
    if state.acceptance is not None:
        raise RefusedError(Reason.CONFLICT, "the offer is already accepted")
    if record.offer != state.offer or record.terms != state.terms:
        raise RefusedError(Reason.REFUSED, "the acceptance is not of the logged offer")
    draft.put(state.accepted(candidate.digest, record, place))
    _add(draft, candidate, place)


# --- work -------------------------------------------------------------------------


def _admit_chained(draft: Draft, candidate: Candidate, record: ChainedRecord, place: int) -> None:
    state = _speaking(draft, candidate, record.engagement, place)
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
        _require_past(draft, span.end_ms, "the work is not over")
        draft.claim(span)
    draft.put(state.moved(moved))
    draft.add(entry_with(candidate.statement, record, place, span))


def _check_segment(draft: Draft, state: Engagement, record: Segment, anchored_at: int) -> None:
    round_ms = state.terms.round_ms
    start = round_start(record.round, round_ms)
    _require_past(draft, start, "the round has not begun")
    value = record.verifier_value
    if value is not None and not draft.house.beacon.is_committed(round_ms, record.round, value):
        raise RefusedError(Reason.REFUSED, "the verifier value is not the committed one")
    # The newest anchor bounds all of the chain so far: neither anchors nor rounds ever go back.
    if anchored_at > start + round_ms + ONLINE_MS:
        raise RefusedError(
            Reason.REFUSED, f"round {record.round} is told of long after it, as if it were new"
        )


def _require_past(draft: Draft, instant: int, what: str) -> None:
    wait = instant - AHEAD_MS - draft.house.clock.now_ms()
    if wait > SOON_MS:
        raise RefusedError(Reason.REFUSED, what)
    if wait > 0:
        # A sender whose clock is a little ahead: the same bytes will do in a moment.
        raise RefusedError(
            Reason.BUSY, f"{what} by this server's clock", retry_after=1 + wait // 1000
        )


# --- keys -------------------------------------------------------------------------


def _admit_key(draft: Draft, candidate: Candidate, record: KeyRecord, place: int) -> None:
    match record:
        case KeyRotate():
            target = record.old
        case KeyAnnounce():
            target = record.public_key.thumbprint
        case KeyRevoke():
            target = record.key
    _require_known_signer(draft, candidate)
    if isinstance(record, KeyAnnounce):
        if candidate.statement.issuer != target:
            raise _without_force(draft, candidate)
        if draft.events.announced(target) is not None:
            raise RefusedError(Reason.CONFLICT, "the key was announced before")
    _require_force(draft, candidate, record, place, target)
    if isinstance(record, KeyRotate):
        _require_path(draft, record)
    draft.add_event(KeyEvent(place, candidate.statement, record))
    _add(draft, candidate, place)


def _require_known_signer(draft: Draft, candidate: Candidate) -> None:
    """Refuse what its issuer did not sign as if nobody here knew the issuer."""
    signed, statement = candidate.signed, candidate.statement
    if signed is None:
        # Intake knows the keys of terms and those that came by rotation, if they are stored.
        key = draft.events.announced(statement.issuer)
        if key is None:
            signed = draft.may_be_fresh(statement.issuer)
        else:
            signed = _is_signed_by(statement, key)
    if not signed:
        raise unknown_party()


def _is_signed_by(statement: Statement, key: PublicKey) -> bool:
    try:
        statement.verify_signature(key)
    except VerificationError:
        return False
    return True


def _without_force(draft: Draft, candidate: Candidate) -> RefusedError:
    """Make the refusal of who may say nothing about a key; it tells nothing about the key."""
    if not draft.engagements_of(draft.events.lineage(candidate.statement.issuer)):
        return unknown_party()
    return RefusedError(
        Reason.REFUSED,
        "the key statement does not hold: its signer is neither the key nor, for a revocation,"
        " its recovery key or an arbitrator of its engagements",
    )


def _require_path(draft: Draft, record: KeyRotate) -> None:
    """Require that one person's keys stay one path, and few: many questions look at all of them."""
    events, old, new = draft.events, record.old, record.public_key.thumbprint
    if len(events.lineage(old) | events.lineage(new)) > MAX_SUCCESSION:
        raise RefusedError(Reason.REFUSED, f"a key is rotated at most {MAX_SUCCESSION - 1} times")
    if events.has_gone(old):
        raise _does_not_hold("its key was rotated or revoked before")
    if events.has_ended(new):
        raise _does_not_hold("a rotation leads to a key that has ended")
    if events.came(new) is not None:
        raise _does_not_hold("a rotation leads to a key that came by another rotation")
    named, own = events.recoveries(old), events.recoveries(new)
    if named and not {*own} <= {*named}:
        # Of the two the one would lose its power, and which one must not depend on the terms.
        raise _does_not_hold("the two keys named different recovery keys")


def _require_force(
    draft: Draft, candidate: Candidate, record: KeyRecord, place: int, target: Digest
) -> None:
    """Require that the statement has force by itself, or else in one engagement of the key."""
    problem = None
    for history in _histories(draft, candidate, record, target):
        try:
            history.advance(place, candidate.statement, record)
        except VerificationError as error:
            # The first one: what comes by itself tells nothing of any terms.
            problem = problem or str(error)
        else:
            return
    raise _without_force(draft, candidate) if problem is None else _does_not_hold(problem)


def _does_not_hold(problem: str) -> RefusedError:
    return RefusedError(Reason.REFUSED, f"the key statement does not hold: {problem}")


def _histories(
    draft: Draft, candidate: Candidate, record: KeyRecord, target: Digest
) -> Iterator[KeyHistory]:
    """Give those in which a statement may have force by who says it, the cheapest one first."""
    events, signer = draft.events, candidate.statement.issuer
    own = signer == target or signer in events.recoveries(target)
    origin = _origin(draft, record, target, own=own)
    if origin is not None:
        # Which role plays no part.
        yield events.history_of({Role.OPERATOR: (origin,)})
    if own:
        named = draft.engagements_of(events.lineage(target))
    elif isinstance(record, KeyRevoke):
        # Of somebody else's key an arbitrator alone may say something, and only that it has ended.
        named = draft.cases_of(events.lineage(signer), events.lineage(target))
    else:
        named = []
    if not named and isinstance(record, KeyAnnounce):
        # A key that stands in no terms is perhaps the recovery key of a party.
        named = draft.engagements_of(events.vouching(target))
    yield from map(draft.history_in, named)


def _origin(draft: Draft, record: KeyRecord, target: Digest, *, own: bool) -> PublicKey | None:
    """Find the key from which one has its life here whatever terms name it (docs/adr/0023)."""
    operator = draft.house.identity.operator.public_key
    if operator.thumbprint in draft.events.path(target):
        # A log without engagements has an operator too.
        return operator
    if not own:
        return None
    if (origin := draft.events.origin(target)) is not None:
        return origin
    if isinstance(record, KeyAnnounce) and draft.house.may_come(record.public_key):
        return record.public_key
    return None


# --- the operator ------------------------------------------------------------------


def _admit_operator(
    draft: Draft, candidate: Candidate, record: _OperatorRecord, place: int
) -> None:
    history = KeyHistory.start({Role.OPERATOR: (draft.house.identity.operator.public_key,)})
    _require_signature(history, candidate, place)
    # Several processes look after the log's own statements: one of them is first.
    if isinstance(record, BeaconCommitment):
        _require_free_rounds(draft, record)
        draft.beacons.append(beacon_row(record, candidate.digest, place))
    elif _is_logged(draft, record):
        raise RefusedError(Reason.CONFLICT, "the policy is logged already")
    _add(draft, candidate, place)


def _require_free_rounds(draft: Draft, record: BeaconCommitment) -> None:
    last = record.first_round + record.count - 1
    # It is this process's turn: what others committed to is stored by now.
    draft.house.beacon.refresh()
    rows = draft.house.beacon.covering(record.period_ms, record.first_round, last)
    fresh = (*draft.waiting_beacons, *draft.beacons)
    if rows or any(
        row.period_ms == record.period_ms
        and row.first_round <= last
        and record.first_round < row.first_round + row.count
        for row in fresh
    ):
        raise RefusedError(Reason.CONFLICT, "some of these rounds have their values committed")


def _is_logged(draft: Draft, record: LogPolicy) -> bool:
    logged = draft.house.records.of_kinds([LogPolicy.KIND.value], below=MAX_INTEGER)
    return any(
        replace(found, claimed_at=record.claimed_at) == record
        for entry in logged
        if isinstance(found := read_record(Statement.parse(entry.body)), LogPolicy)
    )


# --- beside the chain --------------------------------------------------------------


def _admit_beside(
    draft: Draft, candidate: Candidate, record: Timesheet | TimesheetAnswer | Possession, place: int
) -> None:
    if isinstance(record, Possession):
        _admit_possession(draft, candidate, record, place)
    else:
        _admit_hours(draft, candidate, record, place)


# --- hours -------------------------------------------------------------------------


def _admit_hours(
    draft: Draft, candidate: Candidate, record: Timesheet | TimesheetAnswer, place: int
) -> None:
    _speaking(draft, candidate, record.engagement, place)
    if isinstance(record, Timesheet):
        _require_counted(draft, record)
    elif not _stands(draft, record.timesheet, record.engagement, {Timesheet.KIND}):
        raise RefusedError(Reason.REFUSED, "the answer is to a timesheet that is not logged")
    _add(draft, candidate, place)


def _require_counted(draft: Draft, record: Timesheet) -> None:
    if not _stands(draft, record.head, record.engagement, CHAINED):
        raise RefusedError(
            Reason.REFUSED, "the timesheet counts up to a statement that is not in the chain here"
        )
    if record.replaces is not None and not _stands(
        draft, record.replaces, record.engagement, {Timesheet.KIND}
    ):
        raise RefusedError(Reason.REFUSED, "the timesheet replaces one that is not logged")


def _stands(draft: Draft, digest: Digest, engagement: bytes, kinds: Collection[Kind]) -> bool:
    """Tell whether a statement of these kinds and this engagement is in the log."""
    entry = draft.logged(digest)
    return entry is not None and entry.engagement == engagement and entry.kind in kinds


# --- frames that are still held ------------------------------------------------------


def _admit_possession(draft: Draft, candidate: Candidate, record: Possession, place: int) -> None:
    """Admit the next statement of possession; what it draws and shows, its readers fold."""
    state = _speaking(draft, candidate, record.engagement, place)
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
    _require_past(draft, round_start(record.round, round_ms), "the round has not begun")
    if not draft.house.beacon.is_committed(round_ms, record.round, record.value):
        raise RefusedError(Reason.REFUSED, "the value is not the committed one")
    _add(draft, candidate, place)


# --- disputes ---------------------------------------------------------------------


def _admit_filing(draft: Draft, candidate: Candidate, record: DisputeFiling, place: int) -> None:
    state = _speaking(draft, candidate, record.engagement, place)
    open_case(draft, state, candidate, record, place)
    _add(draft, candidate, place)


def _admit_dispute(draft: Draft, candidate: Candidate, record: CaseRecord, place: int) -> None:
    state = _speaking(draft, candidate, record.engagement, place)
    match record:
        case DisputeRequest():
            _require_frames(state, record)
        case DisputeDisclosure():
            _require_answer(draft, state, record)
        case DisputeFinding():
            _require_finding(draft, state, candidate, record, place)
        case DisputeAct():
            pass
    next_in_case(draft, state, candidate, record, place)
    _add(draft, candidate, place)


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


# --- shared ------------------------------------------------------------------------


def _speaking(draft: Draft, candidate: Candidate, identifier: bytes, place: int) -> Engagement:
    """Return the engagement if the issuer may make this kind in it now, and signed it."""
    if not draft.may_speak(identifier, candidate.statement.issuer):
        raise unknown_party()
    state = draft.get(identifier)
    _require_signature(state.keys, candidate, place)
    return state


def _require_signature(history: KeyHistory, candidate: Candidate, place: int) -> None:
    statement = candidate.statement
    if not history.roles_of(statement.issuer, place) & MAKERS[statement.kind]:
        raise unknown_party()
    if candidate.signed:
        return
    if candidate.signed is False:
        raise RefusedError(Reason.REFUSED, "the signature does not hold")
    try:
        statement.verify_signature(history.valid_key(statement.issuer, place))
    except VerificationError as error:
        raise RefusedError(Reason.REFUSED, str(error)) from error


def _add(draft: Draft, candidate: Candidate, place: int) -> None:
    draft.add(entry_with(candidate.statement, candidate.record, place, None))
