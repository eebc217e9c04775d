"""Check the kept second bodies of forked chains: each is one that the freelancer did sign."""

from collections.abc import Iterator

from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Role
from workseal_protocol.records import ChainedRecord, Offer, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.conflicts import CHAINED
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.store.conflicts import Conflict, ConflictStore
from workseal_verifier.store.records import RecordStore


def fork_problems(records: RecordStore, events: KeyEvents) -> Iterator[str]:
    """Give one line for each kept body that proves nothing; that one is missing nobody can tell."""
    store = ConflictStore(records.database)
    for one in store.all():
        problem = _problem(store, records, events, one)
        if problem is not None:
            yield f"conflict under number {one.seq}: {problem}"


def _problem(
    store: ConflictStore, records: RecordStore, events: KeyEvents, one: Conflict
) -> str | None:
    if Digest.of(one.body) != one.digest:
        return "its bytes have another digest than the column"
    try:
        statement = Statement.parse(one.body)
        record = read_record(statement)
    except MalformedError as error:
        return f"malformed: {error}"
    if not isinstance(record, ChainedRecord) or (record.engagement, record.seq) != (
        one.engagement,
        one.seq,
    ):
        return "it has another engagement or number than the columns"
    if store.logged(one.engagement, CHAINED, one.seq) in {None, one.body}:
        return "the log has no other body under this number"
    terms = _terms(records, one.engagement)
    if terms is None or not _is_freelancers(events, terms, statement):
        return "the freelancer did not sign it"
    return None


def _terms(records: RecordStore, engagement: bytes) -> Terms | None:
    entry = records.first_of(engagement)
    try:
        record = None if entry is None else read_record(Statement.parse(entry.body))
    except MalformedError:
        return None
    return record.terms if isinstance(record, Offer) else None


def _is_freelancers(events: KeyEvents, terms: Terms, statement: Statement) -> bool:
    # When it was signed nobody knows: the key may have ended since.
    life = events.history(terms).lives.get(statement.issuer)
    if life is None or Role.FREELANCER not in life.roles:
        return False
    try:
        statement.verify_signature(life.key)
    except VerificationError:
        return False
    return True
