"""`workseal case`: replay a case from its statements; say where it stands and who must act.

Rules: order and head follow from the statements alone; every signature is checked against the keys
of the terms, and those that replaced them where the files have their rotations. Without the log the
instants are those that the signers claim, and without the operator's commitments the values of the
beacon are taken as they are: both are said.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from workseal_protocol.casefile import Replayed, replay
from workseal_protocol.cli.casesums import Ending, Said, ending_of, ending_value, who_pays
from workseal_protocol.cli.files import read_bytes
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.cli.parties import read_agreed, rotations_in
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.sampled import SampleTold, sample_told
from workseal_protocol.cli.text import count, instant
from workseal_protocol.dispute import Case
from workseal_protocol.encoding import MAX_BYTES, read_item
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.records import read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import amount_text

# A case has at most 400 statements; the operator's commitments come on top.
MAX_FILES: Final = 1_000
_TAG_18: Final = 0xD2


def case(options: argparse.Namespace) -> int:
    """Replay a case and print it."""
    found = replay_files(options.terms, options.files)
    if options.json:
        print(json.dumps(_as_json(found), indent=1))
    else:
        _print(found)
    return HOLDS


def replay_files(terms: Path, files: Sequence[Path]) -> Replayed:
    """Read the terms and the statements of one case, check who signed them, and replay them.

    Keys that replaced those of the terms are followed by their rotations, which stand among the
    files or in the bundle that has the terms.
    """
    agreed = read_agreed(terms)
    try:
        found = replay([*read_all(files), *rotations_in(terms)], agreed.terms)
    except MalformedError as error:
        raise CommandError(str(error)) from error
    except VerificationError as error:
        raise CommandError(str(error), DOES_NOT_HOLD) from error
    if found.case.filing.engagement != agreed.engagement:
        raise CommandError("the case belongs to another engagement than the terms", DOES_NOT_HOLD)
    return found


# --- reading ---


def read_all(paths: Sequence[Path]) -> list[Statement]:
    """Read the statements in these files, each once; `CommandError` names the file that fails."""
    if len(paths) > MAX_FILES:
        raise CommandError(f"expected at most {MAX_FILES} files, found {len(paths)}")
    read = (statement for path in paths for statement in _read_file(path))
    return list({statement.digest: statement for statement in read}.values())


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


# --- telling ---


def _print(found: Replayed) -> None:
    replayed = found.case
    filing = replayed.filing
    print(f"case {replayed.case}, {filing.claim.name.lower().replace('_', ' ')}")
    print(f"hours from {instant(filing.begin)} to {instant(filing.end)}")
    currency = replayed.terms.currency
    print(f"at stake {amount_text(filing.amount, currency)}")
    if (ending := ended(found)) is not None:
        print(f"{ending.words(currency)}, by {ending.statement}")
    print(who_pays(filing.claim, replayed.filer))
    for number, one in enumerate(found.told):
        late = "  late" if one.late else ""
        print(f"  {number:3d} {instant(one.at)} {one.who:<10} {one.move:<10} -> {one.state}{late}")
    print(f"head {replayed.head}")
    for line in _standing(found):
        print(line)
    print("instants are those that the signers claim: the log's own are not at hand")
    if found.unverified:
        print("values of the beacon are not checked: no beacon.commitment covers them")
    if found.unshown:
        print("that the operator committed to its values before they drew, only its log shows")


def _standing(found: Replayed) -> list[str]:
    replayed = found.case
    lines = [f"state {replayed.state}"]
    if replayed.due is not None:
        waiting = ", ".join(sorted(role.name.lower() for role in replayed.waiting_for))
        lines.append(f"until {_until(replayed)}: {waiting or 'nobody'}")
    if told := sample_of(found):
        lines += told.sentences
    for who, moves in _next(replayed).items():
        lines.append(f"next, {who}: {', '.join(moves)}")
    return lines


def sample_of(found: Replayed) -> SampleTold | None:
    """Say what the sample of a replayed case means, and what became of it."""
    return sample_told(found.case, said_in(found))


def said_in(found: Replayed) -> list[Said]:
    """Return what each statement of a replayed case says."""
    return [(one.statement.digest, read_record(one.statement)) for one in found.told]


def ended(found: Replayed) -> Ending | None:
    """Return the sum that a replayed case ended with; None while it is open, or of none."""
    return None if found.case.open else ending_of(said_in(found))


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


def _as_json(found: Replayed) -> dict[str, object]:
    replayed = found.case
    deadline = replayed.due
    return {
        "case": str(replayed.case),
        "head": str(replayed.head),
        "state": str(replayed.state),
        "until": None if deadline is None else deadline.until,
        "waiting_for": sorted(role.name.lower() for role in replayed.waiting_for),
        "allowed": {who: list(moves) for who, moves in _next(replayed).items()},
        "limit": replayed.limit,
        "pays": who_pays(replayed.filing.claim, replayed.filer),
        "ended": ending_value(ended(found)),
        "level": replayed.reached,
        "drawn": None if replayed.drawn is None else list(replayed.drawn),
        "sample": None if (told := sample_of(found)) is None else told.as_value(),
        "statements": [
            {
                "digest": str(one.statement.digest),
                "move": one.move,
                "by": one.who,
                "claimed_at": one.at,
                "state": one.state,
                "late": one.late,
            }
            for one in found.told
        ],
        "unverified_beacon_values": found.unverified,
        "unshown_beacon_values": found.unshown,
    }
