"""The program: its commands and options, and the one place where an error becomes an exit code."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, NoReturn, TextIO

from workseal_protocol.cli.files import reason_of
from workseal_protocol.cli.problem import MALFORMED, CommandError
from workseal_protocol.cli.text import bounded

Command = Callable[[argparse.Namespace], int]
_SHOW: Final = "show"


@dataclass(frozen=True, slots=True)
class Later:
    """Name a command that is loaded when it is called: all of them take half a second."""

    module: str
    name: str

    def __call__(self, options: argparse.Namespace) -> int:
        """Load the command, and run it."""
        return self.loaded()(options)

    def loaded(self) -> Command:
        """Load the command."""
        found: Command = getattr(import_module(f"workseal_protocol.cli.{self.module}"), self.name)
        return found


act = Later("acting.command", "act")
file = Later("acting.command", "file")
list_cases = Later("acting.command", "list_cases")
send = Later("acting.command", "send")
show = Later("acting.command", "show")
answer = Later("answering", "answer")
accept = Later("asking", "accept")
fetch = Later("asking", "fetch")
invite = Later("asking", "invite")
keys = Later("asking", "keys")
sign_in = Later("asking", "sign_in")
attestation = Later("attestation", "attestation")
countersign = Later("attestation", "countersign")
export = Later("casefile", "export")
verify_case = Later("casefile", "verify")
declare = Later("casekeys", "declare")
destroy = Later("casekeys", "destroy")
checks = Later("desk", "checks")
request = Later("dispute", "request")
hours = Later("hours", "hours")
inspect = Later("inspection", "inspect")
invoice = Later("invoice", "invoice")
open_package = Later("opening", "open_package")
page = Later("page", "page")
keygen = Later("parties", "keygen")
offer = Later("parties", "offer")
terms = Later("parties", "terms")
verify = Later("verification", "verify")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises for bad input."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without UTF-8 shows an escape instead of ending the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    words = _spelled(sys.argv[1:] if arguments is None else arguments)
    options = _parser(whole=words[:1] == ["case"]).parse_args(words)
    command: Command = options.command
    try:
        code = command(options)
        if sys.stdout is not None:  # closed by whoever wants the exit code alone
            sys.stdout.flush()
    except CommandError as error:
        _complain(str(error))
        return error.code
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain at exit either.
        _silence(sys.stdout)
        return MALFORMED
    except OSError as error:
        # Commands name the file that fails them. What is left is the output, and a report that
        # nobody can read must not end like one that does not hold.
        _silence(sys.stdout)
        _complain(f"cannot write the output: {reason_of(error)}")
        return MALFORMED
    except KeyboardInterrupt:
        _complain("interrupted")
        return MALFORMED
    return code


def _spelled(words: Sequence[str]) -> list[str]:
    """Spell out `workseal case --terms …`, which is short for `workseal case show --terms …`."""
    case_alone = words[:1] == ["case"] and words[1:2] == ["--terms"]
    return ["case", _SHOW, *words[1:]] if case_alone else list(words)


def _complain(sentence: str) -> None:
    """Print one sentence of error; where even that cannot be written, the exit code tells."""
    try:
        print(f"workseal: {bounded(sentence)}", file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Let what is buffered go nowhere, so that Python does not try again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Parser(argparse.ArgumentParser):
    """Say what is wrong with the options in one sentence."""

    def error(self, message: str) -> NoReturn:
        _complain(f"{message}; see {self.prog} --help")
        raise SystemExit(MALFORMED)


def _parser(*, whole: bool = True) -> _Parser:
    """Describe the commands; without `whole`, none of those below `case`."""
    parser = _Parser(
        prog="workseal",
        description="Check evidence of work offline, and sign what client and arbitrator say.",
        epilog="exit code: 0 holds, 1 does not hold, 2 malformed input or wrong use",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"workseal {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_checks(commands)
    _add_parties(commands)
    _add_hours(commands)
    _add_attestations(commands)
    _add_dispute(commands)
    _add_case(commands, whole=whole)
    _add_asking(commands)
    return parser


def _add_checks(commands: "argparse._SubParsersAction[_Parser]") -> None:
    one = _add(commands, "verify", verify, "check a bundle, step by step, against your own policy")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--json", action="store_true", help="print the report as one JSON object")

    one = _add(commands, "hours", hours, "write verified hours as a table, a calendar or a PDF")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="ends in .csv, .json, .ics or .pdf"
    )
    one.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first day; default: all")
    one.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="last day; default: all")
    one.add_argument(
        "--by",
        choices=("day", "interval", "project"),
        help="default: as the terms let the client see time; project: a .csv by opened labels",
    )

    one = _add(commands, "inspect", inspect, "list a bundle's parts; verifies nothing by itself")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument(
        "--extract", type=Path, metavar="DIR", help="write the parts as files for other tools"
    )

    one = _add(commands, "page", page, "write verify.html, which checks bundles in a browser")
    one.add_argument("--out", type=Path, default=Path("verify.html"), metavar="FILE")
    one.add_argument("--check", type=Path, metavar="FILE", help="compare a page by its SHA-256")
    one.add_argument(
        "--bundle", type=Path, metavar="BUNDLE", help="with what its log's operator published"
    )
    one.add_argument("--policy", type=Path, metavar="POLICY", help="whom you trust")

    one = _add(commands, "terms", terms, "say in plain words what an offer or acceptance agrees")
    one.add_argument("file", type=Path, metavar="FILE", help="offer, acceptance or bundle")


def _add_parties(commands: "argparse._SubParsersAction[_Parser]") -> None:
    one = _add(commands, "keygen", keygen, "make a signing key; print its public key, thumbprint")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--show", action="store_true", help="print the public key of an existing FILE")

    one = _add(commands, "offer", offer, "sign an offer of terms to a freelancer")
    one.add_argument("--terms", type=Path, required=True, help="TOML file; see docs/tutorial.md")
    one.add_argument("--policy", type=Path, help="take parties and log from this policy file")
    one.add_argument("--key", type=Path, required=True, help="the client's key file")
    one.add_argument("--out", type=Path, required=True, metavar="OFFER.cose")


def _add_hours(commands: "argparse._SubParsersAction[_Parser]") -> None:
    one = _add(commands, "invoice", invoice, "write an invoice over verified hours: PDF or XML")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument(
        "--details", type=Path, required=True, help="TOML file: number, names, tax; see docs/spec"
    )
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .pdf or .xml")
    one.add_argument("--timesheet", metavar="DIGITS", help="bill its days; as 'verify' names it")
    one.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first day; default: all")
    one.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="last day; default: all")

    one.add_argument(
        "--corrects", metavar="NUMBER", help="write a credit note over all of that invoice instead"
    )

    one = _add(commands, "answer", answer, "accept a timesheet, ask about it, or object to it")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--key", type=Path, required=True, help="the client's key file")
    one.add_argument("--timesheet", required=True, metavar="DIGITS", help="as 'verify' names it")
    said = one.add_mutually_exclusive_group(required=True)
    said.add_argument("--accept", action="store_true", help="its hours are right")
    said.add_argument("--question", metavar="TEXT", help="what you want to know; up to 500")
    said.add_argument("--object", metavar="TEXT", help="what is wrong; up to 500 characters")
    one.add_argument("--send", metavar="URL", help="the verifier's address: have it logged")
    one.add_argument("--out", type=Path, metavar="ANSWER.cose", help="write it to a new file")


def _add_attestations(commands: "argparse._SubParsersAction[_Parser]") -> None:
    one = _add(commands, "attestation", attestation, "check what a freelancer attests of past work")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties")
    _add_record(one, required=False)
    one.add_argument("--json", action="store_true", help="print the report as one JSON object")

    one = _add(
        commands, "countersign", countersign, "say that an attestation is what a record says"
    )
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    _add_record(one, required=True)
    one.add_argument("--key", type=Path, required=True, help="your key file")
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")


def _add_record(one: _Parser, *, required: bool) -> None:
    one.add_argument(
        "--opening", type=Path, required=required, help="names the record; from the freelancer"
    )
    one.add_argument("--bundle", type=Path, required=required, help="the record itself")


def _add_dispute(commands: "argparse._SubParsersAction[_Parser]") -> None:
    one = _add(commands, "request", request, "ask, as arbitrator, for frames of a bundle")
    one.add_argument("--bundle", type=Path, required=True)
    one.add_argument(
        "--frame",
        action="append",
        required=True,
        metavar="NNNNNN",
        help="statement number as 'inspect' lists it, or a frame's commitment in hex; repeatable",
    )
    one.add_argument("--reason", required=True, help="why these frames; up to 500 characters")
    one.add_argument("--key", type=Path, required=True, help="the arbitrator's key file")
    one.add_argument(
        "--case-key",
        type=Path,
        required=True,
        help="new file for a key; in a case, the key that was declared in it",
    )
    one.add_argument(
        "--case",
        action="append",
        type=Path,
        metavar="FILE",
        help="the statements of a case in which this is asked; repeatable",
    )
    one.add_argument("--out", type=Path, required=True, metavar="REQUEST.cose")
    one.add_argument(
        "--answer-by",
        metavar="YYYY-MM-DD",
        help="last day to answer; without it, the working days of the terms, Monday to Friday",
    )

    one = _add(commands, "declare", declare, "take a case as arbitrator, and make its key")
    _add_case_files(one)
    one.add_argument("--case-key", type=Path, required=True, help="new file for the case's key")
    one.add_argument("--text", required=True, help="what ties you to either party, or that none do")
    one.add_argument("--calendar", metavar="DE-BY", help="the country whose holidays you keep")
    one.add_argument("--zone", help="the time zone of your days; default: that of the terms")
    one.add_argument("--out", type=Path, required=True, metavar="DECLARE.cose")

    one = _add(commands, "destroy", destroy, "destroy a case's key at its end, and sign that")
    _add_case_files(one)
    one.add_argument("--case-key", type=Path, required=True, help="the file to destroy")
    one.add_argument("--gone", action="store_true", help="the file is destroyed already")
    one.add_argument("--out", type=Path, required=True, metavar="DESTROY.cose")

    one = _add(commands, "open", open_package, "unseal and check what the freelancer disclosed")
    one.add_argument("sealed", type=Path, metavar="SEALED")
    one.add_argument("--request", type=Path, required=True, metavar="REQUEST.cose")
    one.add_argument("--case-key", type=Path, required=True)
    one.add_argument("--bundle", type=Path, required=True)
    one.add_argument("--policy", type=Path, required=True)
    drawn = one.add_mutually_exclusive_group()
    drawn.add_argument(
        "--out", type=Path, metavar="DIR", help="draw the verified tiles as PNG here"
    )
    drawn.add_argument(
        "--view", action="store_true", help="show them in a browser, for a while and in no file"
    )
    one.add_argument("--minutes", type=int, default=30, metavar="N", help="how long (default: 30)")
    one.add_argument(
        "--finding", type=Path, metavar="FINDING.cose", help="sign what the check found into a file"
    )
    one.add_argument("--key", type=Path, help="the arbitrator's key file, for a finding")
    one.add_argument(
        "--case",
        action="append",
        type=Path,
        metavar="FILE",
        help="for a finding in a case: its statements; repeatable",
    )


def _add_case_files(one: _Parser) -> None:
    one.add_argument("--terms", type=Path, required=True, help="offer, acceptance or bundle")
    one.add_argument("--key", type=Path, required=True, help="the arbitrator's key file")
    one.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the case's statements, in any order"
    )


def _add_case(commands: "argparse._SubParsersAction[_Parser]", *, whole: bool) -> None:
    text = "replay a case, run the checks of the desk, export a whole case and verify it"
    parser = commands.add_parser("case", help=text, description=text, allow_abbrev=False)
    if not whole:
        return
    below = parser.add_subparsers(metavar="COMMAND", required=True)

    _add_acting(below)

    one = _add(
        below, "checks", checks, "run the checks of the desk over hours: findings, no verdict"
    )
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--filing", type=Path, help="look at the hours of this filing alone")
    one.add_argument("--openings", type=Path, help="values that were opened beside the bundle")
    one.add_argument("--sealed", type=Path, help="a package as 'open' takes it; with the next two")
    one.add_argument("--request", type=Path, metavar="REQUEST.cose")
    one.add_argument("--case-key", type=Path)
    one.add_argument(
        "--tags", type=Path, help="tags of frames, as the freelancer's agent made them"
    )
    one.add_argument("--tag-key", type=Path, help="compare tags with wholly shown frames")
    one.add_argument(
        "--only", type=int, action="append", metavar="N", help="this check; repeatable"
    )
    one.add_argument("--proof", action="store_true", help="print what each figure is counted from")
    one.add_argument("--json", action="store_true", help="print the report as one JSON object")

    one = _add(below, "export", export, "write a whole case as a folder that anybody can verify")
    one.add_argument("folder", type=Path, metavar="DIR", help="new or empty")
    one.add_argument("--bundle", type=Path, required=True, help="the record of work")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--openings", type=Path, help="values that were opened beside the bundle")
    one.add_argument(
        "--sealed", type=Path, action="append", metavar="FILE", help="a sealed package; repeatable"
    )
    one.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the case's statements, in any order"
    )

    one = _add(below, "verify", verify_case, "verify a whole case in a folder, step by step")
    one.add_argument("folder", type=Path, metavar="DIR")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--json", action="store_true", help="print the report as one JSON object")


def _add_acting(below: "argparse._SubParsersAction[_Parser]") -> None:
    # These words come with all that acts.
    from workseal_protocol.cli.acting.said import ABOUT, DETAILS  # noqa: PLC0415

    one = _add(below, _SHOW, show, "replay a case: where it stands, who must act until when")
    one.add_argument("--json", action="store_true", help="print the case as one JSON object")
    one.add_argument("--save", type=Path, metavar="FILE", help="also write its statements")
    one.add_argument("--request", type=Path, metavar="FILE", help="also write the open request")
    _add_place(one, key=False)
    one.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="CASE|FILE",
        help="with --from its number, else files",
    )

    one = _add(below, "list", list_cases, "list the cases that a key may read")
    _add_place(one, url=True)

    one = _add(below, "file", file, "open a case, as client")
    one.add_argument("about", choices=tuple(ABOUT), metavar="ABOUT", help=", ".join(ABOUT))
    one.add_argument("--engagement", required=True, metavar="NUMBER")
    _add_place(one, url=True)
    _add_details(one, "text", "amount", "begin", "end", "calendar", "zone", "day_off")

    one = _add(below, "act", act, "act in a case, as client or arbitrator")
    one.add_argument("act", metavar="ACT", help=", ".join(DETAILS))
    one.add_argument(
        "files", nargs="+", metavar="CASE|FILE", help="the case's number; --offline: its files"
    )
    _add_place(one)
    _add_details(one, *_DETAILS)
    one.add_argument("--offline", type=Path, metavar="OUT", help="sign into a new file, send none")
    one.add_argument("--at", metavar="+10m", help="date it so many minutes ahead; with --offline")
    one.add_argument("--again", action="store_true", help="the one before was refused; --offline")

    one = _add(below, "send", send, "send a statement of a case that was signed elsewhere")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--from", dest="url", required=True, metavar="URL", help="the verifier")
    one.add_argument("--terms", type=Path, required=True, help="offer, acceptance or bundle")


def _add_place(one: _Parser, *, url: bool = False, key: bool = True) -> None:
    one.add_argument("--from", dest="url", required=url, metavar="URL", help="the verifier")
    one.add_argument("--key", type=Path, required=key, help="your key file")
    one.add_argument("--terms", type=Path, help="offer, acceptance or bundle: it must be the same")


_DETAILS: Final = {
    "text": "what you say, for everybody in the case; up to 4,000 characters",
    "why": "why the level below is not enough",
    "amount": "as in 480.00",
    "ground": "why, in a word: see docs/disputes.md",
    "ruling": "grant, narrow or refuse",
    "verdict": "upheld, in-part or dismissed",
    "cite": "digest of a statement; repeatable",
    "level": "1 to 4",
    "count": "how many openings or frames",
    "begin": "a day, or a minute as in 2026-11-02T09:30, in the zone of the terms",
    "end": "the same; a day is meant whole",
    "calendar": "the country whose holidays you keep, as in DE-BY",
    "zone": "the time zone of your days; default: that of the terms",
    "day_off": "a day of your own that does not count; repeatable",
    "file": "what you hand over beside",
    "salted": "new file for it with its salt, which is what you hand over",
    "frame": "first digits of a frame's commitment; repeatable",
    "bundle": "take the record of work from this bundle",
    "case_key": "the case's key; default: beside your key file",
    "gone": "the case's key is destroyed already",
}


def _add_details(one: _Parser, *names: str) -> None:
    for name in names:
        option = f"--{name.replace('_', '-')}"
        text = _DETAILS[name]
        if name == "gone":
            one.add_argument(option, action="store_true", help=text)
        elif name in {"cite", "day_off", "frame"}:
            one.add_argument(option, action="append", metavar="…", help=text)
        elif name in {"level", "count"}:
            one.add_argument(option, type=int, metavar="N", help=text)
        else:
            one.add_argument(option, metavar="…", help=text)
    one.add_argument("--text-file", type=Path, metavar="FILE", help="take the text from a file")
    one.add_argument("--yes", action="store_true", help="sign and send without being asked")


def _add_asking(commands: "argparse._SubParsersAction[_Parser]") -> None:
    one = _add(commands, "fetch", fetch, "fetch from a verifier what only a party may read")
    one.add_argument("url", metavar="URL", help="such as the address of a sealed package")
    one.add_argument("--key", type=Path, required=True, help="your key file")
    one.add_argument("--out", type=Path, required=True, metavar="FILE")

    one = _add(commands, "keys", keys, "show the parties' keys, and changes under way")
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("--engagement", required=True, metavar="NUMBER")
    one.add_argument("--key", type=Path, required=True, help="your key file")

    one = _add(commands, "sign-in", sign_in, "print a link that signs your browser in, once")
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("--key", type=Path, required=True, help="your key file")

    one = _add(commands, "invite", invite, "have your offer logged; print the freelancer's link")
    one.add_argument("url", metavar="URL", help="the verifier's address")
    one.add_argument("offer", type=Path, metavar="OFFER.cose")
    one.add_argument("--key", type=Path, required=True, help="the client's key file")

    one = _add(commands, "accept", accept, "accept an operator's invitation with your key")
    one.add_argument("link", metavar="LINK")
    one.add_argument("--key", type=Path, required=True, help="your key file")


def _add(
    commands: "argparse._SubParsersAction[_Parser]", name: str, command: Command, text: str
) -> _Parser:
    parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(command=command)
    return parser


def _version() -> str:
    try:
        return version("workseal")
    except PackageNotFoundError:
        return "of a source tree that is not installed"
