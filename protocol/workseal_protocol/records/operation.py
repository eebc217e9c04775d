"""Records of the operator: the rules of its log, and its chain of round values."""

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import (
    MAX_TIME,
    VERSION,
    check_text,
    check_uint,
    read_version,
)
from workseal_protocol.statement import Kind
from workseal_protocol.terms import MAX_POLICY, MAX_ROUND_MS, MIN_ROUND_MS

MAX_ORIGIN: Final = 255
MAX_RULES: Final = 16_384
# A signed checkpoint with all its lines, within what a statement can hold.
MAX_PREVIOUS: Final = 16_384
# A day of one-second rounds is 86,400: this is enough for nearly two weeks of them.
MAX_BEACON_ROUNDS: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """Publish what the log is and whom it admits, so that a change of rules shows.

    `previous` is the last good checkpoint of the log that this one continues under another origin,
    as it was signed. `page` is the SHA-256 of the offline page that the operator means.
    """

    KIND: ClassVar[Kind] = Kind.LOG_POLICY

    claimed_at: int
    origin: str
    policy: str
    rules: str
    previous: SignedCheckpoint | None = None
    page: Digest | None = None

    def __post_init__(self) -> None:
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        check_text("origin", self.origin, maximum=MAX_ORIGIN)
        check_text("policy", self.policy, maximum=MAX_POLICY)
        check_text("rules", self.rules, maximum=MAX_RULES)
        if self.previous is not None:
            if len(self.previous.encode()) > MAX_PREVIOUS:
                raise ValueError(f"previous: a checkpoint here has at most {MAX_PREVIOUS} bytes")
            if self.previous.checkpoint.origin == self.origin:
                raise ValueError("previous: a log that continues another has another origin")

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "log.policy")
        read_version(fields)
        previous = fields.optional_octets(13, "previous", maximum=MAX_PREVIOUS)
        try:
            record = cls(
                claimed_at=fields.uint(6, "claimed_at"),
                origin=fields.text(10, "origin", maximum=MAX_ORIGIN),
                policy=fields.text(11, "policy", maximum=MAX_POLICY),
                rules=fields.text(12, "rules", maximum=MAX_RULES),
                previous=None if previous is None else SignedCheckpoint.parse(previous),
                page=fields.optional_digest(14, "page"),
            )
        except ValueError as error:
            raise MalformedError(f"log.policy: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        value: dict[int, Value] = {
            1: VERSION,
            6: self.claimed_at,
            10: self.origin,
            11: self.policy,
            12: self.rules,
        }
        if self.previous is not None:
            value[13] = self.previous.encode()
        if self.page is not None:
            value[14] = self.page.raw
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconCommitment:
    """Commit to the verifier's values of `count` rounds before any of them begins."""

    KIND: ClassVar[Kind] = Kind.BEACON_COMMITMENT

    claimed_at: int
    period_ms: int
    first_round: int
    count: int
    head: Digest

    def __post_init__(self) -> None:
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)
        check_uint("period_ms", self.period_ms, minimum=MIN_ROUND_MS, maximum=MAX_ROUND_MS)
        check_uint("first_round", self.first_round)
        check_uint("count", self.count, minimum=1, maximum=MAX_BEACON_ROUNDS)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "beacon.commitment")
        read_version(fields)
        try:
            record = cls(
                claimed_at=fields.uint(6, "claimed_at"),
                period_ms=fields.uint(10, "period_ms"),
                first_round=fields.uint(11, "first_round"),
                count=fields.uint(12, "count"),
                head=fields.digest(13, "head"),
            )
        except ValueError as error:
            raise MalformedError(f"beacon.commitment: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return {
            1: VERSION,
            6: self.claimed_at,
            10: self.period_ms,
            11: self.first_round,
            12: self.count,
            13: self.head.raw,
        }
