"""What must be known of an engagement to replay its cases: terms, keys, commitments of the beacon.

Rules: the terms are signed by both whom they name. What was learned is kept, so that the record of
an engagement is read once; of the rest of it nothing is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.encoding import decode, encode, split_sequence
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KEY_KINDS
from workseal_protocol.records import Acceptance, Offer, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms

if TYPE_CHECKING:
    from workseal_protocol.digest import Digest

_KEPT: Final = KEY_KINDS | {Kind.OFFER, Kind.ACCEPTANCE, Kind.BEACON_COMMITMENT}
# Key statements and commitments of one engagement: far above any honest number.
MAX_KEPT: Final = 4_096

Listed = Iterable[tuple[int, bytes]]


class Listing(Protocol):
    """List an engagement as a verifier does; nothing of it is trusted."""

    def listing(self, engagement: bytes, since: int) -> Listed:
        """Give (index, statement) of an engagement from an index on, in the log's order."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """Hold what was learned of an engagement, by index, and how far its record was read."""

    since: int = 0
    kept: tuple[tuple[int, bytes], ...] = ()

    def encode(self) -> bytes:
        """Write it; `parse` is its inverse."""
        return encode(self.since) + b"".join(encode(one) + body for one, body in self.kept)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `encode` wrote, or raise `MalformedError`."""
        first, *rest = split_sequence(data, max_items=2 * MAX_KEPT + 1)
        numbers = [_uint(one) for one in (first, *rest[::2])]
        if len(rest) % 2:
            raise MalformedError("an index without its statement")
        return cls(numbers[0], tuple(zip(numbers[1:], rest[1::2], strict=True)))

    @property
    def terms(self) -> Terms:
        """Return the terms that both signed, or raise `CommandError`."""
        offers: dict[Digest, Offer] = {}
        for _, body in self.kept:
            statement = Statement.parse(body)
            record = read_record(statement)
            if isinstance(record, Offer):
                offers[statement.digest] = record
            if isinstance(record, Acceptance):
                offer = offers.get(record.offer)
                if offer is not None and offer.terms == record.terms:
                    return record.terms
        raise CommandError("the verifier shows no terms that both parties signed", DOES_NOT_HOLD)


def _uint(item: bytes) -> int:
    number = decode(item)
    if not isinstance(number, int) or number < 0:
        raise MalformedError("an index is a whole number")
    return number


def learn(source: Listing, engagement: bytes, known: Known) -> Known:
    """Read on in the record of an engagement, and keep what replaying its cases needs."""
    kept = list(known.kept)
    since = known.since
    for index, body in source.listing(engagement, since):
        since = index + 1
        try:
            statement = Statement.parse(body)
            if statement.kind not in _KEPT:
                continue
            record = read_record(statement)
            if isinstance(record, Offer | Acceptance):
                _require_signed(statement, record)
        except (MalformedError, VerificationError) as error:
            text = f"the verifier lists what is no statement of this engagement: {error}"
            raise CommandError(text, DOES_NOT_HOLD) from error
        kept.append((index, body))
        if len(kept) > MAX_KEPT:
            raise CommandError("the verifier lists too many keys and commitments", DOES_NOT_HOLD)
    return Known(since, tuple(kept))


def _require_signed(statement: Statement, record: Offer | Acceptance) -> None:
    terms = record.terms
    statement.verify_signature(terms.client if isinstance(record, Offer) else terms.freelancer)
