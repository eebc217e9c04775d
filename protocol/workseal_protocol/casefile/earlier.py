"""Whether whoever filed a case withdrew an earlier one over its hours, once a round was set in it.

Rules: one draw is one draw only while nobody can withdraw and file again for another. See
docs/adr/0101. Each statement is judged by those that it follows: what the log took beside them
changes nothing. A case that the statements at hand do not give whole is judged by its `draw` alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from workseal_protocol.casefile.logged import FOLLOWING
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import Act, DisputeAct, DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement

_OF_A_CASE: Final = FOLLOWING | {Kind.DISPUTE_FILING}


def check_refiling(case: Case, logged: Iterable[Statement]) -> None:
    """Check the logged statements before the filing, or raise `VerificationError`."""
    earlier = _Earlier(case)
    for statement in _before(case, tuple(logged)):
        if statement.kind is Kind.DISPUTE_FILING:
            earlier.begin(statement)
        else:
            earlier.follow(statement)


def _before(case: Case, logged: Sequence[Statement]) -> Iterator[Statement]:
    """Give what stands before the filing; where the log lacks that, what claims no later instant.

    A filing may claim an instant that is a minute older than its place in the log.
    """
    digests = [statement.digest for statement in logged]
    place = digests.index(case.case) if case.case in digests else None
    for statement in logged[:place]:
        if statement.kind in _OF_A_CASE and (
            place is not None or read_record(statement).claimed_at <= case.filed_at
        ):
            yield statement


@dataclass(slots=True)
class _Earlier:
    """Follow the cases of the same filer over the same hours."""

    case: Case
    filed: set[Digest] = field(default_factory=set)
    # The case after each statement; None where it cannot be told.
    told: dict[Digest, Case | None] = field(default_factory=dict)
    drawn: set[Digest] = field(default_factory=set)

    def begin(self, filing: Statement) -> None:
        record, case = read_record(filing), self.case
        if not isinstance(record, DisputeFiling) or record.engagement != case.filing.engagement:
            return
        if self._is_filers(filing) and record.overlaps(case.filing):
            self.filed.add(filing.digest)
            self.told[filing.digest] = self._begun(filing, record.claimed_at)

    def follow(self, statement: Statement) -> None:
        record = case_record(statement)
        place = record.place
        if place is None or place.case not in self.filed:
            return
        before = self.told.get(place.prev)
        told = self._after(before, statement, record.claimed_at)
        self.told[statement.digest] = told
        act = record.act if isinstance(record, DisputeAct) else None
        if act is Act.DRAW:
            self.drawn.add(place.case)
        if act is not Act.WITHDRAW or not self._is_filers(statement):
            return
        # One that the case did not allow withdrew nothing.
        unknown = told is None and before is None
        if (told is not None and told.bars_filer) or (unknown and place.case in self.drawn):
            raise VerificationError(
                f"the {self.case.filer.name.lower()} withdrew case {place.case} after a draw in it,"
                " and filed again over hours of it"
            )

    def _is_filers(self, statement: Statement) -> bool:
        """Tell whether the filer signed it: what others sign follows what they like."""
        return self.case.parties.roles.get(statement.issuer) is self.case.filer

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
