"""Whether a case file has all that the log has of its case, and what the log took beside that.

Rules: of two statements that follow one, the lower index counts, if the case allows that one there;
an honest log takes nothing else. What a log took all the same is its own breach and changes nothing
of the case: otherwise whoever runs one could undo every file of a case, by an act of their own or
by one that they refused before. So are an act of their own at another instant than it claims, from
which nobody went on, and draws by so many values that nobody could check them all.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workseal_protocol.casefile.casebeacon import WorkError
from workseal_protocol.casefile.logged import FOLLOWING, Logged
from workseal_protocol.casefile.misdated import Places
from workseal_protocol.casefile.replay import Told
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CaseError, case_record
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import read_record
from workseal_protocol.statement import Statement


@dataclass(frozen=True, slots=True)
class Breach:
    """Hold a place of the log, and what it took there that counts for nothing in the case."""

    index: int
    what: str

    @property
    def sentence(self) -> str:
        """Write it as a sentence."""
        return (
            f"A breach by the log: at index {self.index} it has {self.what};"
            " it counts for nothing in the case."
        )


def check_complete(
    told: Sequence[Told], statements: Iterable[Statement], logged: Logged
) -> tuple[Breach, ...]:
    """Give what the bundle's log took beside a case; `VerificationError` where that lacks one.

    `statements` are those of the bundle, in the order of the log.
    """
    case = told[0].statement.digest
    numbers = {one.statement.digest: number for number, one in enumerate(told)}
    of_case = [(one, prev) for one in statements if (prev := _follows(one, case)) is not None]
    taken = {one.digest for one, _ in of_case}
    after: defaultdict[Digest, list[Statement]] = defaultdict(list)
    for statement, prev in of_case:
        after[prev].append(statement)
    places = Places(logged, after)
    breaches = []
    for statement, prev in of_case:
        index = logged.index(statement)
        if statement.digest in numbers or index is None:
            continue
        if prev in numbers:
            what = _beside(told, numbers[prev], statement, places)
            if what is None:
                raise VerificationError(f"the log has a statement of this case at index {index}")
        elif prev in taken:
            what = "a statement after one that counts for nothing"
        else:
            what = "a statement of this case after one that neither the case nor the bundle has"
        breaches.append(Breach(index, what))
    return tuple(breaches)


def _follows(statement: Statement, case: Digest) -> Digest | None:
    if statement.kind not in FOLLOWING:
        return None
    place = case_record(statement).place
    return place.prev if place is not None and place.case == case else None


def _beside(told: Sequence[Told], number: int, statement: Statement, places: Places) -> str | None:
    """Say why a statement after one of the case does not count; None where it does."""
    before, logged = told[number], places.logged
    index, place = logged.index(statement), places.of(before.case, statement)
    counting = None
    if number + 1 < len(told):
        counting = places.of(before.case, told[number + 1].statement)
    if counting is not None and index is not None and counting < index:
        return f"a second statement after number {number}"
    if place is None or (counting is not None and counting < place):
        return f"an act of the operator at another instant than it claims, after number {number}"
    try:
        allowed = _is_allowed(before, statement, logged)
    except WorkError:
        return f"more values than can be checked, after number {number}"
    return None if allowed else f"what the case does not allow after number {number}"


def _is_allowed(before: Told, statement: Statement, logged: Logged) -> bool:
    try:
        logged.speakers.check(statement, logged.index(statement))
    except VerificationError:
        return False
    try:
        before.case.after(statement, max(before.at, read_record(statement).claimed_at))
    except CaseError:
        return False
    return True
