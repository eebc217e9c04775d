"""`workseal verify`, `hours`, `inspect`, `page`, `terms`: what is read of a bundle."""

from pathlib import Path

from workseal_protocol.cli.program.parser import Commands, Later, add

hours = Later("hours", "hours")
inspect = Later("inspection", "inspect")
page = Later("page", "page")
terms = Later("parties", "terms")
verify = Later("verification", "verify")


def add_checks(commands: Commands) -> None:
    """Describe what is read of a bundle."""
    one = add(commands, "verify", verify, "check a bundle, step by step, against your own policy")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--json", action="store_true", help="print the report as one JSON object")

    one = add(commands, "hours", hours, "write verified hours as a table, a calendar or a PDF")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="ends in .csv, .json, .ics or .pdf"
    )
    one.add_argument("--timesheet", metavar="DIGITS", help="its days; as 'verify' names it")
    one.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first day; default: all")
    one.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="last day; default: all")
    one.add_argument(
        "--by",
        choices=("day", "interval", "project"),
        help="default: as the terms let the client see time; project: a .csv by opened labels",
    )

    one = add(commands, "inspect", inspect, "list a bundle's parts; verifies nothing by itself")
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument(
        "--extract", type=Path, metavar="DIR", help="write the parts as files for other tools"
    )

    one = add(commands, "page", page, "write verify.html, which checks bundles in a browser")
    one.add_argument("--out", type=Path, default=Path("verify.html"), metavar="FILE")
    one.add_argument("--check", type=Path, metavar="FILE", help="compare a page by its SHA-256")
    one.add_argument(
        "--bundle", type=Path, metavar="BUNDLE", help="with what its log's operator published"
    )
    one.add_argument("--policy", type=Path, metavar="POLICY", help="whom you trust")

    one = add(commands, "terms", terms, "say in plain words what an offer or acceptance agrees")
    one.add_argument("file", type=Path, metavar="FILE", help="offer, acceptance or bundle")
