"""Check the kept second bodies: each is one that its chain's or its case's signer did sign."""

from collections.abc import Iterator
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KeyLife
from workseal_protocol.keys import Role
from workseal_protocol.records import ChainedRecord, Offer, Record, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.conflicts import logged_beside
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.store.conflicts import Conflict, ConflictStore
from workseal_verifier.store.records import RecordStore

_ELSEWHERE: Final = "it has another engagement or number than the columns"


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
    if getattr(record, "engagement", None) != one.engagement:
        return _ELSEWHERE
    logged = logged_beside(store, one)
    if logged is None or logged == one.body:
        return "the log has no other body under this number"
    first = Statement.parse(logged)
    if not _has_number(one.seq, record, statement, first):
        return _ELSEWHERE
    life = _life(records, events, one.engagement, statement)
    own = Role.FREELANCER in life.roles if life is not None else False
    if not isinstance(record, ChainedRecord):
        own = life is not None and first.issuer == statement.issuer
    return None if own else "the signer of what is logged did not sign it"


def _has_number(seq: int, record: Record, statement: Statement, first: Statement) -> bool:
    if isinstance(record, ChainedRecord):
        return record.seq == seq
    return _prev_of(statement) == _prev_of(first)


def _prev_of(statement: Statement) -> Digest | None:
    """Return which statement one of a case follows."""
    place = getattr(read_record(statement), "place", None)
    return None if place is None else place.prev


def _life(
    records: RecordStore, events: KeyEvents, engagement: bytes, statement: Statement
) -> KeyLife | None:
    """Return the party's key that signed a statement; None when nobody here did."""
    terms = _terms(records, engagement)
    # When it was signed nobody knows: the key may have ended since.
    life = None if terms is None else events.history(terms).lives.get(statement.issuer)
    try:
        if life is not None:
            statement.verify_signature(life.key)
    except VerificationError:
        return None
    return life


def _terms(records: RecordStore, engagement: bytes) -> Terms | None:
    entry = records.first_of(engagement)
    try:
        record = None if entry is None else read_record(Statement.parse(entry.body))
    except MalformedError:
        return None
    return record.terms if isinstance(record, Offer) else None
