"""Cases as the published log has them, for whoever reads: in a bounded memory, in any thread.

Rule: what is folded here was admitted when it was logged, so nothing is judged a second time. The
seat of a case is the person who was drawn last, until the case is sealed.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from workseal_protocol.casefile.speakers import keyless_in
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, State
from workseal_protocol.keys import Role
from workseal_protocol.records import Offer, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.casefold import Grounds, after, folded
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.seats import Seats, seat_of
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.records import RecordStore

# Each takes some 100 KB at most: a case has 400 statements.
_CACHED: Final = 256
# Nobody who was drawn has access any more.
SHUT: Final = frozenset({State.SEALED.value, State.PURGED.value})
# Nobody was drawn yet.
_BEFORE: Final = frozenset(
    one.value for one in (State.NOTICE, State.ANSWER, State.SECOND, State.NEGOTIATION)
)


class CaseBook:
    """Fold cases below a size of the log."""

    def __init__(self, records: RecordStore, keys: KeyBook) -> None:
        self._records = records
        self.keys = keys
        self._lock = threading.Lock()
        # By the filing: the place of the last statement that was folded, and the case after it.
        self._cases: OrderedDict[Digest, tuple[int, Case]] = OrderedDict()

    def case(self, filing: Digest, *, below: int) -> Case | None:
        """Return a case as it stands before a place; None when there is none."""
        row = self._records.cases.last(filing, below=below)
        return None if row is None else self.at(row)

    def last(self, filing: Digest, *, below: int) -> CaseRow | None:
        """Return the newest step of a case before a place."""
        return self._records.cases.last(filing, below=below)

    def at(self, row: CaseRow) -> Case | None:
        """Return a case as it stands after a step; None when its engagement has no offer."""
        with self._lock:
            known = self._cases.get(row.filing)
        if known is not None and known[0] == row.position:
            return known[1]
        case = self._followed(row, known)
        if case is not None:
            with self._lock:
                self._cases[row.filing] = (row.position, case)
                self._cases.move_to_end(row.filing)
                if len(self._cases) > _CACHED:
                    self._cases.popitem(last=False)
        return case

    def keyless(self, case: Case, *, below: int) -> frozenset[Role]:
        """Return who of a case ended their key before a place, with no other in its place."""
        keys = self.keys.below(below)
        return keyless_in(case, keys.history(case.terms), lambda key: keys.path(key)[0])

    def seated(self, row: CaseRow) -> Digest | None:
        """Name the person who sits in a case, by the key that the terms have for them."""
        return None if row.state in SHUT else self.sat(row)

    def sat(self, row: CaseRow) -> Digest | None:
        """Name the person who sits in a case, or sat there last when it was sealed."""
        case = None if row.state in _BEFORE else self.at(row)
        return None if case is None else case.arbitrator

    def seats(self, rows: Iterable[CaseRow]) -> Seats:
        """Give the seats of all cases of an engagement."""
        found = [(row, case) for row in rows if (case := self.at(row)) is not None]
        cases = [case for _, case in found]
        return Seats(tuple(seat_of(case, cases, is_shut=row.state in SHUT) for row, case in found))

    def _followed(self, row: CaseRow, known: tuple[int, Case] | None) -> Case | None:
        path = self.keys.below(row.position + 1).path
        told = self._records.cases.statements(row.filing, below=row.position + 1)
        if known is not None and known[0] < row.position:
            case = known[1]
            for place, body in told:
                if place > known[0]:
                    case = after(case, Statement.parse(body), path)
            return case
        terms = self._terms(row.engagement)
        if terms is None:
            return None
        grounds = Grounds(terms, _was_checked, path)
        return folded((Statement.parse(body) for _, body in told), grounds)[-1]

    def _terms(self, engagement: bytes) -> Terms | None:
        entry = self._records.first_of(engagement)
        record = None if entry is None else read_record(Statement.parse(entry.body))
        return record.terms if isinstance(record, Offer) else None


def _was_checked(_number: int, _value: bytes) -> bool:
    return True
