"""What the hours of a filing were billed at, told beside the sum that it names.

Rules: nothing is refused by it, and no figure of it is signed. It is counted from the record as the
verifier lists it, whole segments by their begin, as the pages count; where the record cannot be
read, that is said instead.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.days import DayTotal, worked_shares
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import Declaration, DisputeFiling, Segment, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms, WorkClass, amount_text

if TYPE_CHECKING:
    from datetime import date

_KINDS = frozenset({Kind.SEGMENT, Kind.DECLARATION})


def billed_notes(
    filing: DisputeFiling, terms: Terms, bodies: Iterable[bytes] | None
) -> Iterator[str]:
    """Say where a filing names more than was billed in its hours, or that this is not known.

    `bodies` are the statements of the engagement as they are listed; None where they were not read.
    """
    billed = None if bodies is None else _billed_in(bodies, terms, filing)
    if billed is None:
        yield "what was billed in these hours is not known here: the record was not read"
    elif filing.amount > billed.amount:
        found = amount_text(billed.amount, terms.currency)
        yield f"that is more than all that is billed in these hours, as the verifier lists: {found}"


def _billed_in(bodies: Iterable[bytes], terms: Terms, filing: DisputeFiling) -> Billed | None:
    """Weigh and round what begins in the hours of a filing, day by day, as the terms say."""
    zone = zone_named(terms.zone)
    if zone is None:
        return None
    worked: defaultdict[date, Counter[WorkClass]] = defaultdict(Counter)
    try:
        for record in _worked(bodies):
            if filing.begin <= record.begin < filing.end:
                for day, kind, part in worked_shares(record, zone):
                    worked[day][kind] += part
    except MalformedError:
        return None
    days = [
        DayTotal(day, {kind: found[kind] for kind in WorkClass}, 0) for day, found in worked.items()
    ]
    return billed_of(terms, days)


def _worked(bodies: Iterable[bytes]) -> Iterator[Segment | Declaration]:
    for body in bodies:
        statement = Statement.parse(body)
        record = read_record(statement) if statement.kind in _KINDS else None
        if isinstance(record, Segment | Declaration):
            yield record
