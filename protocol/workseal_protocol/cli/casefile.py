"""`workseal case export` and `workseal case verify`: a whole case as a folder, made and checked.

Rules: what is exported was verified before a byte is written. A folder from somebody else is read
with bounds: ordinary files alone, few of them, no link followed.
"""

import argparse
import json
import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from workseal_protocol.casefile import (
    BUNDLE,
    MAX_EXHIBITS,
    MAX_SEALED,
    CaseFileReport,
    CaseParts,
    Logged,
    Replayed,
    Told,
    examine_case_file,
    exhibit_name,
    handed_over,
    in_order,
    make_case_file,
    replay,
    standing_of,
)
from workseal_protocol.casefile.exhibits import SALT_BYTES
from workseal_protocol.cli.cases import read_all, sample_of
from workseal_protocol.cli.files import (
    MAX_BUNDLE_BYTES,
    fill_folder,
    read_bytes,
    reason_of,
    require_empty_folder,
)
from workseal_protocol.cli.granted import as_value
from workseal_protocol.cli.inputs import read_bundle_bytes, read_policy
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, MALFORMED, CommandError
from workseal_protocol.cli.text import count, instant, plain
from workseal_protocol.cli.verification import prepare, report_that_holds
from workseal_protocol.dispute import departures, excesses, levels_of
from workseal_protocol.dispute.table import move_of_act
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import Act, DisputeFinding, read_record
from workseal_protocol.sealing import MAX_SEALED_BYTES
from workseal_protocol.statement import Kind
from workseal_protocol.verify import Outcome

MAX_FILES: Final = 160
MAX_FOLDER_BYTES: Final = 512 * 2**20
_MAX_OPENINGS_BYTES: Final = 64 * 2**20
# As much as an act takes beside it, and its salt.
MAX_EXHIBIT_BYTES: Final = MAX_BUNDLE_BYTES + SALT_BYTES
_FOLDERS: Final = frozenset({"data", "data/sealed", "data/exhibits"})


def export(options: argparse.Namespace) -> int:
    """Write the case file of a case to a new folder."""
    require_empty_folder(options.folder)
    policy = read_policy(options.policy)
    files = _made(options)
    report = _examined(files, policy)
    for step in report.steps:
        if step.outcome is not Outcome.HOLDS:
            raise CommandError(f"the case file would not hold: step {step}", DOES_NOT_HOLD)
    fill_folder(options.folder, files)
    print(plain(f"{count(len(files), 'file')} in {options.folder}; check them with:"))
    words = ["workseal", "case", "verify", str(options.folder), "--policy", str(options.policy)]
    print(plain(f"  {shlex.join(words)}"))
    if options.openings is not None and report.replayed is not None:
        for line in _doubt(report.replayed, options.openings):
            print(plain(line))
    return HOLDS


def _doubt(replayed: Replayed, openings: Path) -> Iterator[str]:
    """Ask what no digest tells: values that were opened beside have no salt here."""
    shows = [one.statement.digest for one in replayed.told if one.move == move_of_act(Act.SHOW)]
    if replayed.case.clawed_back.intersection(shows):
        yield f"is a value that was taken back in it? Nobody sees that of {openings}: what was"
        yield "shown by mistake goes to nobody"


def _made(options: argparse.Namespace) -> dict[str, bytes]:
    statements = read_all(options.files)
    found = report_that_holds(options.bundle, options.policy)
    sealed, exhibits = options.sealed or [], options.exhibit or []
    if len(sealed) > MAX_SEALED:
        raise CommandError(f"expected at most {MAX_SEALED} sealed packages, found {len(sealed)}")
    if len(exhibits) > MAX_EXHIBITS:
        raise CommandError(f"expected at most {MAX_EXHIBITS} exhibits, found {len(exhibits)}")
    if found.terms is None:
        raise CommandError("the bundle has no terms", DOES_NOT_HOLD)
    try:
        logged = Logged.of(found)
        replayed = replay(statements, found.terms, logged)
        parts = CaseParts(
            tuple(one.statement for one in replayed.told),
            tuple(one for one in statements if one.kind is Kind.BEACON_COMMITMENT),
            read_bundle_bytes(options.bundle),
            None
            if options.openings is None
            else read_bytes(options.openings, limit=_MAX_OPENINGS_BYTES, what="openings"),
            tuple(
                read_bytes(path, limit=MAX_SEALED_BYTES, what="sealed package") for path in sealed
            ),
            in_order(
                (read_bytes(path, limit=MAX_EXHIBIT_BYTES, what="exhibit") for path in exhibits),
                replayed.told,
                taken_back=replayed.case.clawed_back,
            ),
        )
        return make_case_file(parts, replayed, logged.entries)
    except MalformedError as error:
        raise CommandError(str(error)) from error
    except VerificationError as error:
        raise CommandError(str(error), DOES_NOT_HOLD) from error


def verify(options: argparse.Namespace) -> int:
    """Verify the case file in a folder, and print its steps."""
    policy = read_policy(options.policy)
    report = _examined(read_folder(options.folder), policy)
    if options.json:
        print(json.dumps(_value(report), indent=1))
    else:
        for line in _lines(report):
            print(plain(line))
    if report.malformed:
        return MALFORMED
    return HOLDS if report.holds else DOES_NOT_HOLD


def _examined(files: dict[str, bytes], policy: TrustPolicy) -> CaseFileReport:
    """Examine the files in the zone of the bundle's terms."""
    zone, _ = prepare(files.get(BUNDLE, b""), policy)
    return examine_case_file(files, policy, zone=zone)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Read the files below a folder by their names in it, or raise `CommandError`."""
    found: dict[str, bytes] = {}
    left = MAX_FOLDER_BYTES
    for name, path, size in _files(folder, ""):
        if len(found) >= MAX_FILES:
            raise CommandError(f"the folder {folder} has more than {MAX_FILES} files")
        if size > left:
            raise CommandError(
                f"the files of {folder} have more than {MAX_FOLDER_BYTES} bytes together"
            )
        data = read_bytes(path, limit=left, what="file")
        left -= len(data)
        found[name] = data
    return found


def _files(top: Path, below: str) -> Iterator[tuple[str, Path, int]]:
    """Yield names, paths and sizes; a link or another special file is refused and not opened.

    So is a folder that no case file has: an empty one stands in no manifest.
    """
    folder = top / below
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for _, entry in zip(range(MAX_FILES + 1), entries, strict=False)]
        for name in sorted(names):
            path = folder / name
            inner = f"{below}/{name}" if below else name
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                yield inner, path, found.st_size
            elif not stat.S_ISDIR(found.st_mode):
                raise CommandError(f"{path} is no ordinary file")
            elif inner in _FOLDERS:
                yield from _files(top, inner)
            else:
                raise CommandError(f"the folder has {inner[:80]}/, which no case file has")
    except OSError as error:
        raise CommandError(f"cannot read the folder {folder}: {reason_of(error)}") from error


def _lines(report: CaseFileReport) -> Iterator[str]:
    yield from map(str, report.steps)
    if report.replayed is not None:
        yield ""
        yield "Custody, as the signers tell it, and where the log has it:"
        yield from _custody(report)
        if report.replayed.case.decision is not None:
            yield f"the decision is {standing_of(report.replayed.case)}"
        yield from _departures(report.replayed)
        yield from _excesses(report)
        yield from (one.sentence for one in report.breaches)
        yield from (one.sentence for one in report.granted)
        if told := sample_of(report.replayed):
            yield from told.sentences
    yield ""
    yield "HOLDS: the case file is whole." if report.holds else "DOES NOT HOLD."
    yield "Not proven, whatever the steps say:"
    yield from (f"  - {sentence}" for sentence in report.not_proven)


def _custody(report: CaseFileReport) -> Iterator[str]:
    if report.replayed is None:
        return
    entries = () if report.bundle is None else report.bundle.entries
    indices = {entry.digest: entry.index for entry in reversed(entries)}
    for number, one in enumerate(report.replayed.told):
        index = indices.get(one.statement.digest)
        place = "not in the log" if index is None else f"log index {index}"
        yield (
            f"  {number:3d} {instant(one.at)} {one.who:<10} {one.move:<10} -> {one.state:<11}"
            f" {place}{_beside(one, report)}"
        )


def _beside(one: Told, report: CaseFileReport) -> str:
    """Say where that is which was handed over beside a statement."""
    over = handed_over(read_record(one.statement))
    if over is None:
        return ""
    if over not in report.exhibits:
        return ", beside it a file that is not here"
    return f", beside it {exhibit_name(report.exhibits.index(over))}"


def _departures(replayed: Replayed) -> Iterator[str]:
    currency = replayed.case.terms.currency
    records = (read_record(one.statement) for one in replayed.told)
    yield from (one.sentence(currency) for one in departures(records))


def _excesses(report: CaseFileReport) -> Iterator[str]:
    """Say where a finding, in the case or beside it in the log, tells of more than a level has."""
    told = () if report.replayed is None else report.replayed.told
    records = [(one.statement.digest, read_record(one.statement)) for one in told]
    logged = () if report.bundle is None else (one.record for one in report.bundle.entries)
    findings = [one for _, one in records if isinstance(one, DisputeFinding)]
    findings += [one for one in logged if isinstance(one, DisputeFinding)]
    yield from (one.sentence for one in excesses(levels_of(records), findings))


def _value(report: CaseFileReport) -> dict[str, object]:
    replayed = report.replayed
    case = None if replayed is None else replayed.case
    told = None if replayed is None else sample_of(replayed)
    return {
        "holds": report.holds,
        "malformed": report.malformed,
        "steps": [
            {
                "number": step.number,
                "name": step.name,
                "outcome": str(step.outcome),
                "why": step.why,
            }
            for step in report.steps
        ],
        "case": None if case is None else str(case.case),
        "head": None if case is None else str(case.head),
        "state": None if case is None else str(case.state),
        "decision": None if case is None or case.decision is None else str(case.decision),
        "decision_is_final": None if case is None or case.decision is None else not case.open,
        "statements": 0 if replayed is None else len(replayed.told),
        "departures": [] if replayed is None else list(_departures(replayed)),
        "excesses": list(_excesses(report)),
        "breaches": [one.sentence for one in report.breaches],
        "opened": [as_value(one) for one in report.granted],
        "sample": None if told is None else told.as_value(),
        "not_proven": list(report.not_proven),
    }
