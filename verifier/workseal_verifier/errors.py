"""Every error of the verifier.

    VerifierError
    ├── ConfigError        the home or its settings are not usable; one sentence for the operator
    │   └── SettingsError   what was written as a setting cannot be meant
    ├── RebuildError       copies of the log do not lead to what it signed
    ├── RefusedError       an answer to a client: a reason, a sentence, the offending item
    │   └── ForkError       one signer gave one number of a chain or a case to two bodies
    └── StoreError         the database could not do it
        ├── StoreFullError      no space: nothing was stored, try again later
        ├── StoreRaceError      another writer moved the log: reload
        └── StoreCorruptError   what is stored contradicts itself: stop

Rule: the text of a `RefusedError` goes to a stranger. It never names another party or engagement.
"""

from enum import StrEnum, unique


class VerifierError(Exception):
    """Be the root of all; never raised itself."""


class ConfigError(VerifierError):
    """Say in one sentence what the operator must change."""


class SettingsError(ConfigError):
    """Say which setting is malformed; the exit code is 2."""


class RebuildError(VerifierError):
    """Say what is missing in copies of a log, or which of them contradict it."""


class StoreError(VerifierError):
    """Say that the database did not do what was asked; the outcome of a write is unknown."""


class StoreFullError(StoreError):
    """Say that there is no space left."""


class StoreRaceError(StoreError):
    """Say that the log is not at the size and root that the writer started from."""


class StoreCorruptError(StoreError):
    """Say that stored values contradict each other."""


@unique
class Reason(StrEnum):
    """Name why a request was not done; each is one problem type of the HTTP interface."""

    MALFORMED = "malformed"
    UNPROVEN = "unproven"
    STALE = "stale"
    UNKNOWN_PARTY = "unknown-party"
    WAITING = "waiting"
    NOT_FRESH = "not-fresh"
    CROSS_SITE = "cross-site"
    NOT_FOUND = "not-found"
    NOT_ALLOWED = "method-not-allowed"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    OVERLAP = "overlap"
    TOO_LARGE = "too-large"
    MEDIA = "unsupported-media"
    MISDIRECTED = "misdirected"
    REFUSED = "refused"
    TOO_EARLY = "too-early"
    TOO_MANY = "too-many"
    INTERNAL = "internal"
    BUSY = "busy"
    CLOCK = "clock"
    FULL = "full"


class RefusedError(VerifierError):
    """Say why a request was not done, in words that may go to a stranger."""

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        item: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.item = item
        self.retry_after = retry_after


class ForkError(RefusedError):
    """Refuse a second body under one number of a chain or a case, and hold it: it is evidence."""

    def __init__(self, engagement: bytes, seq: int, body: bytes, detail: str = "") -> None:
        super().__init__(Reason.CONFLICT, detail or f"another statement has number {seq}")
        self.engagement = engagement
        self.seq = seq
        self.body = body
