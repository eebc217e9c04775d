"""Replay a case from statements in any order: links, signatures, the fold, values of the beacon.

Rules: order and head follow from the statements alone; every signature is checked against the keys
of the terms and those that replaced them. Of two that follow one statement the log says which came
first; that one counts, if the case allows it there; an act of the operator that claims a false
instant counts where others went on from it alone. Without the log the instants are those that the
signers claim, and values that no commitment at hand covers are taken as they are: both are for the
caller to say.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from workseal_protocol.casefile.casebeacon import Beacon
from workseal_protocol.casefile.logged import Logged
from workseal_protocol.casefile.misdated import Places
from workseal_protocol.casefile.speakers import Speakers
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record, move_of
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KEY_KINDS
from workseal_protocol.records import BeaconCommitment, DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms


@dataclass(frozen=True, slots=True)
class Told:
    """Hold one statement as the replay met it; `until` is the deadline that stood after it.

    `case` is the case after it.
    """

    statement: Statement
    move: str
    who: str
    at: int
    state: str
    late: bool
    until: int | None
    case: Case = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Replayed:
    """Hold a case, its statements in their order, and how well its drawn values are known.

    Nothing at hand covers `unverified` of them; `unshown` are those whose commitment no log at hand
    shows before their round was set. What the log took `beside` the case stands in its order.
    """

    case: Case
    told: tuple[Told, ...]
    unverified: int
    unshown: int
    beside: tuple[Statement, ...] = ()


@dataclass(slots=True)
class _Given:
    """Sort what is given by what it is."""

    of_case: list[Statement] = field(default_factory=list)
    of_keys: list[Statement] = field(default_factory=list)
    of_beacon: list[Statement] = field(default_factory=list)

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> "_Given":
        given = cls()
        for one in statements:
            if one.kind is Kind.BEACON_COMMITMENT:
                given.of_beacon.append(one)
            elif one.kind in KEY_KINDS:
                given.of_keys.append(one)
            else:
                given.of_case.append(one)
        return given


def replay(statements: Iterable[Statement], terms: Terms, logged: Logged | None = None) -> Replayed:
    """Replay the case of these statements; `logged` is what a verified bundle shows of its log.

    The operator's commitments may stand among them and, without a log, rotations of the parties'
    keys. Raises `MalformedError` for statements that are no case, `VerificationError` for one
    whose links, signatures or moves do not hold.
    """
    given = _Given.of(statements)
    speakers = Speakers.of_files(terms, given.of_keys) if logged is None else logged.speakers
    known = Logged.nothing(speakers) if logged is None else logged
    for statement in (*given.of_beacon, *given.of_case):
        speakers.check(statement, known.index(statement))
    beacon = Beacon(terms.round_ms, shown=known.commitments)
    for statement in given.of_beacon:
        record = read_record(statement)
        if isinstance(record, BeaconCommitment):
            beacon.commitments.append(record)
    filing, links = _filing_in(given.of_case), _Links.of(given.of_case, known)
    case, told = _follow(filing, links, terms, (beacon, speakers))
    speakers.check_order(one.statement for one in told)
    beside = links.left_beside(told)
    return Replayed(case, tuple(told), beacon.unverified, beacon.unshown, beside)


def _filing_in(statements: Sequence[Statement]) -> Statement:
    filings = [one for one in statements if one.kind is Kind.DISPUTE_FILING]
    if len(filings) != 1:
        raise MalformedError(f"expected one dispute.filing, found {len(filings)}")
    return filings[0]


@dataclass(slots=True)
class _Links:
    """Hold what follows each statement, and its place in the log."""

    known: Logged
    after: defaultdict[Digest, list[Statement]]

    @classmethod
    def of(cls, statements: Iterable[Statement], known: Logged) -> "_Links":
        after: defaultdict[Digest, list[Statement]] = defaultdict(list)
        for statement in statements:
            if statement.kind is not Kind.DISPUTE_FILING:
                after[_prev_of(statement)].append(statement)
        for prev, following in after.items():
            # Which came first says the log alone, and of each once.
            places = {known.index(one) for one in following}
            if len(following) > 1 and (None in places or len(places) < len(following)):
                raise VerificationError(f"two statements follow {prev}")
        return cls(known, after)

    def following(self, case: Case) -> list[Statement]:
        """Give what follows the head of a case, by the places that it counts by."""
        places = Places(self.known, self.after)
        found = ((places.of(case, one), one) for one in self.after.get(case.head, ()))
        counting = [(place, one) for place, one in found if place is not None]
        return [one for _, one in sorted(counting, key=itemgetter(0))]

    def left_beside(self, told: Sequence[Told]) -> tuple[Statement, ...]:
        """Give what the log took beside the case; `VerificationError` for what is loose."""
        counted = {one.statement.digest for one in told}
        reached = [one.statement.digest for one in told]
        beside: list[Statement] = []
        for digest in reached:
            here = [one for one in self.after.pop(digest, ()) if one.digest not in counted]
            reached += [one.digest for one in here]
            beside += here
        loose = [one for following in self.after.values() for one in following]
        loose += [one for one in beside if self.known.index(one) is None]
        if loose:
            noun = "statement" if len(loose) == 1 else "statements"
            raise VerificationError(f"{len(loose)} {noun} follow nothing in these files")
        return tuple(sorted(beside, key=self._place))

    def _place(self, statement: Statement) -> int:
        index = self.known.index(statement)
        return -1 if index is None else index


def _follow(
    filing: Statement, links: _Links, terms: Terms, known: tuple[Beacon, Speakers]
) -> tuple[Case, list[Told]]:
    """Follow the links from the filing to the end."""
    beacon, speakers = known
    at = read_record(filing).claimed_at
    told: list[Told] = []
    try:
        case = Case.begin(
            filing, at, terms=terms, released=beacon.released, parties=speakers.parties
        )
        told.append(_tell(case, filing, at))
        while following := links.following(case):
            beacon.set_at = case.round_set_at
            case, statement, at = _first_allowed(case, following, at, beacon)
            told.append(_tell(case, statement, at))
    except CaseError as error:
        raise VerificationError(f"statement {len(told)}: {error}") from error
    return case, told


def _first_allowed(
    case: Case, following: Sequence[Statement], at: int, beacon: Beacon
) -> tuple[Case, Statement, int]:
    """Go on with the first that the case allows, or raise the last one's `CaseError`."""
    for statement in following[:-1]:
        counts = beacon.unverified, beacon.unshown
        try:
            return _gone_on(case, statement, at)
        except CaseError:
            # What is not allowed drew nothing.
            beacon.unverified, beacon.unshown = counts
    return _gone_on(case, following[-1], at)


def _gone_on(case: Case, statement: Statement, at: int) -> tuple[Case, Statement, int]:
    known_at = max(at, read_record(statement).claimed_at)
    return case.after(statement, known_at), statement, known_at


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
        case,
    )
