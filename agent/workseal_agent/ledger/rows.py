"""The values that the ledger hands out: never rows, never a cursor."""

from dataclasses import dataclass
from enum import StrEnum

from workseal_agent.ledger.errors import LedgerError
from workseal_protocol.digest import Digest
from workseal_protocol.records import Acceptance, Offer, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

# Hexadecimal digits: enough to tell one person's engagements apart at a glance.
_SHORT = 8


def short_name(engagement: bytes) -> str:
    """Return the beginning of an engagement's number, as people type it after `--engagement`."""
    return engagement.hex()[:_SHORT]


class SendState(StrEnum):
    """Say where a statement is on its way to the log."""

    UNSENT = "unsent"
    HELD = "held"  # another path than the queue sends it (a disclosure with its tiles)
    RECEIPTED = "receipted"
    PARKED = "parked"  # refused by the verifier; kept, shown, tried again on request
    REPLACED = "replaced"  # refused, and another statement has its place in the case


@dataclass(frozen=True, slots=True)
class Engagement:
    """Hold what the two parties signed, and where the log is."""

    id: bytes
    offer: bytes
    acceptance: bytes
    url: str
    tsa_roots: tuple[bytes, ...]

    @property
    def terms(self) -> Terms:
        """Return the terms that both signed."""
        return self._offer.terms

    @property
    def agreed_at(self) -> int:
        """Return when the terms were agreed: the later of what offer and acceptance claim."""
        record = read_record(Statement.parse(self.acceptance))
        if not isinstance(record, Acceptance):
            raise LedgerError("the ledger's acceptance is a statement of another kind")
        return max(self._offer.claimed_at, record.claimed_at)

    @property
    def _offer(self) -> Offer:
        record = read_record(Statement.parse(self.offer))
        if not isinstance(record, Offer):
            raise LedgerError("the ledger's offer is a statement of another kind")
        return record


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """Hold one statement with its place in the queue."""

    number: int
    engagement: bytes
    seq: int | None
    digest: Digest
    kind: str
    body: bytes
    state: SendState
    problem: str | None
    log_index: int | None


@dataclass(frozen=True, slots=True)
class SessionSecrets:
    """Hold what only this machine knows about a session."""

    chain_last: bytes
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.chain_last) != 32 or len(self.secret) != 32:
            raise ValueError("session secrets have 32 bytes each")

    def __repr__(self) -> str:
        return "SessionSecrets()"


@dataclass(frozen=True, slots=True)
class PrivateValue:
    """Hold the salt and the value behind one commitment."""

    kind: int
    salt: bytes
    value: bytes

    def __repr__(self) -> str:
        return f"PrivateValue(kind={self.kind})"


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """Hold the times of one segment."""

    session: bytes
    begin_ms: int
    end_ms: int
    worked_ms: int
    state: int


@dataclass(frozen=True, slots=True)
class NewCapture:
    """Describe a frame that is about to be put into the vault."""

    commitment: Digest
    session: bytes
    round: int
    captured_ms: int
    display: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """Describe a frame that a segment has committed to."""

    number: int
    commitment: Digest
    round: int
    captured_ms: int
    display: int
    width: int
    height: int
    segment: Digest
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class RevealRow:
    """Say which of a frame's tiles (Z-order numbers) a disclosure statement showed."""

    statement: Digest
    frame: Digest
    shown: tuple[int, ...]
    tiles: int

    def __post_init__(self) -> None:
        if list(self.shown) != sorted(set(self.shown)):
            raise ValueError("shown tiles ascend, each once")
        if self.shown and not 0 <= self.shown[0] <= self.shown[-1] < self.tiles:
            raise ValueError(f"the frame has only {self.tiles} tiles")


@dataclass(frozen=True, slots=True)
class CaseRow:
    """Say which hours a case is about, and whether it was seen to have ended.

    Of one that was not read since, it is not known: `ended` is False.
    """

    filing: Digest
    begin_ms: int
    end_ms: int
    ended: bool

    def __post_init__(self) -> None:
        if not 0 <= self.begin_ms < self.end_ms:
            raise ValueError("the hours of a case begin before they end")


@dataclass(frozen=True, slots=True)
class Memo:
    """Hold the memo of an off-screen stretch that still runs."""

    begin_ms: int
    text: str

    def __repr__(self) -> str:
        return f"Memo(begin_ms={self.begin_ms})"


@dataclass(frozen=True, slots=True)
class Incident:
    """Hold evidence that something contradicts the log's own signatures."""

    number: int
    at_ms: int
    text: str
    evidence: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """Count the statements of an engagement by state."""

    statements: int
    unsent: int
    parked: int
    last_index: int | None
