"""The rules of admission: which of them a statement meets, and those of agreement and operator.

The other families have modules of their own: `workrules`, `keyrules` and `disputerules`. Order in
each: who may speak (403), does it contradict what is logged (409), does it hold (422).
"""

from dataclasses import replace
from typing import TypeAlias

from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.keys import Role
from workseal_protocol.records import (
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
    KeyRevoke,
    KeyRotate,
    LogPolicy,
    Offer,
    Possession,
    Record,
    Segment,
    Timesheet,
    TimesheetAnswer,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.columns import beacon_row, party_rows
from workseal_verifier.services.disputerules import admit_dispute, admit_filing
from workseal_verifier.services.draft import Draft
from workseal_verifier.services.engagement import Engagement
from workseal_verifier.services.keyrules import admit_key
from workseal_verifier.services.speaking import add, require_past, require_signature, speaking
from workseal_verifier.services.workrules import admit_beside, admit_chained

# Nothing is compared with when these say that they were made: a recording machine whose clock is
# wrong must not lose what it recorded by the verifier's.
_CLAIMS_ALONE = (ChainedRecord, BundleManifest)

_OperatorRecord: TypeAlias = LogPolicy | BeaconCommitment


def admit_one(draft: Draft, candidate: Candidate, place: int) -> None:
    """Admit one statement at a place in the log, or raise `RefusedError`."""
    if isinstance(candidate.record, Segment):
        # First, for nearly every statement is one.
        admit_chained(draft, candidate, candidate.record, place)
    else:
        _admit_other(draft, candidate, place)


def _admit_other(draft: Draft, candidate: Candidate, place: int) -> None:
    if not _claims_alone(candidate.record):
        # A claim from the future would stand above every later statement that must follow it.
        require_past(draft, candidate.record.claimed_at, "the claimed time has not come")
    match candidate.record:
        case Offer() as record:
            _admit_offer(draft, candidate, record, place)
        case Acceptance() as record:
            _admit_acceptance(draft, candidate, record, place)
        case KeyAnnounce() | KeyRotate() | KeyRevoke() as record:
            admit_key(draft, candidate, record, place)
        case LogPolicy() | BeaconCommitment() as record:
            _admit_operator(draft, candidate, record, place)
        case DisputeFiling() as record:
            admit_filing(draft, candidate, record, place)
        case DisputeAct() | DisputeRequest() | DisputeDisclosure() | DisputeFinding() as record:
            admit_dispute(draft, candidate, record, place)
        case Timesheet() | TimesheetAnswer() | Possession() as record:
            admit_beside(draft, candidate, record, place)
        case BundleManifest():
            raise RefusedError(Reason.REFUSED, "a bundle manifest is not a statement for the log")
        case record:
            admit_chained(draft, candidate, record, place)


def _claims_alone(record: Record) -> bool:
    if isinstance(record, DisputeDisclosure):
        # By that of a case its next deadline is counted, and nobody may act before it.
        return record.place is None
    return isinstance(record, _CLAIMS_ALONE)


# --- agreement --------------------------------------------------------------------


def _admit_offer(draft: Draft, candidate: Candidate, record: Offer, place: int) -> None:
    house, terms = draft.house, record.terms
    # First, so that whose key may offer here is told to nobody but who has it.
    require_signature(draft.events.history(terms), candidate, place)
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
    draft.parties += party_rows(record, place)
    add(draft, candidate, place)


def _admit_acceptance(draft: Draft, candidate: Candidate, record: Acceptance, place: int) -> None:
    state = speaking(draft, candidate, record.engagement, place)
    if state.acceptance is not None:
        raise RefusedError(Reason.CONFLICT, "the offer is already accepted")
    if record.offer != state.offer or record.terms != state.terms:
        raise RefusedError(Reason.REFUSED, "the acceptance is not of the logged offer")
    draft.put(state.accepted(candidate.digest, record, place))
    add(draft, candidate, place)


# --- the operator ------------------------------------------------------------------


def _admit_operator(
    draft: Draft, candidate: Candidate, record: _OperatorRecord, place: int
) -> None:
    # By now it may be another one: then nobody who reads the log takes what this process signs.
    own = {Role.OPERATOR: (draft.house.identity.operator.public_key,)}
    require_signature(draft.events.history_of(own), candidate, place)
    # Several processes look after the log's own statements: one of them is first.
    if isinstance(record, BeaconCommitment):
        _require_free_rounds(draft, record)
        draft.beacons.append(beacon_row(record, candidate.digest, place))
    elif _is_logged(draft, record):
        raise RefusedError(Reason.CONFLICT, "the policy is logged already")
    add(draft, candidate, place)


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
