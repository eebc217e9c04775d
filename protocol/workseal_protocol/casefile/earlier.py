"""Whether whoever filed a case had withdrawn another one over its hours, after a draw in it.

Rule: one draw is one draw only while nobody can withdraw and file again for another. See
docs/adr/0101.
"""

from collections.abc import Iterable

from workseal_protocol.dispute import Case
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import Act, DisputeAct, DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement


def check_refiling(case: Case, logged: Iterable[Statement]) -> None:
    """Check the logged statements before the filing, or raise `VerificationError`."""
    over, drawn = set(), set()
    for statement in logged:
        if statement.digest == case.case:
            return
        if statement.kind is Kind.DISPUTE_FILING:
            if _is_over(statement, case):
                over.add(statement.digest)
            continue
        record = read_record(statement) if statement.kind is Kind.DISPUTE_ACT else None
        if not isinstance(record, DisputeAct) or record.claimed_at > case.filed_at:
            continue
        named = record.place.case
        if record.act is Act.DRAW and named in over:
            drawn.add(named)
        elif record.act is Act.WITHDRAW and named in drawn:
            raise VerificationError(
                f"the {case.filer.name.lower()} withdrew case {named} after a draw in it, and filed"
                " again over hours of it"
            )


def _is_over(statement: Statement, case: Case) -> bool:
    record = read_record(statement)
    return (
        isinstance(record, DisputeFiling)
        and case.parties.roles.get(statement.issuer) is case.filer
        and record.overlaps(case.filing)
    )
