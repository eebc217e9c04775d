"""Replay a case from statements in any order: links, signatures, the fold, values of the beacon.

Rules: order and head follow from the statements alone; every signature is checked against the keys
of the terms. Without the log the instants are those that the signers claim, and values that no
commitment at hand covers are taken as they are: both are for the caller to say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record, move_of
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey
from workseal_protocol.lottery import ChainSide, verify_value
from workseal_protocol.records import BeaconCommitment, DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms


@dataclass(slots=True)
class Beacon:
    """Check values by the commitments at hand; `unverified` counts those that none covers."""

    period_ms: int
    commitments: list[BeaconCommitment] = field(default_factory=list)
    unverified: int = 0

    def released(self, number: int, value: bytes) -> bool:
        """Say whether the value is the committed one, as far as that can be told."""
        covering = [
            one
            for one in self.commitments
            if one.period_ms == self.period_ms
            and one.first_round <= number < one.first_round + one.count
        ]
        if not covering:
            self.unverified += 1
            return True
        first = covering[0]
        try:
            verify_value(
                ChainSide.VERIFIER,
                head=first.head,
                first_round=first.first_round,
                count=first.count,
                round=number,
                value=value,
            )
        except VerificationError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Told:
    """Hold one statement as the replay met it; `until` is the deadline that stood after it."""

    statement: Statement
    move: str
    who: str
    at: int
    state: str
    late: bool
    until: int | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """Hold a case, its statements in their order, and how many values nothing covered."""

    case: Case
    told: tuple[Told, ...]
    unverified: int


def replay(statements: Iterable[Statement], terms: Terms) -> Replayed:
    """Replay the case of these statements; the operator's commitments may stand among them.

    Raises `MalformedError` for statements that are no case, `VerificationError` for one whose
    links, signatures or moves do not hold.
    """
    keys = keys_of(terms)
    beacon = Beacon(terms.round_ms)
    of_case: list[Statement] = []
    for statement in statements:
        check_signer(statement, keys)
        if statement.kind is Kind.BEACON_COMMITMENT:
            record = read_record(statement)
            if isinstance(record, BeaconCommitment):
                beacon.commitments.append(record)
        else:
            of_case.append(statement)
    case, told = _follow(_filing_in(of_case), of_case, terms, beacon)
    return Replayed(case, tuple(told), beacon.unverified)


def keys_of(terms: Terms) -> dict[Digest, PublicKey]:
    """Give the keys that may speak in a case of these terms, by their thumbprints."""
    keys = (terms.client, terms.freelancer, terms.operator, *terms.arbitrators)
    return {key.thumbprint: key for key in keys}


def check_signer(statement: Statement, keys: dict[Digest, PublicKey]) -> None:
    """Check that a key of the terms signed, or raise `VerificationError`."""
    key = keys.get(statement.issuer)
    if key is None:
        raise VerificationError(f"the terms do not name the key that signed a {statement.kind}")
    try:
        statement.verify_signature(key)
    except VerificationError as error:
        raise VerificationError(f"a {statement.kind}: {error}") from error


def _filing_in(statements: Sequence[Statement]) -> Statement:
    filings = [one for one in statements if one.kind is Kind.DISPUTE_FILING]
    if len(filings) != 1:
        raise MalformedError(f"expected one dispute.filing, found {len(filings)}")
    return filings[0]


def _follow(
    filing: Statement, statements: Sequence[Statement], terms: Terms, beacon: Beacon
) -> tuple[Case, list[Told]]:
    """Follow the links from the filing; whatever is left over or comes twice is refused."""
    following: dict[Digest, Statement] = {}
    for statement in statements:
        if statement is filing:
            continue
        prev = _prev_of(statement)
        if prev in following:
            raise VerificationError(f"two statements follow {prev}")
        following[prev] = statement
    at = read_record(filing).claimed_at
    told: list[Told] = []
    try:
        case = Case.begin(filing, at, terms=terms, released=beacon.released)
        told.append(_tell(case, filing, at))
        while case.head in following:
            statement = following.pop(case.head)
            at = max(at, read_record(statement).claimed_at)
            case = case.after(statement, at)
            told.append(_tell(case, statement, at))
    except CaseError as error:
        raise VerificationError(f"statement {len(told)}: {error}") from error
    if following:
        noun = "statement" if len(following) == 1 else "statements"
        raise VerificationError(f"{len(following)} {noun} follow nothing in these files")
    return case, told


def _prev_of(statement: Statement) -> Digest:
    try:
        place = case_record(statement).place
    except CaseError as error:
        raise MalformedError(f"a {statement.kind} is no part of a case") from error
    if place is None:
        raise MalformedError(f"a {statement.kind} names no case")
    return place.prev


def _tell(case: Case, statement: Statement, at: int) -> Told:
    record = read_record(statement)
    return Told(
        statement,
        "filing" if isinstance(record, DisputeFiling) else move_of(case_record(statement)),
        case.statements[statement.digest].name.lower(),
        at,
        str(case.state),
        statement.digest in case.late,
        None if case.due is None else case.due.until,
    )
