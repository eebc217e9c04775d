"""What somebody may do in a case now, each with the command that signs it where their key is.

Rule: the moves are those that the protocol allows this key at this moment; nothing is signed here,
and a page never offers a field for a text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role

# As many digits of a case as its commands are given.
DIGITS: Final = 12
_TEXT: Final = "--text 'TEXT'"
# What each is, as an offer to who may do it.
_WHAT: Final[Mapping[str, str]] = {
    "answer": "Answer",
    "extend": "Take five working days more, once",
    "offer": "Make an offer",
    "accept": "Accept an offer of the other party",
    "end": "End the talks",
    "draw": "Write down who was drawn",
    "declare": "Declare to be free of conflicts, with a key of this case",
    "recuse": "Step back",
    "strike": "Strike the drawn person, once",
    "pass": "Pass: nothing to say",
    "ask": "Ask for evidence",
    "object": "Object to the request",
    "rule": "Rule on the request",
    "commit": "Commit to a secret for the draw",
    "reveal": "Reveal your secret",
    "sample": "Write down the draw of the sample",
    "request": "Name the frames",
    "approve": "Approve whole frames",
    "show": "Hand over openings",
    "disclosure": "Show tiles that you choose",
    "withhold": "Withhold, with a reason",
    "exhibit": "Add an exhibit",
    "comment": "Comment",
    "draft": "Draft the decision",
    "decide": "Decide",
    "appeal": "Appeal to another person",
    "stay": "Stay the case",
    "resume": "Let the case go on",
    "withdraw": "Withdraw the case",
    "claw-back": "Take back what was shown by mistake",
    "destroy": "Destroy the key of this case, and say so",
}
_OPTIONS: Final[Mapping[str, str]] = {
    "answer": _TEXT,
    "extend": "",
    "offer": f"{_TEXT} --amount AMOUNT",
    "accept": "--cite OFFER",
    "end": "",
    "draw": "",
    "declare": f"{_TEXT} --calendar CALENDAR --case-key case.key",
    "recuse": _TEXT,
    "strike": "",
    "pass": "",
    "ask": f"--level LEVEL --count COUNT --begin DAY --end DAY {_TEXT} --why 'TEXT'",
    "object": f"--ground GROUND {_TEXT}",
    "rule": f"--ruling grant|narrow|refuse {_TEXT}",
    "commit": "",
    "reveal": "",
    "sample": "",
    "request": f"{_TEXT} --case-key case.key",
    "approve": "",
    "show": "--file OPENINGS --salted NEWFILE",
    "withhold": f"--ground GROUND {_TEXT}",
    "exhibit": f"{_TEXT} --file FILE --salted NEWFILE",
    "comment": _TEXT,
    "draft": f"--verdict upheld|in-part|dismissed --amount AMOUNT {_TEXT} --cite STATEMENT",
    "decide": f"--verdict upheld|in-part|dismissed --amount AMOUNT {_TEXT} --cite STATEMENT",
    "appeal": _TEXT,
    "stay": f"--ground GROUND --end DAY {_TEXT}",
    "resume": "",
    "withdraw": "",
    "claw-back": f"--cite STATEMENT {_TEXT}",
    "destroy": "--case-key case.key",
}
_SETTLING: Final = frozenset({"offer", "accept", "withdraw", "end", "appeal"})
_BESIDE: Final = frozenset({"exhibit", "claw-back", "stay", "recuse", "strike", "lapse"})


@dataclass(frozen=True, slots=True)
class Move:
    """Hold one move: its name, what it is, and the command for it."""

    name: str
    what: str
    command: str


@dataclass(frozen=True, slots=True)
class Moves:
    """Hold what may be done now: what the case waits for, how it can end, and what else."""

    now: tuple[Move, ...]
    settling: tuple[Move, ...]
    beside: tuple[Move, ...]

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.now or self.settling or self.beside)


def moves_of(
    names: Iterable[str], case: Digest, you: Role, url: str, *, offer: Digest | None = None
) -> Moves:
    """Give the allowed moves, each with its command; `offer` is the newest of the other party."""
    moves = [
        Move(name, _WHAT[name], command_of(name, case, you, url, offer=offer)) for name in names
    ]
    return Moves(
        tuple(one for one in moves if one.name not in _SETTLING | _BESIDE),
        tuple(one for one in moves if one.name in _SETTLING),
        tuple(one for one in moves if one.name in _BESIDE),
    )


def command_of(name: str, case: Digest, you: Role, url: str, *, offer: Digest | None = None) -> str:
    """Write the command of a move for somebody in a role."""
    digits = str(case)[:DIGITS]
    if name == "disclosure":
        return (
            f"workseal-agent case show {digits} --request request.cose\n"
            "workseal-agent disclose request.cose"
        )
    options = _OPTIONS[name] if offer is None else _OPTIONS[name].replace("OFFER", str(offer))
    if you is Role.FREELANCER:
        return f"workseal-agent case act {name} {digits} {options}".rstrip()
    words = f"workseal case act {name} {digits} {options}".rstrip()
    return f"{words} --from {url} --key KEYFILE"


def reading_of(case: Digest, you: Role, url: str) -> tuple[str, ...]:
    """Write the commands that show the same case without this page."""
    digits = str(case)[:DIGITS]
    if you is Role.FREELANCER:
        return (f"workseal-agent case show {digits}",)
    return (f"workseal case show {digits} --from {url} --key KEYFILE",)
