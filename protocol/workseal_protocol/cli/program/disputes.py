"""`workseal request`, `declare`, `destroy` and `open`: an arbitrator's files."""

from pathlib import Path

from workseal_protocol.cli.program.parser import Commands, Later, Parser, add

declare = Later("casekeys", "declare")
destroy = Later("casekeys", "destroy")
open_package = Later("opening", "open_package")
request = Later("dispute", "request")


def add_disputes(commands: Commands) -> None:
    """Describe what an arbitrator signs into files, and opens."""
    one = add(commands, "request", request, "ask, as arbitrator, for frames of a bundle")
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

    one = add(commands, "declare", declare, "take a case as arbitrator, and make its key")
    _add_case_files(one)
    one.add_argument("--case-key", type=Path, required=True, help="new file for the case's key")
    one.add_argument("--text", required=True, help="what ties you to either party, or that none do")
    one.add_argument(
        "--calendar", required=True, metavar="DE-BY", help="the country whose holidays you keep"
    )
    one.add_argument("--zone", help="the time zone of your days; default: that of the terms")
    one.add_argument("--out", type=Path, required=True, metavar="DECLARE.cose")

    one = add(commands, "destroy", destroy, "destroy a case's key at its end, and sign that")
    _add_case_files(one)
    one.add_argument("--case-key", type=Path, required=True, help="the file to destroy")
    one.add_argument("--gone", action="store_true", help="the file is destroyed already")
    one.add_argument("--out", type=Path, required=True, metavar="DESTROY.cose")

    one = add(commands, "open", open_package, "unseal and check what the freelancer disclosed")
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
        help="the case's statements, for a finding in it and its level; repeatable",
    )


def _add_case_files(one: Parser) -> None:
    one.add_argument("--terms", type=Path, required=True, help="offer, acceptance or bundle")
    one.add_argument("--key", type=Path, required=True, help="the arbitrator's key file")
    one.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the case's statements, in any order"
    )
