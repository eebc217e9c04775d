"""Whether whoever filed a case withdrew an earlier one over its hours, once a round was set in it.

Rule: one draw is one draw only while nobody can withdraw and file again for another. See
docs/adr/0101. A case that the statements at hand do not give whole is judged by its `draw` alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import Act, DisputeAct, DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement

_OF_A_CASE = frozenset(
    {Kind.DISPUTE_ACT, Kind.DISPUTE_REQUEST, Kind.DISPUTE_DISCLOSURE, Kind.DISPUTE_FINDING}
)


def check_refiling(case: Case, logged: Iterable[Statement]) -> None:
    """Check the logged statements before the filing, or raise `VerificationError`."""
    earlier = _Earlier(case)
    for statement in logged:
        if statement.digest == case.case:
            return
        if statement.kind is Kind.DISPUTE_FILING:
            earlier.begin(statement)
        elif statement.kind in _OF_A_CASE:
            earlier.follow(statement)


@dataclass(slots=True)
class _Earlier:
    """Follow the cases of the same filer over the same hours."""

    case: Case
    followed: dict[Digest, Case | None] = field(default_factory=dict)
    drawn: set[Digest] = field(default_factory=set)

    def begin(self, filing: Statement) -> None:
        record, case = read_record(filing), self.case
        if not isinstance(record, DisputeFiling) or record.engagement != case.filing.engagement:
            return
        if case.parties.roles.get(filing.issuer) is case.filer and record.overlaps(case.filing):
            self.followed[filing.digest] = self._begun(filing, record.claimed_at)

    def follow(self, statement: Statement) -> None:
        record = case_record(statement)
        place = record.place
        if place is None or place.case not in self.followed:
            return
        if record.claimed_at > self.case.filed_at:
            return
        told = self._after(self.followed[place.case], statement, record.claimed_at)
        self.followed[place.case] = told
        act = record.act if isinstance(record, DisputeAct) else None
        if act is Act.DRAW:
            self.drawn.add(place.case)
        bars = place.case in self.drawn if told is None else told.bars_filer
        if act is Act.WITHDRAW and bars:
            raise VerificationError(
                f"the {self.case.filer.name.lower()} withdrew case {place.case} after a draw in it,"
                " and filed again over hours of it"
            )

    def _begun(self, filing: Statement, at: int) -> Case | None:
        terms, parties = self.case.terms, self.case.parties
        try:
            return Case.begin(filing, at, terms=terms, released=_any_value, parties=parties)
        except CaseError:
            return None

    @staticmethod
    def _after(told: Case | None, statement: Statement, at: int) -> Case | None:
        try:
            return None if told is None else told.after(statement, max(at, told.known_at))
        except CaseError:
            return None


def _any_value(number: int, value: bytes) -> bool:
    # Who was drawn changes nothing here.
    del number, value
    return True
