"""The agent's own record: every statement it signed, and what became of each.

Order on this machine: frames are durable in the vault, then the statement and all that belongs to
it in one transaction here, then it is sent. So after a crash one number has one body.
"""

from workseal_agent.ledger.errors import LedgerError
from workseal_agent.ledger.room import ROOM_BYTES
from workseal_agent.ledger.rows import (
    CaptureRow,
    CaseRow,
    Counts,
    Engagement,
    Incident,
    Memo,
    NewCapture,
    PrivateValue,
    RevealRow,
    SegmentRow,
    SendState,
    SessionSecrets,
    StoredStatement,
    short_name,
)
from workseal_agent.ledger.sealing import LedgerKey
from workseal_agent.ledger.store import Ledger
from workseal_agent.ledger.transaction import Transaction

__all__ = [
    "ROOM_BYTES",
    "CaptureRow",
    "CaseRow",
    "Counts",
    "Engagement",
    "Incident",
    "Ledger",
    "LedgerError",
    "LedgerKey",
    "Memo",
    "NewCapture",
    "PrivateValue",
    "RevealRow",
    "SegmentRow",
    "SendState",
    "SessionSecrets",
    "StoredStatement",
    "Transaction",
    "short_name",
]
