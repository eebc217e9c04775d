"""Everything that is the owner's, in open formats: pictures, statements, times, private values.

Rules: files are 0600 and folders 0700; the folder gets its name when all is written. One picture is
in memory at a time. What cannot be read is named, and does not keep the rest from being written.
Nothing in the home is changed.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from workseal_agent.backupleft import LeftFolders, alone
from workseal_agent.config import Settings
from workseal_agent.disclose import read_disclosure
from workseal_agent.errors import AgentError, VaultError
from workseal_agent.export.plainform import (
    FRAME_COLUMNS,
    STATEMENT_COLUMNS,
    TIME_COLUMNS,
    declaration_value,
    frame_row,
    statement_row,
    time_row,
    value_line,
)
from workseal_agent.language import phrase
from workseal_agent.ledger import CaptureRow, Engagement, Ledger, StoredStatement
from workseal_agent.vault import VaultReader
from workseal_protocol.cli.png import encode_png
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import Declaration, Segment, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import plain_language

README = """\
Everything that Workseal holds for you on this machine, in formats that other programs read.

THIS FOLDER SHOWS EVERYTHING: every picture that was recorded and not withdrawn, memos, activity. It
is not encrypted. Only your user can read it; whoever gets a copy can read it too. Delete it when
you need it no more. Your keys are not in it.

settings.toml            your settings
N/ (an engagement)       N is the engagement's number
  terms.txt              the terms in words; they are signed in offer.cose and acceptance.cose
  offer.cose, acceptance.cose
  statements/            each signed statement: COSE_Sign1 (RFC 9052), by its number in the chain
  other/                 signed statements outside of the chain: requests, answers, findings
  statements.csv         for each: its kind, SHA-256, whether it is logged, and where
  times.csv              worked time, a line for each segment: UTC, and Unix milliseconds
  declarations.json      declared work, with its memos
  values.jsonl           what opens the commitments: salt, bytes, and the same in words
  frames.csv             each picture: when, where, its commitment; header and seed commit it again
  frames/                the pictures: PNG, 8-bit RGB, exactly the pixels that were committed
  disclosures/           what arbitrators were shown: CBOR, as they got it
  checkpoints/           signed states of the log that this agent was shown (C2SP checkpoints)

How each of these is made up stands in the specification of Workseal, docs/spec. A bundle
(`workseal-agent export`) is what you hand to others; this folder is for you.
"""

# Written first: by it a folder is known that an export left.
_README = "README.txt"

Progress = Callable[[int, int], None]


class ExportAllError(AgentError):
    """Say why nothing was written."""


@dataclass(slots=True)
class Written:
    """Count what was written, and name what could not be read."""

    engagements: int = 0
    statements: int = 0
    values: int = 0
    frames: int = 0
    withdrawn: int = 0
    disclosures: int = 0
    unread: list[str] = field(default_factory=list)


def export_everything(
    settings: Settings,
    ledger: Ledger,
    reader: VaultReader,
    out: Path,
    *,
    progress: Progress = lambda _done, _all: None,
) -> Written:
    """Write everything into a new folder; `ledger` was opened with its key."""
    written = Written()
    with _lone(settings), _appearing(out, _left(settings)) as folder:
        _write(folder / _README, README.encode())
        if settings.config_file.exists():
            _write(folder / "settings.toml", settings.config_file.read_bytes())
        engagements = ledger.engagements()
        frames = sum(len(ledger.captures(one.id)) for one in engagements)
        for engagement in engagements:
            _engagement(folder / engagement.id.hex(), ledger, reader, engagement, written)
            for row in _frames(
                folder / engagement.id.hex(), ledger.captures(engagement.id), reader, written
            ):
                del row
                progress(written.frames + written.withdrawn + len(written.unread), frames)
            written.engagements += 1
    return written


def remove_unfinished_exports(settings: Settings) -> int:
    """Remove what killed exports of this home left, unless one is written now; counts them.

    Where nothing is left nothing is written, not even a lock.
    """
    left = _left(settings)
    if not left.has_any():
        return 0
    with alone(settings.export_lock_file) as mine:
        return left.remove() if mine else 0


def _left(settings: Settings) -> LeftFolders:
    return LeftFolders(settings.export_left_file, _README, README.encode())


def _engagement(
    folder: Path, ledger: Ledger, reader: VaultReader, engagement: Engagement, written: Written
) -> None:
    for name in ("", "statements", "other", "frames", "disclosures", "checkpoints"):
        (folder / name).mkdir(mode=0o700)
    _write(folder / "offer.cose", engagement.offer)
    _write(folder / "acceptance.cose", engagement.acceptance)
    terms = "".join(f"{line}\n" for line in plain_language(engagement.terms))
    _write(folder / "terms.txt", terms.encode())
    _statements(folder, ledger, engagement.id, written)
    for number, body in enumerate(ledger.checkpoints(engagement.id), 1):
        _write(folder / "checkpoints" / f"{number:06}.txt", body)
    for digest, _, _ in ledger.disclosures(engagement.id):
        try:
            data = read_disclosure(reader, digest).encode()
        except (VaultError, MalformedError):
            written.unread.append(f"a disclosure ({str(digest)[:16]})")
            continue
        _write(folder / "disclosures" / f"{digest}.cbor", data)
        written.disclosures += 1


def _statements(folder: Path, ledger: Ledger, engagement: bytes, written: Written) -> None:
    declarations = []
    with (
        _table(folder / "statements.csv", STATEMENT_COLUMNS) as rows,
        _table(folder / "times.csv", TIME_COLUMNS) as times,
        _text(folder / "values.jsonl") as lines,
    ):
        for file, stored in _named(ledger, engagement):
            _write(folder / file, stored.body)
            rows(statement_row(stored, file))
            written.statements += 1
            values = ledger.private_values(stored.digest)
            for value in values:
                lines.write(json.dumps(value_line(str(stored.digest), value)) + "\n")
                written.values += 1
            record = read_record(Statement.parse(stored.body))
            if isinstance(record, Segment):
                times(time_row(str(stored.digest), record))
            elif isinstance(record, Declaration):
                declarations.append(declaration_value(str(stored.digest), record, values))
    _write(folder / "declarations.json", json.dumps(declarations, indent=2).encode() + b"\n")


def _named(ledger: Ledger, engagement: bytes) -> Iterator[tuple[str, StoredStatement]]:
    for stored in ledger.chain(engagement):
        yield f"statements/{stored.seq:06}-{stored.kind}.cose", stored
    for stored in ledger.unchained(engagement):
        yield f"other/{stored.number:06}-{stored.kind}.cose", stored


def _frames(
    folder: Path, rows: tuple[CaptureRow, ...], reader: VaultReader, written: Written
) -> Iterator[CaptureRow]:
    with _table(folder / "frames.csv", FRAME_COLUMNS) as lines:
        for row in rows:
            file = header = seed = ""
            state = "withdrawn"
            if row.withdrawn:
                written.withdrawn += 1
            else:
                try:
                    stored = reader.frame(row.commitment)
                except VaultError as error:
                    state = f"not read: {error}"
                    written.unread.append(f"frame {row.number}")
                else:
                    state, file = "kept", f"frames/{row.number:06}.png"
                    header, seed = stored.header.encode().hex(), stored.seed.hex()
                    shape = stored.header
                    _write(folder / file, encode_png(shape.width, shape.height, stored.pixels))
                    written.frames += 1
            lines(frame_row(row, file, state, header, seed))
            yield row


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _table(path: Path, heads: tuple[str, ...]) -> Iterator[Callable[[tuple[str, ...]], object]]:
    with _text(path) as file:
        table = csv.writer(file)  # RFC 4180
        table.writerow(heads)
        yield table.writerow


@contextmanager
def _lone(settings: Settings) -> Iterator[None]:
    """Refuse a second export at the same time: it would take the first one for one that ended."""
    try:
        with alone(settings.export_lock_file) as mine:
            if not mine:
                raise ExportAllError("everything of this home is being exported already")
            yield
    except OSError as error:
        raise ExportAllError(
            phrase("the export cannot be written: {reason}", reason=error.strerror)
        ) from error


@contextmanager
def _appearing(out: Path, left: LeftFolders) -> Iterator[Path]:
    """Write into a folder aside; it has its name when the block ended well.

    What an export of this home left when it was killed is removed first: it is not encrypted.
    """
    left.remove()
    part = left.announce(out)
    try:
        part.mkdir(mode=0o700)
        yield part
        if os.path.lexists(out):
            raise ExportAllError(phrase("{out} exists already: name a new folder", out=out))
        part.rename(out)
    finally:
        left.finish(part)
