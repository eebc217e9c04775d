"""Records that bind both sides to the terms."""

from dataclasses import dataclass
from typing import ClassVar, Self

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.errors import MalformedError
from workseal_protocol.records.bounds import (
    ID_BYTES,
    MAX_TIME,
    VERSION,
    check_octets,
    check_uint,
    read_version,
)
from workseal_protocol.statement import Kind
from workseal_protocol.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Propose terms; signed by the client."""

    KIND: ClassVar[Kind] = Kind.OFFER

    engagement: bytes
    claimed_at: int
    terms: Terms

    def __post_init__(self) -> None:
        check_octets("engagement", self.engagement, ID_BYTES)
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "offer")
        read_version(fields)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                terms=Terms.read(fields.fields(10, "terms")),
            )
        except ValueError as error:
            raise MalformedError(f"offer: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return {1: VERSION, 2: self.engagement, 6: self.claimed_at, 10: self.terms.to_value()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Accept the terms of one offer; signed by the freelancer, and the root of the work chain."""

    KIND: ClassVar[Kind] = Kind.ACCEPTANCE

    engagement: bytes
    claimed_at: int
    terms: Terms
    offer: Digest

    def __post_init__(self) -> None:
        check_octets("engagement", self.engagement, ID_BYTES)
        check_uint("claimed_at", self.claimed_at, maximum=MAX_TIME)

    @classmethod
    def read(cls, value: Value) -> Self:
        """Read what `to_value` writes, or raise `MalformedError`."""
        fields = Fields(value, "acceptance")
        read_version(fields)
        try:
            record = cls(
                engagement=fields.octets(2, "engagement", length=ID_BYTES),
                claimed_at=fields.uint(6, "claimed_at"),
                terms=Terms.read(fields.fields(10, "terms")),
                offer=fields.digest(11, "offer"),
            )
        except ValueError as error:
            raise MalformedError(f"acceptance: {error}") from error
        fields.close()
        return record

    def to_value(self) -> dict[int, Value]:
        """Return the payload."""
        return {
            1: VERSION,
            2: self.engagement,
            6: self.claimed_at,
            10: self.terms.to_value(),
            11: self.offer.raw,
        }
