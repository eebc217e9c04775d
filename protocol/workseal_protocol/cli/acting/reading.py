"""A case as a verifier has it, replayed here: nothing that it says of the case is believed.

Rules: the filing is known by its digest, which is the case's name; all else follows by links,
signatures of the keys of the terms and of those that replaced them, and the fold. A history that
lacks what it showed before is refused, and so is a head that the statements do not give.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from workseal_protocol.casefile.casebeacon import Beacon
from workseal_protocol.casefile.exhibits import handed_over
from workseal_protocol.casefile.speakers import Speakers, keyless_in
from workseal_protocol.cli.acting.known import Known, Listed
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record, move_of
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    BeaconCommitment,
    DisputeFiling,
    KeyRecord,
    KeyRotate,
    Record,
    read_record,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

MAX_STATEMENTS: Final = 400


class CaseSource(Protocol):
    """Answer as a verifier does; nothing of it is trusted."""

    def told(self, case: Digest) -> tuple[Digest, str]:
        """Return head and state as the verifier says them."""
        ...

    def statements(self, case: Digest) -> bytes:
        """Return the statements of a case, filing first, one after the other."""
        ...

    def listing(self, engagement: bytes, since: int) -> Listed:
        """Give (index, statement) of an engagement from an index on, in the log's order."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one statement as the replay met it."""

    statement: Statement
    record: Record
    move: str
    by: Role
    at: int
    state: str
    late: bool

    @property
    def handed_over(self) -> Digest | None:
        """Return the digest of what went beside it, salt and all; None where nothing did."""
        return handed_over(self.record)


@dataclass(frozen=True, slots=True)
class Live:
    """Hold a case that was replayed, its steps, and how many beacon values nothing covered.

    `keyless` are those who have no key left to act with.
    """

    case: Case
    steps: tuple[Step, ...]
    unverified: int = 0
    rotations: tuple[Statement, ...] = ()
    keyless: frozenset[Role] = frozenset()

    @property
    def said(self) -> list[tuple[Digest, Record]]:
        """Return what each of its statements says."""
        return [(one.statement.digest, one.record) for one in self.steps]

    @property
    def data(self) -> bytes:
        """Return its statements, one after the other."""
        return b"".join(one.statement.encode() for one in self.steps)

    @property
    def carried(self) -> bytes:
        """Return its statements, and the rotations without which they do not replay elsewhere."""
        return self.data + b"".join(one.encode() for one in self.rotations)

    def statement(self, digest: Digest) -> Statement | None:
        """Return one of its statements."""
        found = (one.statement for one in self.steps if one.statement.digest == digest)
        return next(found, None)

    @property
    def open_request(self) -> Statement:
        """Return the request for frames that the case is about, or raise `CommandError`."""
        digest = self.case.request
        found = None if digest is None else self.statement(digest)
        if found is None:
            raise CommandError("no frames are asked for in this case", DOES_NOT_HOLD)
        return found

    def has(self, digest: Digest) -> bool:
        """Say whether a statement is part of the case."""
        return digest in self.case.statements


def read_live(
    source: CaseSource,
    name: Digest,
    known_of: Callable[[bytes], Known],
    *,
    own: Digest,
    before: bytes = b"",
) -> Live:
    """Fetch a case and replay it; `before` is what was shown of it earlier.

    `known_of` learns what there is to know of an engagement, by its number.

    Raises `CommandError` when the verifier's statements do not give the head that it says, lack
    what it showed before, or are not those of the case.
    """
    for _ in range(2):
        head, state = source.told(name)
        statements = split_case(source.statements(name))
        engagement = _engagement_of(statements, name)
        live = replayed(statements, known_of(engagement), own=own)
        if live.case.head == head:
            break
        # It may have moved on between the two answers; then the next two agree.
    else:
        raise CommandError(
            f"the verifier says that the head is {head} ({state[:20]}), its statements give"
            f" {live.case.head} ({live.case.state})",
            DOES_NOT_HOLD,
        )
    if not live.data.startswith(before):
        raise CommandError(
            "the verifier shows another history of this case than it did before; keep both, for"
            " they are evidence",
            DOES_NOT_HOLD,
        )
    return live


def replayed(statements: Sequence[Statement], known: Known, *, own: Digest) -> Live:
    """Replay statements that stand in the order of their case, or raise `CommandError`."""
    terms = known.terms
    speakers, rotations = speakers_of(known)
    if own not in speakers.parties.roles:
        raise CommandError("the terms do not name the key of this file", DOES_NOT_HOLD)
    try:
        # In the order in which the verifier lists them; since when each bound is not looked at.
        made = _commitments(known, speakers.history)
        beacon = Beacon(terms.round_ms, shown=[(one, None) for one in made])
        live = _fold(statements, terms, speakers, beacon)
        return replace(live, rotations=rotations, keyless=_keyless(live.case, speakers))
    except MalformedError as error:
        raise CommandError(f"the verifier shows what is no case: {error}", 1) from error
    except VerificationError as error:
        raise CommandError(f"the case does not hold: {error}", DOES_NOT_HOLD) from error


def _keyless(case: Case, speakers: Speakers) -> frozenset[Role]:
    persons = speakers.parties.persons
    return keyless_in(case, speakers.history, lambda key: persons.get(key, key))


def split_case(data: bytes) -> list[Statement]:
    """Read the statements of a case that stand one after the other."""
    try:
        return [Statement.parse(one) for one in split_sequence(data, max_items=MAX_STATEMENTS)]
    except MalformedError as error:
        raise CommandError(f"the verifier shows what is no case: {error}", 1) from error


def _engagement_of(statements: Sequence[Statement], name: Digest) -> bytes:
    """Return the engagement of the filing that a case is named by."""
    found = statements[0].digest if statements else "none"
    if found != name:
        raise CommandError(
            f"the verifier shows another case: expected {name}, found {found}", DOES_NOT_HOLD
        )
    try:
        record = read_record(statements[0])
    except MalformedError as error:
        raise CommandError(f"the verifier shows what is no case: {error}", 1) from error
    if not isinstance(record, DisputeFiling):
        raise CommandError(f"expected a filing, found a {statements[0].kind}", DOES_NOT_HOLD)
    return record.engagement


def speakers_of(known: Known) -> tuple[Speakers, tuple[Statement, ...]]:
    """Follow what became of the keys of the terms; returns the rotations that had force, too."""
    terms = known.terms
    keys = KeyHistory.start(
        {
            Role.CLIENT: (terms.client,),
            Role.FREELANCER: (terms.freelancer,),
            Role.OPERATOR: (terms.operator,),
            Role.ARBITRATOR: terms.arbitrators,
        }
    )
    rotations: list[tuple[Statement, KeyRotate]] = []
    for index, body in known.kept:
        statement = Statement.parse(body)
        record = read_record(statement)
        if not isinstance(record, KeyRecord):
            continue
        # One without force here is not of these parties, and changes nothing.
        with suppress(VerificationError):
            keys = keys.advance(index, statement, record)
            if isinstance(record, KeyRotate) and keys.lives[record.old].roles:
                rotations.append((statement, record))
    speakers = Speakers.of_log(terms, keys, (record for _, record in rotations))
    return speakers, tuple(statement for statement, _ in rotations)


def _commitments(known: Known, keys: KeyHistory) -> list[BeaconCommitment]:
    found: list[BeaconCommitment] = []
    for index, body in known.kept:
        statement = Statement.parse(body)
        record = read_record(statement)
        if isinstance(record, BeaconCommitment):
            keys.check_signature(statement, index)
            found.append(record)
    return found


def _fold(
    statements: Sequence[Statement],
    terms: Terms,
    speakers: Speakers,
    beacon: Beacon,
) -> Live:
    steps: list[Step] = []
    case: Case | None = None
    begin = partial(Case.begin, terms=terms, released=beacon.released, parties=speakers.parties)
    for number, statement in enumerate(statements):
        record = read_record(statement)
        at = getattr(record, "claimed_at", 0)
        try:
            life = speakers.history.lives.get(statement.issuer)
            if life is None:
                raise VerificationError("it is not signed by a key of the parties")
            statement.verify_signature(life.key)
            if case is None:
                case = begin(statement, at)
            else:
                at = max(at, case.known_at)
                case = case.after(statement, at)
        except CaseError as error:
            raise VerificationError(f"statement {number}: {error}") from error
        steps.append(_step(case, statement, record, at))
    if case is None:
        raise MalformedError("it has no statements")
    # The verifier's order of keys and acts is its word; that of the case is not.
    speakers.check_order(one.statement for one in steps)
    return Live(case, tuple(steps), beacon.unverified)


def _step(case: Case, statement: Statement, record: Record, at: int) -> Step:
    move = "filing" if isinstance(record, DisputeFiling) else move_of(case_record(statement))
    by = case.statements[statement.digest]
    late = statement.digest in case.late
    return Step(statement, record, move, by, at, str(case.state), late)
