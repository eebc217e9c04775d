"""`workseal case`: what is done with a whole case, and what is said in it."""

from pathlib import Path

from workseal_protocol.cli.program.acts import add_acting
from workseal_protocol.cli.program.parser import Commands, Later, add

checks = Later("desk", "checks")
export = Later("casefile", "export")
verify_case = Later("casefile", "verify")


def add_case(commands: Commands, *, whole: bool, about: str | None = None) -> None:
    """Describe what is done with a case; without `whole` nothing below it.

    `about` is the act whose help is asked for.
    """
    text = "replay a case, run the checks of the desk, export a whole case and verify it"
    parser = commands.add_parser("case", help=text, description=text, allow_abbrev=False)
    if not whole:
        return
    below = parser.add_subparsers(metavar="COMMAND", required=True)

    add_acting(below, about)

    one = add(
        below, "checks", checks, "run the checks of the desk over hours: findings, no verdict"
    )
    one.add_argument("bundle", type=Path, metavar="BUNDLE")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--filing", type=Path, help="look at the hours of this filing, or case, alone")
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

    one = add(below, "export", export, "write a whole case as a folder that anybody can verify")
    one.add_argument("folder", type=Path, metavar="DIR", help="new or empty")
    one.add_argument("--bundle", type=Path, required=True, help="the record of work")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--openings", type=Path, help="values that were opened beside the bundle")
    one.add_argument(
        "--sealed", type=Path, action="append", metavar="FILE", help="a sealed package; repeatable"
    )
    one.add_argument(
        "--exhibit",
        type=Path,
        action="append",
        metavar="FILE",
        help="what was handed over beside, with its salt; repeatable",
    )
    one.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the case's statements, in any order"
    )

    one = add(below, "verify", verify_case, "verify a whole case in a folder, step by step")
    one.add_argument("folder", type=Path, metavar="DIR")
    one.add_argument("--policy", type=Path, required=True, help="whom you trust: log, parties, TSA")
    one.add_argument("--json", action="store_true", help="print the report as one JSON object")
