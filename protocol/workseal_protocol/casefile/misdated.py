"""Where an act of the operator counts that claims another instant than its place in the log allows.

Rules: whoever runs the log can log such an act of their own at any time, after a decision too. What
nobody went on from counts nowhere, so that it undoes no case. What others went on from counts: it
may have cut somebody's time, and without it the case would be another one. What follows the end of
a case is no going on: that a key was destroyed changes nothing of a decision.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from workseal_protocol.casefile.casebeacon import any_value
from workseal_protocol.casefile.logged import Logged
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record
from workseal_protocol.keys import Role
from workseal_protocol.merkle import MAX_SIZE
from workseal_protocol.statement import Statement


@dataclass(frozen=True, slots=True)
class Places:
    """Order what follows one statement of a case; `after` has what follows each."""

    logged: Logged
    after: Mapping[Digest, Sequence[Statement]]

    def of(self, before: Case, statement: Statement) -> int | None:
        """Give the index that a statement counts by after a case; None where it counts nowhere.

        What the log does not have stands behind its end.
        """
        if not self._is_operators(statement) or not self.logged.is_misdated(statement):
            return self._index(statement)
        # Who was drawn changes nothing here, and no value is hashed for it.
        case = replace(before, released=any_value)
        return min(map(self._index, self._gone_on(case, statement)), default=None)

    def _gone_on(self, before: Case, statement: Statement) -> Iterator[Statement]:
        """Yield the first acts of others that the case allows after an act of the operator."""
        left = [(before, statement)]
        seen = {statement.digest}
        while left:
            case = _after(*left.pop())
            if case is None or not case.open:
                continue
            for one in self.after.get(case.head, ()):
                if one.digest in seen:
                    continue
                seen.add(one.digest)
                if self._is_operators(one):
                    left.append((case, one))
                elif _after(case, one) is not None:
                    yield one

    def _is_operators(self, statement: Statement) -> bool:
        return self.logged.speakers.parties.roles.get(statement.issuer) is Role.OPERATOR

    def _index(self, statement: Statement) -> int:
        index = self.logged.index(statement)
        return MAX_SIZE if index is None else index


def _after(case: Case, statement: Statement) -> Case | None:
    try:
        return case.after(statement, max(case.known_at, case_record(statement).claimed_at))
    except CaseError:
        return None
