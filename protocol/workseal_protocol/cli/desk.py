"""`workseal case checks`: what the desk looks at, check by check; findings, never a verdict.

Rules: the bundle must hold under the caller's own policy, and whatever was opened beside it must be
what was committed. The exit code says whether the checks ran, never what they noticed: 0 means so.
"""

import argparse
import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from workseal_protocol.bundle import MAX_PIXEL_BYTES
from workseal_protocol.cli.cases import read_all
from workseal_protocol.cli.files import read_bytes
from workseal_protocol.cli.granted import read_openings
from workseal_protocol.cli.inputs import read_statement
from workseal_protocol.cli.opening import read_answer
from workseal_protocol.cli.outline import outline
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_case_key, read_tag_key
from workseal_protocol.cli.text import count, plain
from workseal_protocol.cli.verification import report_that_holds
from workseal_protocol.desk import (
    CHECKS,
    Checked,
    DeskReport,
    Material,
    Outcome,
    TagList,
    examine_hours,
    gather,
)
from workseal_protocol.desk.tags import MAX_BYTES as MAX_TAG_BYTES
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.records import DisputeFiling, DisputeRequest, Record, read_record
from workseal_protocol.sealing import MAX_SEALED_BYTES
from workseal_protocol.sealing import open_package as unseal
from workseal_protocol.verify import Report

_MARKS: Final = {Outcome.NOTHING: "   ", Outcome.NOTICED: "(?)", Outcome.NOT_RUN: " - "}
_FILES: Final = ("filing", "openings", "sealed", "request", "case_key", "tags", "tag_key")


def checks(options: argparse.Namespace) -> int:
    """Run the checks over a bundle and what was opened, and print what each of them says."""
    only = frozenset(options.only or ())
    if unknown := only - {rule.number for rule in CHECKS}:
        raise CommandError(f"there is no check {min(unknown)}: they are 1 to {len(CHECKS)}")
    material = _gathered(options)
    report = examine_hours(material, only)
    if options.json:
        print(json.dumps(_value(report, options), indent=1))
        return HOLDS
    for line in _lines(report, options):
        print(plain(line))
    return HOLDS


# --- reading ---


def _gathered(options: argparse.Namespace) -> Material:
    sealed = (options.sealed, options.request, options.case_key)
    if any(sealed) and not all(sealed):
        raise CommandError("--sealed, --request and --case-key belong together")
    if options.tag_key and not options.tags:
        raise CommandError("--tag-key belongs to --tags")
    tags = _tags(options)
    key = read_tag_key(options.tag_key) if options.tag_key else None
    openings = () if options.openings is None else read_openings(options.openings)
    digest, filing, said = _filing(options)
    report = report_that_holds(options.bundle, options.policy)
    if filing is not None and filing.engagement != report.engagement:
        # Two agreements have the same days: the wrong record would answer for them.
        raise CommandError("the case is about another engagement than the bundle", DOES_NOT_HOLD)
    try:
        return gather(
            report,
            hours=None if filing is None else (filing.begin, filing.end),
            filing=digest,
            openings=openings,
            disclosures=_unsealed(options, report, said),
            tags=tags,
            tag_key=key,
            outline=outline if key else None,
        )
    except MalformedError as error:
        raise CommandError(f"what was sealed is malformed: {error}") from error
    except VerificationError as error:
        raise CommandError(f"what was opened does not hold: {error}", DOES_NOT_HOLD) from error


def _tags(options: argparse.Namespace) -> TagList | None:
    if options.tags is None:
        return None
    data = read_bytes(options.tags, limit=MAX_TAG_BYTES, what="tags")
    try:
        return TagList.parse(data)
    except MalformedError as error:
        raise CommandError(f"the tags {options.tags} are malformed: {error}") from error


def _filing(
    options: argparse.Namespace,
) -> tuple[Digest | None, DisputeFiling | None, Sequence[Record]]:
    """Read a filing, and what its file says after it."""
    if options.filing is None:
        return None, None, ()
    # What `case show --save` writes begins with the filing, and so does a file of it alone.
    statement, *others = read_all([options.filing])
    record = read_record(statement)
    if not isinstance(record, DisputeFiling):
        found = f"found a statement of kind {statement.kind}"
        raise CommandError(f"{options.filing}: expected a filing first, {found}")
    return statement.digest, record, tuple(map(read_record, others))


def _unsealed(
    options: argparse.Namespace, report: Report, said: Iterable[Record]
) -> Iterator[Disclosure]:
    """Yield what a package shows, one frame at a time, and no more pixels than a bundle may."""
    if options.sealed is None:
        return
    private = read_case_key(options.case_key)
    request = read_statement(options.request, "request")
    asked = read_record(request)
    if not isinstance(asked, DisputeRequest):
        raise MalformedError(f"expected a dispute.request, found {request.kind}")
    sealed = read_bytes(options.sealed, limit=MAX_SEALED_BYTES, what="sealed package")
    answer, *items = unseal(private, request.digest, sealed)
    read_answer(answer, report, asked, request.digest, said)
    left = MAX_PIXEL_BYTES
    for item in items:
        disclosure = Disclosure.parse(item, max_pixel_bytes=left)
        left -= disclosure.pixel_bytes
        yield disclosure


# --- telling ---


def _lines(report: DeskReport, options: argparse.Namespace) -> Iterator[str]:
    for one in report.checks:
        yield f"{_MARKS[one.outcome]} {one.number} {one.name}: {one.sentence}"
        if one.outcome is Outcome.NOT_RUN:
            continue
        if options.proof:
            yield from (f"        {row}" for row in one.proof)
        else:
            yield f"        show the proof: {_command(one, options)}"
    yield ""
    noticed = count(len(report.noticed), "check")
    yield f"{noticed} noticed something, which is a question and no verdict."
    yield "Not proven, whatever the checks say:"
    yield from (f"  - {sentence}" for sentence in report.not_proven)


def _command(one: Checked, options: argparse.Namespace) -> str:
    """Write the command that runs one check again and prints what it counts."""
    words = ["workseal", "case", "checks", str(options.bundle), "--policy", str(options.policy)]
    for name in _FILES:
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join([*words, "--only", str(one.number), "--proof"])


def _value(report: DeskReport, options: argparse.Namespace) -> dict[str, object]:
    return {
        "checks": [
            {
                "number": one.number,
                "name": one.name,
                "outcome": str(one.outcome),
                "sentence": one.sentence,
                "proof": list(one.proof),
                "command": _command(one, options),
            }
            for one in report.checks
        ],
        "not_proven": list(report.not_proven),
    }
