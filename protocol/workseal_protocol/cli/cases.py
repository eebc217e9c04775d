"""`workseal case`: replay a case from its statements; say where it stands and who must act.

Rules: order and head follow from the statements alone; every signature is checked against the keys
of the terms. Without the log the instants are those that the signers claim, and without the
operator's commitments the values of the beacon are taken as they are: both are said.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workseal_protocol.cli.files import read_bytes
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.cli.parties import read_agreed
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.text import count, instant, plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, CaseError, case_record, meaning, move_of
from workseal_protocol.encoding import MAX_BYTES, read_item
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import PublicKey
from workseal_protocol.lottery import ChainSide, verify_value
from workseal_protocol.records import BeaconCommitment, DisputeFiling, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms

# A case has at most 400 statements; the operator's commitments come on top.
MAX_FILES: Final = 1_000
_TAG_18: Final = 0xD2
# How many percent of false frames the sentence about a sample asks about.
_QUESTION: Final = 20


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
class _Told:
    """Hold one statement as the replay met it."""

    statement: Statement
    move: str
    who: str
    at: int
    state: str
    late: bool


def case(options: argparse.Namespace) -> int:
    """Replay a case and print it."""
    replayed, told, beacon = replay_files(options.terms, options.files)
    if options.json:
        print(json.dumps(_as_json(replayed, told, beacon), indent=1, ensure_ascii=False))
    else:
        _print(replayed, told, beacon)
    return HOLDS


def replay_files(terms: Path, files: Sequence[Path]) -> tuple[Case, list[_Told], Beacon]:
    """Read the terms and the statements of one case, check who signed them, and replay them."""
    agreed = read_agreed(terms)
    keys = _keys_of(agreed.terms)
    statements = _read_all(files)
    beacon = Beacon(agreed.terms.round_ms)
    for statement in statements:
        _check_signer(statement, keys)
        if statement.kind is Kind.BEACON_COMMITMENT:
            record = read_record(statement)
            if isinstance(record, BeaconCommitment):
                beacon.commitments.append(record)
    of_case = [one for one in statements if one.kind is not Kind.BEACON_COMMITMENT]
    replayed, told = _replay(_filing_in(of_case), of_case, agreed.terms, beacon)
    if replayed.filing.engagement != agreed.engagement:
        raise CommandError("the case belongs to another engagement than the terms", DOES_NOT_HOLD)
    return replayed, told, beacon


# --- reading ---


def _read_all(paths: Sequence[Path]) -> list[Statement]:
    if len(paths) > MAX_FILES:
        raise CommandError(f"expected at most {MAX_FILES} files, found {len(paths)}")
    found: dict[Digest, Statement] = {}
    for path in paths:
        for statement in _read_file(path):
            found[statement.digest] = statement
    return list(found.values())


def _read_file(path: Path) -> list[Statement]:
    """Read a file of one statement or of several, one after the other."""
    data = read_bytes(path, limit=MAX_FILES * MAX_BYTES // 16, what="file")
    statements: list[Statement] = []
    at = 0
    try:
        while at < len(data) or not statements:
            _, end = read_item(data, at + (data[at : at + 1] == bytes((_TAG_18,))))
            statements.append(Statement.parse(data[at:end]))
            read_record(statements[-1])
            at = end
    except MalformedError as error:
        message = f"{path} is no file of statements: number {len(statements)}: {error}"
        raise CommandError(message) from error
    return statements


def _keys_of(terms: Terms) -> dict[Digest, PublicKey]:
    keys = (terms.client, terms.freelancer, terms.operator, *terms.arbitrators)
    return {key.thumbprint: key for key in keys}


def _check_signer(statement: Statement, keys: dict[Digest, PublicKey]) -> None:
    key = keys.get(statement.issuer)
    if key is None:
        message = f"the terms do not name the key that signed a {statement.kind}"
        raise CommandError(message, DOES_NOT_HOLD)
    try:
        statement.verify_signature(key)
    except VerificationError as error:
        raise CommandError(f"a {statement.kind}: {error}", DOES_NOT_HOLD) from error


def _filing_in(statements: Sequence[Statement]) -> Statement:
    filings = [one for one in statements if one.kind is Kind.DISPUTE_FILING]
    if len(filings) != 1:
        raise CommandError(f"expected one dispute.filing, found {len(filings)}")
    return filings[0]


# --- replaying ---


def _replay(
    filing: Statement, statements: Sequence[Statement], terms: Terms, beacon: Beacon
) -> tuple[Case, list[_Told]]:
    """Follow the links from the filing; whatever is left over or comes twice is refused."""
    following: dict[Digest, Statement] = {}
    for statement in statements:
        if statement is filing:
            continue
        prev = _prev_of(statement)
        if prev in following:
            raise CommandError(f"two statements follow {prev}", DOES_NOT_HOLD)
        following[prev] = statement
    at = read_record(filing).claimed_at
    told: list[_Told] = []
    try:
        replayed = Case.begin(filing, at, terms=terms, released=beacon.released)
        told.append(_tell(replayed, filing, at))
        while replayed.head in following:
            statement = following.pop(replayed.head)
            at = max(at, read_record(statement).claimed_at)
            replayed = replayed.after(statement, at)
            told.append(_tell(replayed, statement, at))
    except CaseError as error:
        raise CommandError(f"statement {len(told)}: {error}", DOES_NOT_HOLD) from error
    if following:
        left = count(len(following), "statement")
        raise CommandError(f"{left} follow nothing in these files", DOES_NOT_HOLD)
    return replayed, told


def _prev_of(statement: Statement) -> Digest:
    try:
        place = case_record(statement).place
    except CaseError as error:
        raise CommandError(f"a {statement.kind} is no part of a case") from error
    if place is None:
        raise CommandError(f"a {statement.kind} names no case")
    return place.prev


def _tell(replayed: Case, statement: Statement, at: int) -> _Told:
    record = read_record(statement)
    return _Told(
        statement,
        "filing" if isinstance(record, DisputeFiling) else move_of(case_record(statement)),
        replayed.statements[statement.digest].name.lower(),
        at,
        str(replayed.state),
        statement.digest in replayed.late,
    )


# --- telling ---


def _print(replayed: Case, told: Sequence[_Told], beacon: Beacon) -> None:
    filing = replayed.filing
    print(f"case {replayed.case}, {filing.claim.name.lower().replace('_', ' ')}")
    print(f"hours from {instant(filing.begin)} to {instant(filing.end)}")
    print(f"at stake {filing.amount} minor units of {plain(replayed.terms.currency)}")
    for number, one in enumerate(told):
        late = "  late" if one.late else ""
        print(f"  {number:3d} {instant(one.at)} {one.who:<10} {one.move:<10} -> {one.state}{late}")
    print(f"head {replayed.head}")
    for line in _standing(replayed):
        print(line)
    print("instants are those that the signers claim: the log's own are not at hand")
    if beacon.unverified:
        print("values of the beacon are not checked: no beacon.commitment covers them")


def _standing(replayed: Case) -> list[str]:
    lines = [f"state {replayed.state}"]
    if replayed.due is not None:
        waiting = ", ".join(sorted(role.name.lower() for role in replayed.waiting_for))
        lines.append(f"until {_until(replayed)}: {waiting or 'nobody'}")
    if replayed.drawn is not None and replayed.sample is not None:
        lines.append(meaning(replayed.sample.freeze.strata, replayed.sample.size, _QUESTION))
    for who, moves in _next(replayed).items():
        lines.append(f"next, {who}: {', '.join(moves)}")
    return lines


def _until(replayed: Case) -> str:
    deadline = replayed.due
    if deadline is None:
        return "no deadline"
    due = deadline.due
    if due is None or zone_named(due.zone) is None:
        return instant(deadline.until)
    days = count(due.days, "working day")
    return f"{instant(deadline.until)}, the end of its day in {due.zone} ({days} of {due.calendar})"


def _next(replayed: Case) -> dict[str, tuple[str, ...]]:
    """Give the moves of each role; of the panel, those of the drawn arbitrator or of all."""
    found: dict[str, tuple[str, ...]] = {}
    for key, role in replayed.parties.roles.items():
        moves = tuple(sorted(set(replayed.allowed(key))))
        if moves and len(moves) >= len(found.get(role.name.lower(), ())):
            found[role.name.lower()] = moves
    return found


def _as_json(replayed: Case, told: Sequence[_Told], beacon: Beacon) -> dict[str, object]:
    deadline = replayed.due
    return {
        "case": str(replayed.case),
        "head": str(replayed.head),
        "state": str(replayed.state),
        "until": None if deadline is None else deadline.until,
        "waiting_for": sorted(role.name.lower() for role in replayed.waiting_for),
        "allowed": {who: list(moves) for who, moves in _next(replayed).items()},
        "limit": replayed.limit,
        "level": replayed.reached,
        "drawn": None if replayed.drawn is None else list(replayed.drawn),
        "statements": [
            {
                "digest": str(one.statement.digest),
                "move": one.move,
                "by": one.who,
                "claimed_at": one.at,
                "state": one.state,
                "late": one.late,
            }
            for one in told
        ],
        "unverified_beacon_values": beacon.unverified,
    }
