"""A case as the log folds it: the protocol's own fold, and the instants and keys that it asks for.

Rules: the instant of a statement is the one that it claims, or that of the statement before if that
is later, so that whoever has the statements alone comes to the same state. What makes it true is
that the log takes a statement only within `BACK_MS` of its own clock (docs/adr/0057). A key that
came by rotation speaks for the person whose key stands in the terms.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CLOSED, Case, Parties, Released, State, case_record
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    Record,
    read_record,
)
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.records import RecordStore

# A case that has ended: only its sealing and destruction follow.
ENDED: Final = CLOSED | {State.SEALED, State.PURGED}
CASE_KINDS: Final = (
    Kind.DISPUTE_FILING.value,
    Kind.DISPUTE_ACT.value,
    Kind.DISPUTE_REQUEST.value,
    Kind.DISPUTE_DISCLOSURE.value,
    Kind.DISPUTE_FINDING.value,
)

# Lists the keys that led to a key by rotation, the first one first, and itself.
Path = Callable[[Digest], Sequence[Digest]]


@dataclass(frozen=True, slots=True)
class Grounds:
    """Hold what a case is folded by: its terms, the committed values, and the paths of keys."""

    terms: Terms
    released: Released
    path: Path


def begun(statement: Statement, grounds: Grounds) -> Case:
    """Begin a case with its filing, or raise `CaseError` or `MalformedError`."""
    terms, known_at = grounds.terms, read_record(statement).claimed_at
    parties = _knowing(Parties.of(terms), statement.issuer, grounds.path)
    return Case.begin(statement, known_at, terms=terms, released=grounds.released, parties=parties)


def after(case: Case, statement: Statement, path: Path) -> Case:
    """Give the case after one more statement, or raise `CaseError` or `MalformedError`."""
    at = max(case_record(statement).claimed_at, case.known_at)
    return knowing(case, statement.issuer, path).after(statement, at)


def folded(statements: Iterable[Statement], grounds: Grounds) -> list[Case]:
    """Fold a case's statements, filing first; give the case after each of them."""
    cases: list[Case] = []
    for statement in statements:
        if cases:
            cases.append(after(cases[-1], statement, grounds.path))
        else:
            cases.append(begun(statement, grounds))
    return cases


def stored_case(
    records: RecordStore, filing: Digest, grounds: Grounds, *, engagement: bytes, below: int
) -> Case | None:
    """Fold a case of an engagement from its stored statements; None when it has none such."""
    row = records.cases.last(filing, below=below)
    if row is None or row.engagement != engagement:
        return None
    told = records.cases.statements(filing, below=below)
    return folded((Statement.parse(body) for _, body in told), grounds)[-1]


def knowing(case: Case, key: Digest, path: Path) -> Case:
    """Let a key that came by rotation speak for its person in a case."""
    parties = _knowing(case.parties, key, path)
    return case if parties is case.parties else replace(case, parties=parties)


def _knowing(parties: Parties, key: Digest, path: Path) -> Parties:
    if key in parties.roles:
        return parties
    for old, new in pairwise(path(key)):
        if old in parties.roles and new not in parties.roles:
            parties = parties.succeeded(old, new)
    return parties


def filing_of(statement: Statement, record: Record) -> Digest | None:
    """Name the case that a statement is part of; None for one of no case."""
    if isinstance(record, DisputeFiling):
        return statement.digest
    if isinstance(record, DisputeAct | DisputeRequest | DisputeDisclosure | DisputeFinding):
        return None if record.place is None else record.place.case
    return None


def filer_of(filing: Statement, terms: Terms, path: Path) -> Role | None:
    """Name the party that signed a filing; None for one of nobody whom the terms name."""
    return _knowing(Parties.of(terms), filing.issuer, path).roles.get(filing.issuer)


def case_row(case: Case, place: int) -> CaseRow:
    """Make the stored form of where a case stands after the statement at a place."""
    return CaseRow(
        position=place,
        filing=case.case,
        engagement=case.filing.engagement,
        state=case.state.value,
        until_ms=None if case.due is None else case.due.until,
    )
