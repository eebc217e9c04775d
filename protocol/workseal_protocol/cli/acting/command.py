"""`workseal case list`, `show --from`, `file`, `act` and `send`: a case, for client and arbitrator.

Rule: with `--offline` nothing is asked of anybody: the key may lie on a machine without a network,
and what it signs is carried to one that has it.
"""

import argparse
import json
import os
import re
import shlex
import sys
import time
from dataclasses import fields
from pathlib import Path
from time import sleep
from typing import Any, Final

from workseal_protocol.cli.acting.court import Court, ask_first, folder_of, signable_of
from workseal_protocol.cli.acting.making import make_act, make_filing
from workseal_protocol.cli.acting.means import LiveMeans
from workseal_protocol.cli.acting.preview import both, preview
from workseal_protocol.cli.acting.said import Said
from workseal_protocol.cli.acting.telling import Asker, as_json, lines
from workseal_protocol.cli.acting.verifier import CaseVerifier, case_named, list_line
from workseal_protocol.cli.casekeys import require_key_of, wipe
from workseal_protocol.cli.cases import case as show_files
from workseal_protocol.cli.cases import replay_files
from workseal_protocol.cli.files import read_bytes, require_new, write_new
from workseal_protocol.cli.inputs import read_statement
from workseal_protocol.cli.nextact import place_next, placed_next
from workseal_protocol.cli.parties import read_agreed
from workseal_protocol.cli.problem import DOES_NOT_HOLD, HOLDS, CommandError
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.cli.server import address_of, submit
from workseal_protocol.cli.text import plain
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Role
from workseal_protocol.policy import TlogPolicy

_ENGAGEMENT = re.compile(r"[0-9a-f]{32}")
_LATER = re.compile(r"\+([0-9]{1,2})m")
_MOST_TEXT: Final = 65_536
_MOST_AHEAD_MS: Final = 3_600_000


def list_cases(options: argparse.Namespace) -> int:
    """List the cases that a key may read, as the verifier tells them."""
    found = _court(options).verifier.cases()
    for one in found:
        print(plain(list_line(one)))
    print(f"{len(found)} cases, as the verifier lists them; 'workseal case show' replays one")
    return HOLDS


def show(options: argparse.Namespace) -> int:
    """Replay a case: of files, or as a verifier has it."""
    if options.url is None:
        if options.terms is None or not options.files:
            raise CommandError("name --terms and the files of a case, or a CASE and --from URL")
        return show_files(options)
    if options.key is None or len(options.files) > 1:
        raise CommandError("with --from: expected --key and one CASE")
    court = _court(options)
    live = court.live(case_named(_first(options.files), court.verifier.cases))
    asker = Asker(court.own, time.time_ns() // 1_000_000, _spelling(options, live.case.case))
    if options.json:
        print(json.dumps(as_json(live, asker), indent=1, ensure_ascii=False))
    else:
        for line in lines(live, asker):
            print(line)
        if (kept := court.folder.unanswered(str(live.case.case))) is not None:
            print(f"signed by you and not answered yet: {kept.digest}; any act sends it again")
    if options.save is not None:
        write_new(options.save, live.data)
    if options.request is not None:
        write_new(options.request, live.open_request.encode())
    return HOLDS


def file(options: argparse.Namespace) -> int:
    """File a case."""
    if _ENGAGEMENT.fullmatch(options.engagement) is None:
        raise CommandError("an engagement's number has 32 lower-case hex digits")
    court = _court(options)
    engagement = bytes.fromhex(options.engagement)
    terms = court.known(engagement).terms
    if court.signer.public_key != terms.client:
        raise CommandError("the terms do not name this key as the client", DOES_NOT_HOLD)
    record = make_filing(
        terms, engagement, options.about, said_of(options), by=Role.CLIENT, now_ms=court.now_ms()
    )
    statement = court.file(record, terms, confirmation(yes=options.yes))
    print(f"case {statement.digest}")
    return HOLDS


def act(options: argparse.Namespace) -> int:
    """Act in a case: at the verifier, or signed into a file."""
    said = said_of(options)
    if options.offline is not None:
        return _act_offline(options, said)
    if options.url is None or len(options.files) != 1:
        raise CommandError("expected one CASE and --from URL, or --offline OUT with --terms")
    court = _court(options)
    case = case_named(_first(options.files), court.verifier.cases)
    if options.act == "destroy":
        _destroy_key(court, case, said)
    court.act(case, options.act, said, confirmation(yes=options.yes))
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
        return " ".join(filter(None, ("workseal case act", move, str(case), details, rest)))

    return command


def _destroy_key(court: Court, case: Digest, said: Said) -> None:
    """Destroy the case's key before the statement that says so is signed."""
    live, _ = court.settled(court.live(case))
    path = Path(said.case_key) if said.case_key else court.folder.case_key_file(case)
    if os.path.lexists(path):
        if "destroy" not in live.case.allowed(court.own, court.now_ms(live.case.known_at)):
            raise CommandError("the case does not take it now: nothing was destroyed", 1)
        require_key_of(live.case, path)
        wipe(path)
        print(plain(f"{path} is destroyed"))
    elif not said.gone:
        raise CommandError(f"there is no {path}: say --gone if it is destroyed already", 1)


# --- without a network ---


def _act_offline(options: argparse.Namespace, said: Said) -> int:
    require_new(options.offline)
    if options.terms is None or options.url is not None:
        raise CommandError("--offline goes with --terms and the case's files, without --from")
    signer = read_signer(options.key)
    case = replay_files(options.terms, [Path(one) for one in options.files]).case
    own = signer.public_key.thumbprint
    if own not in case.parties.roles:
        raise CommandError("the terms do not name this key", DOES_NOT_HOLD)
    folder = folder_of(options.key)
    before = folder.unanswered(str(case.case))
    if before is not None:
        if before.digest not in case.statements and not options.again:
            raise CommandError(
                f"what you signed before is not in the case: {before.digest}. Send it, and fetch"
                " the case; if the verifier refused it, say --again",
                DOES_NOT_HOLD,
            )
        folder.answered(str(case.case))
    at = max(time.time_ns() // 1_000_000 + _later(options.at), case.known_at)
    means = LiveMeans(case, said, folder)
    role = case.parties.roles[own]
    try:
        record = make_act(case, options.act, said, means, by=role, now_ms=at)
        shown = preview(placed_next(case, record, own), case.terms, case)
        ask_first(shown, confirmation(yes=options.yes))
        statement = place_next(case, record, signer)
        folder.keep_unanswered(str(case.case), statement)
    except BaseException:
        means.undo()
        raise
    write_new(options.offline, statement.encode())
    print(plain(f"signed: {statement.digest}; send {options.offline} within a minute of its time"))
    return HOLDS


def _later(text: str | None) -> int:
    found = _LATER.fullmatch(text or "+0m")
    if found is None or int(found[1]) > 60:
        raise CommandError(f"--at: expected minutes from now, as in +10m, found {str(text)[:20]}")
    return int(found[1]) * 60_000
