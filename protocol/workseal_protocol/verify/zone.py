"""The zone that a bundle's terms name, for who is to bring its data before anything is verified.

Rule: it is a name out of an unverified file. The examination says whose days it cut: where that is
not the zone of the terms that held, its sums are of other days.
"""

from workseal_protocol.bundle import MAX_STATEMENTS, read_archive
from workseal_protocol.encoding import each_of_sequence
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import Acceptance, read_record
from workseal_protocol.statement import Kind, Statement


def agreed_zone(data: bytes) -> str | None:
    """Return the zone that a bundle's first acceptance names; None where it has none to read."""
    try:
        return zone_in(dict(read_archive(data)).get("statements.cbor", b""))
    except MalformedError:
        return None


def zone_in(statements: bytes) -> str | None:
    """Return the same of a bundle's statements, or raise `MalformedError`."""
    # The acceptance is one of the first.
    for item in each_of_sequence(statements, max_items=MAX_STATEMENTS):
        statement = Statement.parse(item)
        if statement.kind is Kind.ACCEPTANCE:
            record = read_record(statement)
            return record.terms.zone if isinstance(record, Acceptance) else None
    return None
