"""Whether whoever filed a case withdrew an earlier one over its hours, once a round was set in it.

Rules: one draw is one draw only while nobody can withdraw and file again for another. See
docs/adr/0101. Each statement is judged by those that it follows, wherever the log has them: who
signed a withdrawal knew what it follows, and the order of the log is the operator's. A case that
the statements at hand do not give whole is judged by its `draw` alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from workseal_protocol.casefile.casebeacon import any_value
from workseal_protocol.casefile.logged import FOLLOWING
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import Act, CasePlace, DisputeAct, DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement

_OF_A_CASE: Final = FOLLOWING | {Kind.DISPUTE_FILING}
# A statement, and its place in its case.
_Placed = tuple[Statement, CasePlace]


def check_refiling(case: Case, logged: Iterable[Statement]) -> None:
    """Check what the log has of earlier cases over these hours, or raise `VerificationError`."""
    statements = tuple(one for one in logged if one.kind in _OF_A_CASE)
    before = _before(case, statements)
    following: defaultdict[Digest, list[_Placed]] = defaultdict(list)
    for one in statements:
        if one.kind in FOLLOWING and (place := case_record(one).place) is not None:
            following[place.case].append((one, place))
    for filing in {one.digest: one for one in statements}.values():
        if _is_filers_over(case, filing):
            _check_withdrawals(case, filing, following[filing.digest], before)


def _before(case: Case, logged: Sequence[Statement]) -> frozenset[Digest]:
    """Give what stands before the filing; where the log lacks that, what claims no later instant.

    A filing may claim an instant that is a minute older than its place in the log.
    """
    digests = [one.digest for one in logged]
    if case.case in digests:
        return frozenset(digests[: digests.index(case.case)])
    return frozenset(one.digest for one in logged if read_record(one).claimed_at <= case.filed_at)


def _is_filers_over(case: Case, statement: Statement) -> bool:
    """Tell whether it is another filing by the same party over some of the same hours."""
    if statement.digest == case.case or not _is_filers(case, statement):
        return False
    record = read_record(statement)
    return (
        isinstance(record, DisputeFiling)
        and record.engagement == case.filing.engagement
        and record.overlaps(case.filing)
    )


def _check_withdrawals(
    case: Case, filing: Statement, following: Sequence[_Placed], before: frozenset[Digest]
) -> None:
    told = _told(case, filing, following)
    drawn = any(_act_of(one) is Act.DRAW for one, _ in following)
    for one, place in following:
        # What others sign follows what they like.
        if (
            _act_of(one) is not Act.WITHDRAW
            or not _is_filers(case, one)
            or one.digest not in before
        ):
            continue
        # One that the case did not allow withdrew nothing.
        after = told.get(one.digest)
        unknown = after is None and told.get(place.prev) is None
        if (after is not None and after.bars_filer) or (unknown and drawn):
            raise VerificationError(
                f"the {case.filer.name.lower()} withdrew case {filing.digest} after a draw in it,"
                " and filed again over hours of it"
            )


def _told(case: Case, filing: Statement, following: Iterable[_Placed]) -> dict[Digest, Case | None]:
    """Give the earlier case after each statement by links; None where it did not allow one."""
    after: defaultdict[Digest, list[Statement]] = defaultdict(list)
    for one, place in following:
        after[place.prev].append(one)
    told = {filing.digest: _begun(case, filing)}
    reached = [filing.digest]
    for digest in reached:
        for one in after.pop(digest, ()):
            told[one.digest] = _after(told[digest], one)
            reached.append(one.digest)
    return told


def _is_filers(case: Case, statement: Statement) -> bool:
    return case.parties.roles.get(statement.issuer) is case.filer


def _act_of(statement: Statement) -> Act | None:
    record = read_record(statement)
    return record.act if isinstance(record, DisputeAct) else None


def _begun(case: Case, filing: Statement) -> Case | None:
    at, terms, parties = read_record(filing).claimed_at, case.terms, case.parties
    try:
        return Case.begin(filing, at, terms=terms, released=any_value, parties=parties)
    except CaseError:
        return None


def _after(told: Case | None, statement: Statement) -> Case | None:
    try:
        at = case_record(statement).claimed_at
        return None if told is None else told.after(statement, max(at, told.known_at))
    except CaseError:
        return None
