"""`workseal case show`, `list`, `file`, `act` and `send`: a case at a verifier, or by files."""

from pathlib import Path
from typing import Final

from workseal_protocol.cli.program.parser import Commands, Later, Parser, add

act = Later("acting.command", "act")
file = Later("acting.command", "file")
list_cases = Later("acting.command", "list_cases")
send = Later("acting.command", "send")
show = Later("acting.command", "show")

SHOW: Final = "show"
_DETAILS: Final = {
    "text": "what you say, for everybody in the case; up to 4,000 characters",
    "why": "why the level below is not enough",
    "amount": "as in 480.00",
    "ground": "why, in a word",
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


def add_acting(below: Commands, about: str | None = None) -> None:
    """Describe what is said and read of a case, below `case`; of `act` as `add_act` does."""
    # These words come with all that acts.
    from workseal_protocol.cli.acting.said import ABOUT  # noqa: PLC0415

    one = add(below, SHOW, show, "replay a case: where it stands, who must act until when")
    one.add_argument("--json", action="store_true", help="print the case as one JSON object")
    one.add_argument("--save", type=Path, metavar="FILE", help="also write its statements")
    one.add_argument("--request", type=Path, metavar="FILE", help="also write the open request")
    one.add_argument("--openings", type=Path, help="count what was opened of a request's hours")
    one.add_argument("--bundle", type=Path, help="with --openings: the record of work")
    one.add_argument("--policy", type=Path, help="with --openings: whom you trust")
    _add_place(one, key=False)
    one.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="CASE|FILE",
        help="with --from its number, else files",
    )

    one = add(below, "list", list_cases, "list the cases that a key may read")
    _add_place(one, url=True)

    one = add(below, "file", file, "open a case, as client")
    one.add_argument("about", choices=tuple(ABOUT), metavar="ABOUT", help=", ".join(ABOUT))
    one.add_argument("--engagement", required=True, metavar="NUMBER")
    _add_place(one, url=True)
    _add_details(one, "text", "amount", "begin", "end", "calendar", "zone", "day_off")

    _add_act(below, about)

    one = add(below, "send", send, "send a statement of a case that was signed elsewhere")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--from", dest="url", required=True, metavar="URL", help="the verifier")
    one.add_argument("--terms", type=Path, required=True, help="offer, acceptance or bundle")


def _add_act(below: Commands, about: str | None) -> None:
    """Describe what is said in a case; with the name of an act, the options of that act alone."""
    from workseal_protocol.cli.acting.said import DETAILS, GROUNDS  # noqa: PLC0415
    from workseal_protocol.cli.movewords import offer_of  # noqa: PLC0415

    details = None if about is None else DETAILS.get(about)
    one = add(below, "act", act, "act in a case, as client or arbitrator")
    one.add_argument("act", metavar="ACT", help=", ".join(DETAILS))
    one.add_argument(
        "files", nargs="+", metavar="CASE|FILE", help="the case's number; --offline: its files"
    )
    _add_place(one)
    if about is None or details is None:
        names, grounds = list(_DETAILS), dict(GROUNDS)
    else:
        one.description = f"{about}: {offer_of(about)}"
        names = [name for name in _DETAILS if name in details.needs | details.may]
        grounds = {name: words for name, words in GROUNDS.items() if name == about}
    told = "; ".join(f"{name}: {', '.join(words)}" for name, words in grounds.items())
    _add_details(one, *names, ground=f"{_DETAILS['ground']}: {told}")
    one.add_argument("--offline", type=Path, metavar="OUT", help="sign into a new file, send none")
    one.add_argument("--at", metavar="+10m", help="date it so many minutes ahead; with --offline")
    one.add_argument("--again", action="store_true", help="the one before was refused; --offline")


def _add_place(one: Parser, *, url: bool = False, key: bool = True) -> None:
    one.add_argument("--from", dest="url", required=url, metavar="URL", help="the verifier")
    one.add_argument("--key", type=Path, required=key, help="your key file")
    one.add_argument("--terms", type=Path, help="offer, acceptance or bundle: it must be the same")


def _add_details(one: Parser, *names: str, ground: str = "") -> None:
    for name in names:
        option = f"--{name.replace('_', '-')}"
        text = ground if name == "ground" else _DETAILS[name]
        if name == "gone":
            one.add_argument(option, action="store_true", help=text)
        elif name in {"cite", "day_off", "frame"}:
            one.add_argument(option, action="append", metavar="…", help=text)
        elif name in {"level", "count"}:
            one.add_argument(option, type=int, metavar="N", help=text)
        else:
            one.add_argument(option, metavar="…", help=text)
    if "text" in names:
        one.add_argument("--text-file", type=Path, metavar="FILE", help="take the text from a file")
    one.add_argument("--yes", action="store_true", help="sign and send without being asked")
