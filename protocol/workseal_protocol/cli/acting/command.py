"""`workseal case list`, `show --from`, `file`, `act` and `send`: a case, for client and arbitrator.

Rule: with `--offline` nothing is asked of anybody: the key may lie on a machine without a network,
and what it signs is carried to one that has it.
"""

import argparse
import json
import re
import shlex
import sys
import time
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from time import sleep
from typing import Any, Final

from workseal_protocol.cli.acting.asjson import as_json
from workseal_protocol.cli.acting.court import Court, folder_of, signable_of
from workseal_protocol.cli.acting.listed import list_lines
from workseal_protocol.cli.acting.making import make_filing
from workseal_protocol.cli.acting.offline import act_offline
from workseal_protocol.cli.acting.preview import preview
from workseal_protocol.cli.acting.reading import Live, speakers_of
from workseal_protocol.cli.acting.said import Said
from workseal_protocol.cli.acting.standing import Asker
from workseal_protocol.cli.acting.telling import lines
from workseal_protocol.cli.acting.verifier import MORE, CaseVerifier, case_named
from workseal_protocol.cli.cases import case as show_files
from workseal_protocol.cli.files import read_bytes, write_new
from workseal_protocol.cli.granted import as_value, granted_beside, require_together
from workseal_protocol.cli.inputs import read_statement
from workseal_protocol.cli.moments import both
from workseal_protocol.cli.parties import read_agreed
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.server import address_of, submit
from workseal_protocol.cli.text import count, plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute.table import FOUND
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Role
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.records import DisputeFiling

_ENGAGEMENT = re.compile(r"[0-9a-f]{32}")
_MOST_TEXT: Final = 65_536
_MOST_AHEAD_MS: Final = 3_600_000


def list_cases(options: argparse.Namespace) -> int:
    """List the cases that a key may read, as the verifier tells them."""
    court = _court(options)
    found = court.verifier.cases()
    for line in list_lines(found.cases, court.folder, court.live):
        print(plain(line))
    number = count(len(found.cases), "case")
    print(f"{number}, as the verifier lists them; 'workseal case show' replays one")
    if found.is_cut:
        print(f"NOT ALL: the verifier has {MORE}")
    return HOLDS


def show(options: argparse.Namespace) -> int:
    """Replay a case: of files, or as a verifier has it."""
    if options.url is None:
        if options.terms is None or not options.files or options.openings is not None:
            raise CommandError("name --terms and the files of a case, or a CASE and --from URL")
        return show_files(options)
    if options.key is None or len(options.files) > 1:
        raise CommandError("with --from: expected --key and one CASE")
    require_together(options)
    court = _court(options)
    live = court.live(case_named(_first(options.files), court.verifier.cases))
    asker = Asker(court.own, time.time_ns() // 1_000_000, _spelling(options, live.case.case))
    granted = granted_beside(options, live.said, live.case.filing.engagement)
    if options.json:
        # Escaped: other people's words must not reach a terminal as they are.
        opened = {"opened": [as_value(one) for one in granted]}
        print(json.dumps(as_json(live, asker) | opened, indent=1))
    else:
        _print(live, asker, [one.sentence for one in granted], court)
    if options.save is not None:
        write_new(options.save, live.carried)
    if options.request is not None:
        write_new(options.request, live.open_request.encode())
    return HOLDS


def _print(live: Live, asker: Asker, opened: Iterable[str], court: Court) -> None:
    for line in (*lines(live, asker), *opened):
        print(line)
    if (kept := court.folder.unanswered(str(live.case.case))) is not None:
        print(f"signed by you and not answered yet: {kept.digest}; any act sends it again")


def file(options: argparse.Namespace) -> int:
    """File a case."""
    if _ENGAGEMENT.fullmatch(options.engagement) is None:
        raise CommandError("an engagement's number has 32 lower-case hex digits")
    court = _court(options)
    engagement = bytes.fromhex(options.engagement)
    known, said = court.known(engagement), said_of(options)
    parties = speakers_of(known)[0].parties
    if parties.roles.get(court.own) is not Role.CLIENT:
        raise CommandError("the terms do not name this key as the client", DOES_NOT_HOLD)

    def make(now_ms: int) -> DisputeFiling:
        return make_filing(
            known.terms, engagement, options.about, said, by=Role.CLIENT, now_ms=now_ms
        )

    statement = court.file(make, known.terms, parties, confirmation(yes=options.yes))
    print(f"case {statement.digest}")
    return HOLDS


def act(options: argparse.Namespace) -> int:
    """Act in a case: at the verifier, or signed into a file."""
    said = said_of(options)
    if options.offline is not None:
        return act_offline(options, said, confirmation(yes=options.yes))
    if options.url is None or len(options.files) != 1:
        raise CommandError("expected one CASE and --from URL, or --offline OUT with --terms")
    court = _court(options)
    court.act(court.named(_first(options.files)), options.act, said, confirmation(yes=options.yes))
    return HOLDS


def send(options: argparse.Namespace) -> int:
    """Have a statement logged that was signed elsewhere."""
    address = address_of(options.url)
    statement = read_statement(options.file, "statement")
    terms = read_agreed(options.terms).terms
    try:
        record = signable_of(statement)
    except MalformedError as error:
        raise CommandError(f"{options.file} is no statement of a case: {error}") from error
    for line in preview(record, terms, None):
        print(line)
    ahead = record.claimed_at - time.time_ns() // 1_000_000
    if ahead > _MOST_AHEAD_MS:
        raise CommandError("it is dated more than an hour ahead", DOES_NOT_HOLD)
    if ahead > 0:
        print(f"waiting until {both(record.claimed_at, terms.zone)}, when it is dated")
        sleep(ahead / 1000)
    submit(address, None, statement, TlogPolicy.parse(terms.log_policy))
    print(f"logged: {statement.digest}")
    return HOLDS


def said_of(options: argparse.Namespace) -> Said:
    """Take the details of an act from parsed options."""
    found: dict[str, Any] = {}
    for one in fields(Said):
        value = getattr(options, one.name, None)
        found[one.name] = tuple(value or ()) if isinstance(value, list) else value
    for name in ("cite", "day_off", "frame"):
        found[name] = found[name] or ()
    found["gone"] = bool(found["gone"])
    text_file = getattr(options, "text_file", None)
    if text_file is not None:
        if found["text"] is not None:
            raise CommandError("--text and --text-file do not go together")
        data = read_bytes(text_file, limit=_MOST_TEXT, what="text")
        try:
            found["text"] = data.decode().rstrip("\n")
        except UnicodeDecodeError as error:
            raise CommandError(f"the text {text_file} is not UTF-8") from error
    return Said(**found)


def confirmation(*, yes: bool) -> Any:
    """Return what asks for a yes: nothing with --yes, else the terminal."""

    def ask(question: str) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            raise CommandError("nothing was signed: say --yes, or use a terminal")
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}

    return ask


def _court(options: argparse.Namespace) -> Court:
    address = address_of(options.url)
    signer = read_signer(options.key)
    agreed = None if options.terms is None else read_agreed(options.terms).terms
    return Court(CaseVerifier(address, signer), signer, folder_of(options.key), terms=agreed)


def _first(names: list[str | Path]) -> str:
    return str(names[0]) if names else ""


def _spelling(options: argparse.Namespace, case: Digest) -> Any:
    """Write how a move is typed, with the same address and key."""
    rest = f"--from {shlex.quote(options.url)} --key {shlex.quote(str(options.key))}"

    def command(move: str, details: str) -> str:
        if move == FOUND:
            # No words make a finding: what was sealed is opened and checked for it.
            key = f"--key {shlex.quote(str(options.key))}"
            return f"workseal open SEALED … --finding NEW-FILE --case CASE-FILE {key}"
        return " ".join(filter(None, ("workseal case act", move, str(case), details, rest)))

    return command
