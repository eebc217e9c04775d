"""What was said in a case, statement by statement: the words, what they cite, and last words.

Rule: words are shown as their senders wrote them, harmless; a citation leads to the statement that
it names, or is shown as the digest that it is.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from workseal_protocol.cli.text import count
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, State
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    DisputeAct,
    DisputeDisclosure,
    DisputeFiling,
    DisputeFinding,
    DisputeRequest,
    Outcome,
)
from workseal_verifier.services.hearing import Told
from workseal_verifier.web.casewords import CLAIMS, MOVES, STANDINGS, WHO
from workseal_verifier.web.render import moment

_CUSTODY: Final = frozenset(
    {"declare", "request", "approve", "show", "disclosure", "finding", "withhold", "claw-back",
     "unreadable", "destroy"}
)  # fmt: skip
# What a party says of the matter itself, and not of how the case goes on.
_WORDS: Final = frozenset({"filing", "answer", "exhibit", "comment", "appeal"})
_PARTIES: Final = (Role.CLIENT, Role.FREELANCER)


def steps_of(case: Case, told: Sequence[Told], zone: tzinfo) -> list[dict[str, Any]]:
    """Tell every statement, in the order of the case."""
    numbers = {one.digest: number for number, one in enumerate(told)}
    return [_step(case, number, one, numbers, zone) for number, one in enumerate(told)]


def heard(case: Case, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what each party says the case is about: who filed it, and who answers; client first.

    Whoever has not answered has no step.
    """
    found = []
    for role in _PARTIES:
        move = "filing" if role is case.filer else "answer"
        own = [one for one in steps if one["role"] is role and one["move"] == move]
        found.append({"who": WHO[role], "files": role is case.filer, "step": next(iter(own), None)})
    return found


def last_words(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each party's words on the matter, the client's first: the last, and those before.

    What is said about the procedure is no such word: it stands at its request.
    """
    found = []
    for role in _PARTIES:
        own = [one for one in steps if one["role"] is role and one["move"] in _WORDS]
        said = [one for one in own if one["text"]]
        found.append({"who": WHO[role], "step": said[-1] if said else None, "before": said[:-1]})
    return found


def decisions(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the decisions, newest first, and the draft that awaits one."""
    found = [one for one in steps if one["move"] in {"draft", "decide"}]
    open_draft = found[-1:] if found and found[-1]["move"] == "draft" else []
    return open_draft + [one for one in reversed(found) if one["move"] == "decide"]


def settled(steps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the offer that was accepted; None where none was."""
    accepts = [one for one in steps if one["move"] == "accept"]
    if not accepts:
        return None
    (offer,) = {one["number"] for one in accepts[-1]["cites"]}
    return next(one for one in steps if one["number"] == offer)


def outside(decisions: Sequence[Mapping[str, Any]]) -> set[Digest]:
    """Return what decisions cite that is no statement of the case."""
    return {
        cited["named"] for one in decisions for cited in one["cites"] if cited["number"] is None
    }


def custody_of(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the statements about what was asked for, handed over, taken back and destroyed."""
    return [one for one in steps if one["move"] in _CUSTODY]


def _step(
    case: Case, number: int, one: Told, numbers: Mapping[Digest, int], zone: tzinfo
) -> dict[str, Any]:
    record = one.record
    code = one.code
    if isinstance(record, DisputeFiling):
        code = CLAIMS[record.claim]
    return {
        "number": number,
        "index": one.index,
        "digest": str(one.digest),
        "role": one.by,
        "who": WHO[one.by],
        "move": one.move,
        "what": MOVES[one.move],
        "at": moment(one.at_ms, zone),
        "at_ms": one.at_ms,
        "then": STANDINGS[State(one.state)].title,
        "late": one.is_late,
        "text": one.text,
        "code": code,
        "amount": one.amount,
        "facts": _facts(case, record),
        "found": _found(case, record),
        "cites": _cites(record, numbers),
        "clawed_back": one.digest in case.clawed_back,
    }


def _cites(record: object, numbers: Mapping[Digest, int]) -> list[dict[str, Any]]:
    cited: tuple[Digest, ...] = ()
    match record:
        case DisputeAct(cites=cites):
            cited = cites or ()
        case DisputeDisclosure(request=request):
            cited = (request,)
        case DisputeFinding(disclosure=disclosure):
            cited = (disclosure,)
        case _:
            pass
    return [{"named": one, "digest": str(one), "number": numbers.get(one)} for one in cited]


def _facts(case: Case, record: object) -> list[str]:
    """Say what a statement holds beside its words."""
    match record:
        case DisputeRequest(frames=frames):
            return [f"{count(len(frames), 'frame')}, for the key of this case alone"]
        case DisputeDisclosure(frames=frames):
            return [f"{count(len(frames), 'frame')}; the tiles are not in this statement, nor here"]
        case DisputeFinding(findings=findings):
            holds = sum(one.outcome is Outcome.HOLDS for one in findings)
            shown, tiles = sum(one.shown for one in findings), sum(one.tiles for one in findings)
            return [
                f"it holds for {holds} of {count(len(findings), 'frame')}",
                f"{shown} of {tiles} tiles are shown",
            ]
        case DisputeAct():
            return _act_facts(case, record)
        case _:
            return []


def _found(case: Case, record: object) -> dict[str, Any] | None:
    """Give what a finding found; None of any other statement."""
    if not isinstance(record, DisputeFinding):
        return None
    holding = [one for one in record.findings if one.outcome is Outcome.HOLDS]
    return {
        "holds": len(holding),
        "frames": len(record.findings),
        "disclosure": record.disclosure,
        "hidden": sum(one.tiles - one.shown for one in holding),
        "taken_back": record.disclosure in case.clawed_back,
    }


def _act_facts(case: Case, act: DisputeAct) -> list[str]:
    found = []
    if act.level is not None:
        found.append(f"level {act.level}, at most {act.count}")
    elif act.count is not None:
        found.append(f"at most {act.count}")
    if act.person is not None:
        place = [key.thumbprint for key in case.terms.arbitrators].index(act.person) + 1
        found.append(f"person {place} of {len(case.terms.arbitrators)} on the panel")
    if act.act in {Act.SHOW, Act.EXHIBIT} and act.value is not None:
        found.append(f"handed over beside, salt and all: SHA-256 {act.value.hex()}")
    if act.round is not None:
        found.append(f"by the value of round {act.round}")
    if act.sealing_key is not None:
        found.append("with a key of this case alone, which its holder keeps")
    if act.calendar is not None:
        found.append(f"working days of {act.calendar.name} in {act.calendar.zone}")
    return found
