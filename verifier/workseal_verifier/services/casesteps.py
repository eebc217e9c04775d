"""The steps of cases, derived again from the statements: for `check-log` and for a rebuilt log.

Rule: nothing that is stored is believed but the statements; the beacon's values are checked by what
was committed to, never by a secret.
"""

from collections.abc import Iterable, Iterator
from functools import partial

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.lottery import was_released
from workseal_protocol.records import Offer, Record, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.casefold import (
    Grounds,
    Path,
    after,
    begun,
    case_row,
    filing_of,
    folded,
)
from workseal_verifier.services.keyevents import KeyEvents
from workseal_verifier.store.logrows import BeaconRow, CaseRow
from workseal_verifier.store.records import RecordStore


def case_problems(
    records: RecordStore, events: KeyEvents, expected: int, size: int
) -> Iterator[str]:
    """Give one line for each case whose steps are not what its statements say."""
    stored = records.cases.count()
    if stored != expected:
        yield f"case steps: {stored} rows, and the log has {expected} statements of cases"
    rows = records.beacons()
    for filing in records.cases.filings():
        if (problem := _problem(records, events, rows, filing, size)) is not None:
            yield f"case {filing}: {problem}"


def _problem(
    records: RecordStore, events: KeyEvents, rows: list[BeaconRow], filing: Digest, size: int
) -> str | None:
    told = records.cases.statements(filing, below=size)
    steps = records.cases.steps(filing, below=size)
    if not steps:
        return "its steps stand where the log has no statements"
    try:
        statements = [Statement.parse(body) for _, body in told]
        terms = _terms_of(records, steps[0].engagement)
        if terms is None:
            return "its engagement has no offer"
        cases = folded(statements, _grounds(terms, rows, events.path))
    except (MalformedError, VerificationError) as error:
        return f"its statements are not those of one case: {error}"
    places = [place for place, _ in told]
    if steps != [case_row(case, place) for case, place in zip(cases, places, strict=True)]:
        return "its steps are not what its statements say"
    return None


class CaseRebuilder:
    """Derive the steps of statements that are appended without having been admitted here.

    `terms` finds those of an engagement, of what is appended too.
    """

    def __init__(self, records: RecordStore, events: KeyEvents, rows: Iterable[BeaconRow]) -> None:
        self._records = records
        self._path = events.path
        self._rows = list(rows)
        self._terms: dict[bytes, Terms] = {}
        self._cases: dict[Digest, Case] = {}

    def step(self, place: int, statement: Statement, record: Record) -> CaseRow | None:
        """Give the step of a statement at its place, in log order; None for one of no case."""
        if isinstance(record, Offer):
            self._terms[record.engagement] = record.terms
        filing = filing_of(statement, record)
        if filing is None:
            return None
        terms = self._terms.get(getattr(record, "engagement", b""))
        case = self._cases.get(filing) or self._stored(filing, place)
        if case is not None:
            case = after(case, statement, self._path)
        else:
            terms = terms or _terms_of(self._records, getattr(record, "engagement", b""))
            if terms is None:
                raise VerificationError("its engagement has no offer")
            case = begun(statement, _grounds(terms, self._rows, self._path))
        self._cases[filing] = case
        return case_row(case, place)

    def _stored(self, filing: Digest, below: int) -> Case | None:
        told = self._records.cases.statements(filing, below=below)
        row = self._records.cases.last(filing, below=below)
        terms = None if row is None else _terms_of(self._records, row.engagement)
        if not told or terms is None:
            return None
        statements = (Statement.parse(body) for _, body in told)
        return folded(statements, _grounds(terms, self._rows, self._path))[-1]


def _grounds(terms: Terms, rows: Iterable[BeaconRow], path: Path) -> Grounds:
    return Grounds(terms, partial(was_released, tuple(rows), terms.round_ms), path)


def _terms_of(records: RecordStore, engagement: bytes) -> Terms | None:
    entry = records.first_of(engagement)
    record = None if entry is None else read_record(Statement.parse(entry.body))
    return record.terms if isinstance(record, Offer) else None
