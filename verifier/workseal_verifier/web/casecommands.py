"""What somebody may do in a case now, each with the command that signs it where their key is.

Rules: the moves are those that the protocol allows this key at this moment; nothing is signed here,
and a page never offers a field for a text. What is to be replaced in a command is in capitals, and
the words that may stand there are told beside it: a line that is pasted as it is does nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import IntEnum
from typing import Final

from workseal_protocol.cli.movewords import label_of, then_of
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_start
from workseal_protocol.records import Ground, Pause, Refusal
from workseal_protocol.terms.plain import amount_text
from workseal_verifier.web.render import moment

# As many digits of a case as its commands are given.
DIGITS: Final = 12
_TEXT: Final = "--text 'TEXT'"
_OPTIONS: Final[Mapping[str, str]] = {
    "answer": _TEXT,
    "extend": "",
    "offer": f"{_TEXT} --amount AMOUNT",
    "accept": "--cite OFFER",
    "end": "",
    "draw": "",
    "declare": f"{_TEXT} --calendar CALENDAR",
    "recuse": _TEXT,
    "strike": "",
    "pass": "",
    "ask": f"--level LEVEL --count COUNT --begin DAY --end DAY {_TEXT} --why 'TEXT'",
    "object": f"--ground GROUND {_TEXT}",
    "rule": f"--ruling RULING {_TEXT}",
    "commit": "",
    "reveal": "",
    "sample": "",
    "request": _TEXT,
    "approve": "",
    "show": "--file OPENINGS --salted NEWFILE",
    "withhold": f"--ground GROUND {_TEXT}",
    "exhibit": f"{_TEXT} --file FILE --salted NEWFILE",
    "comment": _TEXT,
    "draft": f"--verdict VERDICT --amount AMOUNT {_TEXT} --cite STATEMENT",
    "decide": f"--verdict VERDICT --amount AMOUNT {_TEXT} --cite STATEMENT",
    "appeal": _TEXT,
    "stay": f"--ground GROUND --end DAY {_TEXT}",
    "resume": "",
    "withdraw": "",
    "claw-back": f"--cite STATEMENT {_TEXT}",
    "unreadable": f"--cite STATEMENT {_TEXT}",
    "destroy": "",
}
_CITED: Final = "STATEMENT is the digest of one that carries your reasons, from the record below."
_VERDICT: Final = (
    "VERDICT is upheld (all that is at stake), in-part (less of it) or dismissed (nothing)."
)


def _one_of(name: str, codes: type[IntEnum]) -> str:
    words = [one.name.lower().replace("_", "-") for one in codes]
    return f"{name} is {', '.join(words[:-1])} or {words[-1]}."


# What may stand in the place of a word in capitals, where the word does not say it.
_APPEAL: Final = (
    "The next person asks for nothing more and writes no draft, and what was sealed to the first"
    " does not open for them: say all of it here, and in the one word that each party then has."
)
_FIRST: Final = "It ends with your next offer, and with the next draft."
_REPLACING: Final = "It takes the place of your offer before it, and ends with the next draft."
_WHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "declare": ("CALENDAR is the country whose holidays you keep, as in DE-BY.",),
    "ask": ("DAY is written as in 2026-11-02, or with a minute as in 2026-11-02T09:30.",),
    "disclosure": (
        "BOX is what may be seen, in pixels: LEFT,TOP,WIDTH,HEIGHT.",
        "The pages of your agent show the pictures, and let you choose there.",
    ),
    "finding": (
        "SEALED is the package as it was fetched, CASEKEY the key of this case.",
        "Nobody waits for it: say it where the operator did not check.",
    ),
    "object": (_one_of("GROUND", Ground),),
    "rule": (
        "RULING is grant, narrow or refuse.",
        "With narrow also: --count N, fewer than were asked for.",
    ),
    "withhold": (_one_of("GROUND", Refusal),),
    "draft": (_VERDICT, _CITED),
    "decide": (_VERDICT, _CITED),
    "appeal": (_APPEAL,),
    "stay": (_one_of("GROUND", Pause), "DAY is the last one, as in 2026-11-30."),
    "claw-back": (
        "After a draft, once: the draft falls, and another one is written and commented on.",
    ),
}
_SETTLING: Final = frozenset({"offer", "accept", "withdraw", "end"})
_BESIDE: Final = frozenset(
    {"exhibit", "finding", "unreadable", "claw-back", "stay", "recuse", "strike", "lapse"}
)


@dataclass(frozen=True, slots=True)
class Move:
    """Hold one move: its name, what it is, the command for it, and what its words may be."""

    name: str
    what: str
    command: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moves:
    """Hold what may be done now: what the case waits for, how it can end, and what else."""

    now: tuple[Move, ...]
    settling: tuple[Move, ...]
    beside: tuple[Move, ...]

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.now or self.settling or self.beside)


@dataclass(frozen=True, slots=True)
class Reader:
    """Say who reads a case, on which clock and of which server; `sums` are those of its offers."""

    case: Case
    you: Role
    url: str
    zone: tzinfo
    sums: Mapping[Digest, int] = field(default_factory=dict)


def moves_of(names: Iterable[str], reader: Reader) -> Moves:
    """Give the allowed moves, each with its command."""
    moves = [_move(name, reader) for name in names]
    return Moves(
        tuple(one for one in moves if one.name not in _SETTLING | _BESIDE),
        tuple(one for one in moves if one.name in _SETTLING),
        tuple(one for one in moves if one.name in _BESIDE),
    )


def _move(name: str, reader: Reader) -> Move:
    case = reader.case
    offers = [one for one, maker in case.offers.items() if maker is not reader.you]
    offer = offers[0] if name == "accept" and offers else None
    command = command_of(name, case.case, reader.you, reader.url, offer=offer)
    return Move(name, label_of(name, case.state), command, tuple(_where(name, reader, offers)))


def _where(name: str, reader: Reader, offers: Sequence[Digest]) -> Iterator[str]:
    """Say what may stand in a command, and what it would be about."""
    case = reader.case
    yield from _WHERE.get(name, ())
    match name:
        case "pass":
            yield f"Then {then_of(name, case)}."
        case "offer":
            yield _REPLACING if reader.you in case.offers.values() else _FIRST
        case "accept":
            for one in offers:
                sum_text = amount_text(reader.sums.get(one, 0), case.terms.currency)
                yield f"It accepts {sum_text}."
        case "withdraw" if case.drawing:
            yield (
                "The round that draws was set in this case: whoever withdraws it now may file no"
                " other over any of its hours."
            )
        case "draw":
            yield _from(case.panel_round, reader)
        case "sample" if case.sample_round is not None:
            yield _from(case.sample_round, reader)
        case "claw-back":
            shown = ", ".join(str(one) for one in case.shown if one not in case.clawed_back)
            yield f"STATEMENT is what showed it: {shown}."
        case "unreadable":
            left = (one for one in case.shown if one not in case.clawed_back | case.unreadable)
            yield f"STATEMENT is what showed it: {', '.join(map(str, left))}."
            yield "It may be sealed and sent again; what opens then is checked as ever."


def _from(number: int, reader: Reader) -> str:
    begins = moment(round_start(number, reader.case.terms.round_ms), reader.zone)
    return f"The value that draws is that of round {number}, which is out from {begins} on."


def command_of(name: str, case: Digest, you: Role, url: str, *, offer: Digest | None = None) -> str:
    """Write the command of a move for somebody in a role; `offer` is the one to accept."""
    digits = str(case)[:DIGITS]
    if name == "disclosure":
        return (
            f"workseal-agent case show {digits} --request request.cose\n"
            "workseal-agent disclose request.cose --show BOX"
        )
    if name == "finding":
        asked = f"--from {url} --key KEYFILE"
        return (
            f"workseal case show {digits} --save case.cbor --request request.cose {asked}\n"
            "workseal open SEALED --request request.cose --case-key CASEKEY --bundle BUNDLE"
            " --policy POLICY --finding finding.cose --key KEYFILE --case case.cbor\n"
            f"workseal case send finding.cose --terms BUNDLE --from {url}"
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
