"""The sums of a case: what is offered, at what sum it ended, and who pays it to whom.

Rules: all of it follows from the statements. A sum of a case is of what its filing asks, so that an
offer and a verdict compare with it; the protocol moves no money, and of a filing whose word does
not say who pays, it says just that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Claim, DisputeAct, Record, Verdict
from workseal_protocol.terms import amount_text

Said = tuple[Digest, Record]

_LESS: Final = (
    "a sum of this case is what the client owes the freelancer less for these hours: it is not"
    " paid, or paid back"
)
_MORE: Final = "a sum of this case is what the client pays the freelancer for these hours"
_TEXTS: Final = "who pays a sum of this case to whom, nothing but its texts says"
_PAYS: Final[Mapping[tuple[Claim, Role], str]] = {
    (Claim.NOT_PAID, Role.FREELANCER): _MORE,
    (Claim.RATE_OR_ROUNDING, Role.FREELANCER): _MORE,
    (Claim.NOT_WORKED, Role.CLIENT): _LESS,
    (Claim.DECLARED_TIME, Role.CLIENT): _LESS,
    (Claim.WITHDRAWN_FRAMES, Role.CLIENT): _LESS,
    (Claim.MISSED_CAPTURES, Role.CLIENT): _LESS,
    (Claim.RATE_OR_ROUNDING, Role.CLIENT): _LESS,
}


@dataclass(frozen=True, slots=True)
class CaseOffer:
    """Hold an offer of one party to the other."""

    digest: Digest
    by: Role
    amount: int
    text: str
    stake: int

    def words(self, currency: str) -> str:
        """Write its sum, with what is at stake where it is more."""
        found = amount_text(self.amount, currency)
        if self.amount <= self.stake:
            return found
        return f"{found}, more than the {amount_text(self.stake, currency)} at stake"


@dataclass(frozen=True, slots=True)
class Ending:
    """Hold the sum that a case ended with: of the offer that was accepted, or of the verdict."""

    amount: int
    statement: Digest
    verdict: Verdict | None = None

    def words(self, currency: str) -> str:
        """Write how it ended, and at what sum."""
        found = amount_text(self.amount, currency)
        if self.verdict is None:
            return f"settled at {found}"
        return f"decided, {self.verdict.name.lower().replace('_', ' ')}: {found}"


def who_pays(claim: Claim, filer: Role) -> str:
    """Say who pays a sum of a case to whom, as far as the word of its filing says it."""
    return _PAYS.get((claim, filer), _TEXTS)


def offer_in(case: Case, told: Iterable[Said], digest: Digest) -> CaseOffer | None:
    """Return an offer of a case, open or not; None where it has no such statement."""
    for one, record in told:
        if one == digest and isinstance(record, DisputeAct) and record.act is Act.OFFER:
            by, stake = case.statements[one], case.filing.amount
            return CaseOffer(one, by, record.amount or 0, record.text or "", stake)
    return None


def open_offers(case: Case, told: Iterable[Said]) -> Iterator[CaseOffer]:
    """Give the offers that somebody may accept now."""
    said = list(told)
    for digest, maker in case.offers.items():
        found = offer_in(case, said, digest) if _may_be_accepted(case, maker) else None
        if found is not None:
            yield found


def _may_be_accepted(case: Case, maker: Role) -> bool:
    others = (key for key, role in case.parties.roles.items() if role is not maker)
    return any("accept" in case.allowed(key) for key in others)


def ending_of(told: Iterable[Said]) -> Ending | None:
    """Return the sum that a case ended with; for one that is over. None where it had none."""
    offers: dict[Digest, int] = {}
    found: Ending | None = None
    for digest, record in told:
        if not isinstance(record, DisputeAct):
            continue
        match record.act:
            case Act.OFFER:
                offers[digest] = record.amount or 0
            case Act.ACCEPT:
                cited = (record.cites or (digest,))[0]
                return Ending(offers[cited], digest) if cited in offers else None
            case Act.DECIDE:
                found = Ending(record.amount or 0, digest, Verdict(record.code or 0))
            case _:
                pass
    return found


def ending_value(found: Ending | None) -> dict[str, object] | None:
    """Write for programs how a case ended, and at what sum."""
    if found is None:
        return None
    how = "settled" if found.verdict is None else found.verdict.name.lower().replace("_", " ")
    return {"how": how, "amount": found.amount, "statement": str(found.statement)}
