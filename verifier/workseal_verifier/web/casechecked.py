"""What checks of shown tiles found, disclosure by disclosure, and where they do not say the same.

Rule: a finding is told as the word of who signed it. Where two differ, one of them is not so, and
this page cannot tell which: it has no tile.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, excesses, levels_of
from workseal_protocol.keys import Role
from workseal_protocol.records import DisputeFinding, Finding, Outcome
from workseal_verifier.services.hearing import CheckedBeside, Told
from workseal_verifier.web.casecommands import DIGITS
from workseal_verifier.web.casewords import WHO


def checked_of(
    case: Case, told: Sequence[Told], beside: Sequence[CheckedBeside], you: Role
) -> list[dict[str, Any]]:
    """Tell of each disclosure what was found, in the case and beside it."""
    numbers = {one.digest: number for number, one in enumerate(told)}
    beyond = _excesses(told, beside)
    return [
        _shown(case, disclosure, numbers, _findings(disclosure, told, beside), you)
        | {"excesses": beyond.get(disclosure, ())}
        for disclosure in case.unexamined
    ]


def differing(checked: Sequence[Mapping[str, Any]]) -> frozenset[Digest]:
    """Return the disclosures of which checks do not say the same."""
    return frozenset(one["disclosure"] for one in checked if one["differ"])


def _excesses(
    told: Sequence[Told], beside: Sequence[CheckedBeside]
) -> Mapping[Digest, Sequence[str]]:
    """Say of each disclosure which frames it shows more of than the level has."""
    findings = [one.record for one in told if isinstance(one.record, DisputeFinding)]
    findings += [one.record for one in beside]
    found: dict[Digest, list[str]] = {}
    for one in excesses(levels_of((each.digest, each.record) for each in told), findings):
        found.setdefault(one.answer, []).append(
            f"{one.shown} of {one.tiles} tiles of a frame are more than the {one.most} that level"
            f" {one.level} has."
        )
    return found


def _findings(
    disclosure: Digest, told: Sequence[Told], beside: Sequence[CheckedBeside]
) -> list[tuple[int | None, Role, tuple[Finding, ...]]]:
    """Give (number in the case, by whom, what) of each finding; no number for one beside it."""
    inside = [
        (number, one.by, one.record.findings)
        for number, one in enumerate(told)
        if isinstance(one.record, DisputeFinding) and one.record.disclosure == disclosure
    ]
    outside = [
        (None, one.by, one.record.findings) for one in beside if one.record.disclosure == disclosure
    ]
    return [*inside, *outside]


def _shown(
    case: Case,
    disclosure: Digest,
    numbers: Mapping[Digest, int],
    findings: Sequence[tuple[int | None, Role, tuple[Finding, ...]]],
    you: Role,
) -> dict[str, Any]:
    taken_back = disclosure in case.clawed_back
    by_operator = any(by is Role.OPERATOR for _, by, _ in findings)
    mine = you is Role.FREELANCER and not by_operator and not taken_back
    return {
        "disclosure": disclosure,
        "number": numbers[disclosure],
        "taken_back": taken_back,
        "found": [_found(*one) for one in findings],
        "differ": len({frozenset(what) for _, _, what in findings}) > 1,
        "command": _command(case, disclosure) if mine else "",
        "unreadable": disclosure in case.unreadable,
        "again": _again(case) if disclosure in case.unreadable and you is Role.FREELANCER else "",
    }


def _found(number: int | None, by: Role, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "number": number,
        "who": WHO[by],
        "holds": sum(one.outcome is Outcome.HOLDS for one in findings),
        "frames": len(findings),
        "shown": sum(one.shown for one in findings),
        "tiles": sum(one.tiles for one in findings),
    }


def _again(case: Case) -> str:
    """Write how the same answer is sealed once more: the same command, the same tiles."""
    shown = f"workseal-agent case show {str(case.case)[:DIGITS]} --request request.cose"
    return f"{shown}\nworkseal-agent disclose request.cose --show BOX"


def _command(case: Case, disclosure: Digest) -> str:
    named = f"--disclosure {str(disclosure)[:DIGITS]}"
    return f"workseal-agent case check {str(case.case)[:DIGITS]} {named}"
