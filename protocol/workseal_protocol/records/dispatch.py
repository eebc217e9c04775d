"""From a statement to its record and back, whatever its kind."""

from typing import Final, TypeAlias

from workseal_protocol.encoding import decode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Signer
from workseal_protocol.records.agreement import Acceptance, Offer
from workseal_protocol.records.cases import DisputeAct, DisputeFiling
from workseal_protocol.records.disputes import DisputeDisclosure, DisputeFinding, DisputeRequest
from workseal_protocol.records.evidence import Evidence
from workseal_protocol.records.manifest import BundleManifest
from workseal_protocol.records.operation import BeaconCommitment, LogPolicy
from workseal_protocol.records.parties import KeyAnnounce, KeyRevoke, KeyRotate
from workseal_protocol.records.possession import Possession
from workseal_protocol.records.segmentform import read_form
from workseal_protocol.records.sessions import SessionClose, SessionOpen
from workseal_protocol.records.timesheets import Timesheet, TimesheetAnswer
from workseal_protocol.records.work import (
    Declaration,
    Segment,
    Tombstone,
)
from workseal_protocol.statement import Kind, Statement, engagement_subject, sign_statement

ChainedRecord: TypeAlias = SessionOpen | Segment | SessionClose | Tombstone | Declaration | Evidence
KeyRecord: TypeAlias = KeyAnnounce | KeyRotate | KeyRevoke
IssuerRecord: TypeAlias = KeyRecord | LogPolicy | BeaconCommitment
EngagementRecord: TypeAlias = (
    ChainedRecord
    | Offer
    | Acceptance
    | Possession
    | Timesheet
    | TimesheetAnswer
    | DisputeFiling
    | DisputeAct
    | DisputeRequest
    | DisputeDisclosure
    | DisputeFinding
    | BundleManifest
)
Record: TypeAlias = EngagementRecord | IssuerRecord

_RECORDS: Final[dict[Kind, type[Record]]] = {
    record.KIND: record
    for record in (
        KeyAnnounce,
        KeyRotate,
        KeyRevoke,
        Offer,
        Acceptance,
        SessionOpen,
        Segment,
        SessionClose,
        Tombstone,
        Declaration,
        Evidence,
        Possession,
        Timesheet,
        TimesheetAnswer,
        LogPolicy,
        BeaconCommitment,
        DisputeFiling,
        DisputeAct,
        DisputeRequest,
        DisputeDisclosure,
        DisputeFinding,
        BundleManifest,
    )
}
CHAINED: Final = frozenset(
    {
        Kind.SESSION_OPEN,
        Kind.SEGMENT,
        Kind.SESSION_CLOSE,
        Kind.TOMBSTONE,
        Kind.DECLARATION,
        Kind.EVIDENCE,
    }
)


def sign(record: Record, signer: Signer) -> Statement:
    """Sign a record as a statement of its kind."""
    return sign_statement(record.KIND, _subject(record, signer), record.to_value(), signer)


def read_record(statement: Statement) -> Record:
    """Read a statement's payload as its kind says, or raise `MalformedError`.

    The signature may be unverified.
    """
    record = _read_payload(statement.kind, statement.payload)
    if isinstance(record, IssuerRecord):
        return record
    if engagement_subject(record.engagement) != statement.subject:
        raise MalformedError(f"{statement.kind}: the subject is not the payload's engagement")
    return record


def _read_payload(kind: Kind, payload: bytes) -> Record:
    quick = read_form(payload) if kind is Kind.SEGMENT else None
    return _RECORDS[kind].read(decode(payload)) if quick is None else quick


def _subject(record: Record, signer: Signer) -> str:
    if isinstance(record, IssuerRecord):
        return signer.public_key.uri
    return engagement_subject(record.engagement)
