"""`workseal invoice` and `answer`: what follows from hours."""

from pathlib import Path

from workseal_protocol.cli.program.parser import Commands, Later, add

answer = Later("answering", "answer")
invoice = Later("invoice", "invoice")


def add_billing(commands: Commands) -> None:
    """Describe what follows from hours."""
    one = add(commands, "invoice", invoice, "write an invoice over verified hours: PDF or XML")
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

    one = add(commands, "answer", answer, "accept a timesheet, ask about it, or object to it")
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
