"""`workseal inspect`: what a bundle holds, listed or written out as files for other tools."""

import argparse
from collections.abc import Iterator

from workseal_protocol.bundle import Bundle
from workseal_protocol.cli.extraction import extracted_parts
from workseal_protocol.cli.files import fill_folder, require_empty_folder
from workseal_protocol.cli.inputs import read_bundle
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.text import count, duration, instant, plain
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.records import Record, Segment, Tombstone, read_record
from workseal_protocol.statement import Statement


def inspect(options: argparse.Namespace) -> int:
    """List a bundle's parts, or write them below a new folder."""
    if options.extract:
        require_empty_folder(options.extract)
    bundle = read_bundle(options.bundle)
    if options.extract is None:
        for line in listing(bundle):
            print(plain(line))
        return HOLDS
    try:
        parts = extracted_parts(bundle)
    except VerificationError as error:
        # Without a tree there are no inclusion paths to write, and no honest way to make them up.
        raise CommandError(f"the bundle's proof does not hold: {error}", DOES_NOT_HOLD) from error
    fill_folder(options.extract, parts)
    print(f"{count(len(parts), 'file')} in {plain(str(options.extract))}")
    return HOLDS


def listing(bundle: Bundle) -> Iterator[str]:
    """Write one line for each part, and one for each statement and frame."""
    contents = bundle.contents
    yield "Entries (nothing below is verified; 'workseal verify' does that)"
    for name, data in contents.entries():
        yield f"  {name:<34} {count(len(data), 'byte')}"
    checkpoint = contents.checkpoint.checkpoint
    yield f"Checkpoint of {checkpoint.origin}, {count(checkpoint.size, 'entry', 'entries')}"
    for line in contents.checkpoint.lines:
        yield f"  line of {line.name}"
    yield "Statements: number, index in the log, kind, claimed time"
    for number, (index, statement) in enumerate(
        zip(contents.indices, contents.statements, strict=True)
    ):
        yield from _statement_lines(number, index, statement)


def _statement_lines(number: int, index: int, statement: Statement) -> Iterator[str]:
    head = f"  {number:06d} {index:>8} {statement.kind:<18}"
    try:
        record = read_record(statement)
    except MalformedError as error:
        yield f"{head} malformed: {error}"
        return
    yield f"{head} {instant(record.claimed_at)}{_remark(record)}"
    if isinstance(record, Segment):
        for frame in record.frames:
            yield f"{'':35} frame {frame}"


def _remark(record: Record) -> str:
    match record:
        case Segment():
            state = record.state.name.lower().replace("_", "-")
            return f"  round {record.round}, {state}, worked {duration(record.worked)}"
        case Tombstone():
            return f"  withdraws {record.frame}"
        case _:
            return ""
