"""Records: what each kind of statement says, as typed values (docs/spec/records.md).

Every record has `KIND`, `to_value()` and `read(value)`, which are inverse; `sign` makes a statement
of it and `read_record` reads it back.
"""

from workseal_protocol.records.acts import (
    CODES,
    FORMS,
    Act,
    Claim,
    Delivery,
    Form,
    Ground,
    Pause,
    Refusal,
    Ruling,
    Verdict,
)
from workseal_protocol.records.agreement import Acceptance, Offer
from workseal_protocol.records.caselinks import CaseCalendar, CasePlace, Due
from workseal_protocol.records.cases import DisputeAct, DisputeFiling
from workseal_protocol.records.dispatch import (
    CHAINED,
    ChainedRecord,
    EngagementRecord,
    IssuerRecord,
    KeyRecord,
    Record,
    read_record,
    sign,
)
from workseal_protocol.records.disputes import (
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Finding,
    Outcome,
    RequestedFrame,
)
from workseal_protocol.records.evidence import (
    Evidence,
    EvidenceItem,
    FileDigest,
    GitCommit,
    Label,
    Text,
    encode_item,
    parse_item,
)
from workseal_protocol.records.freezes import Freeze, Holding, Stratum
from workseal_protocol.records.links import Anchor
from workseal_protocol.records.manifest import BundleManifest, ManifestEntry
from workseal_protocol.records.operation import BeaconCommitment, LogPolicy
from workseal_protocol.records.parties import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    RevocationReason,
    rotation_message,
)
from workseal_protocol.records.possession import (
    BLOCK_BYTES,
    MAX_DRAWS,
    Held,
    HeldAnswer,
    Possession,
)
from workseal_protocol.records.sessions import SessionClose, SessionOpen
from workseal_protocol.records.timesheets import (
    SheetAnswer,
    SheetDay,
    Timesheet,
    TimesheetAnswer,
)
from workseal_protocol.records.work import (
    Capture,
    Declaration,
    DeclarationForm,
    Segment,
    SegmentState,
    Tombstone,
    WithdrawalReason,
)

__all__ = [
    "BLOCK_BYTES",
    "CHAINED",
    "CODES",
    "FORMS",
    "MAX_DRAWS",
    "Acceptance",
    "Act",
    "Anchor",
    "BeaconCommitment",
    "BundleManifest",
    "Capture",
    "CaseCalendar",
    "CasePlace",
    "ChainedRecord",
    "Claim",
    "Declaration",
    "DeclarationForm",
    "Delivery",
    "DisclosedFrame",
    "DisputeAct",
    "DisputeDisclosure",
    "DisputeFiling",
    "DisputeFinding",
    "DisputeRequest",
    "Due",
    "EngagementRecord",
    "Evidence",
    "EvidenceItem",
    "FileDigest",
    "Finding",
    "Form",
    "Freeze",
    "GitCommit",
    "Ground",
    "Held",
    "HeldAnswer",
    "Holding",
    "IssuerRecord",
    "KeyAnnounce",
    "KeyRecord",
    "KeyRevoke",
    "KeyRotate",
    "Label",
    "LogPolicy",
    "ManifestEntry",
    "Offer",
    "Outcome",
    "Pause",
    "Possession",
    "Record",
    "Refusal",
    "RequestedFrame",
    "RevocationReason",
    "Ruling",
    "Segment",
    "SegmentState",
    "SessionClose",
    "SessionOpen",
    "SheetAnswer",
    "SheetDay",
    "Stratum",
    "Text",
    "Timesheet",
    "TimesheetAnswer",
    "Tombstone",
    "Verdict",
    "WithdrawalReason",
    "encode_item",
    "parse_item",
    "read_record",
    "rotation_message",
    "sign",
]
