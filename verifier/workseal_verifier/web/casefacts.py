"""What is proved of the disputed hours, what is claimed, and what nobody knows: three columns.

Rule: each sentence is a figure of the folds beside it, or of the statements; a figure of nothing is
left out. What is never proved is said on every page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workseal_protocol.cli.text import count
from workseal_protocol.desk.checked import NOT_PROVEN as DESK_NOT_PROVEN
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Role
from workseal_protocol.terms import Level
from workseal_protocol.terms.plain import amount_text
from workseal_protocol.verify.unproven import ALWAYS
from workseal_protocol.window import Grade
from workseal_verifier.web.casechecked import differing
from workseal_verifier.web.casehours import Hours, Sums
from workseal_verifier.web.casewords import CLAIMS, WHO
from workseal_verifier.web.render import span

# Less of it is shown as none.
_SECOND_MS: Final = 1_000
CANNOT_PROVE: Final = (
    *ALWAYS[:3],
    "It is not proven what the work was worth, or whether it was any good.",
    "Thinking, talking and paper leave no record: time without one was not therefore idle.",
    *DESK_NOT_PROVEN,
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Hold the three columns."""

    proved: tuple[str, ...]
    claimed: tuple[str, ...]
    unknown: tuple[str, ...]


def columns_of(
    case: Case,
    hours: Hours,
    steps: Sequence[Mapping[str, Any]],
    draw: Mapping[str, Any] | None,
    checked: Sequence[Mapping[str, Any]],
) -> Columns:
    """Sort what a case has into what is proved, claimed and unknown."""
    doubted = differing(checked)
    return Columns(
        tuple(_proved(hours, steps, draw, doubted)),
        tuple(_claimed(case, hours, steps)),
        (*_unknown(case, hours, steps, draw), *_doubted(checked)),
    )


def _proved(
    hours: Hours,
    steps: Sequence[Mapping[str, Any]],
    draw: Mapping[str, Any] | None,
    doubted: frozenset[Digest],
) -> Iterator[str]:
    sums = hours.sums
    online = sums.grades[Grade.ONLINE.value]
    if online >= _SECOND_MS:
        yield (
            f"{span(online)} of these hours were signed and cosigned within a minute of when they"
            " say they were worked: they were not made up later."
        )
    if blind := sums.taken + sums.missed - sums.foreseeable:
        missed = sums.missed - sums.foreseeable_missed
        yield (
            f"{count(blind - missed, 'capture was', 'captures were')} taken and {missed} missed"
            " at instants that were drawn by lot with the operator's value of the round."
        )
    if sums.frames:
        committed = count(sums.frames, "frame is", "frames are")
        yield f"{committed} committed to: no other passes as one of them."
    if sums.withdrawn:
        yield (
            f"{count(sums.withdrawn, 'frame was', 'frames were')} withdrawn{_later(sums)}; the"
            " commitment and the time stayed."
        )
    if sums.expired:
        yield (
            f"{count(sums.expired, 'frame was', 'frames were')} deleted once the agreed days were"
            " over, before this case was filed; the commitment and the time stayed."
        )
    if draw is not None and draw["drawn"] is not None:
        yield f"{draw['size']} of {draw['count']} frames were drawn; no party alone could steer it."
    for one in steps:
        found = one["found"]
        if not found or found["disclosure"] in doubted:
            continue
        if found["holds"] and not found["taken_back"]:
            yield (f"Of what was shown, by {_check_of(one)}: {'; '.join(one['facts'])}.")
    yield f"Who said what in this case, in which order: {count(len(steps), 'signed statement')}."


def _later(sums: Sums) -> str:
    """Say how many of the withdrawn frames were so once these hours were disputed."""
    return f", {sums.since_filing} of them after this case was filed" if sums.since_filing else ""


def _claimed(case: Case, hours: Hours, steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    sums = hours.sums
    if sums.recorded_ms:
        yield (
            "When work began and ended, and how much of it was worked, is what the freelancer's"
            " machine says, within the bounds that are proved."
        )
    for grade, said in (
        (
            Grade.LATE,
            "were proved later than a minute afterwards, and may have been made up to then",
        ),
        (Grade.OFFLINE, "were recorded without the verifier: the device's word"),
        (Grade.DECLARED, "were declared: the freelancer's word"),
    ):
        if found := sums.grades[grade.value]:
            yield f"{span(found)} {said}."
    if sums.foreseeable:
        yield (
            f"{sums.foreseeable} of {count(sums.taken + sums.missed, 'capture')} {_were(sums)} in"
            " rounds that the owner of the machine could foresee: the operator's value was not in"
            f" their draw{_missed(sums.foreseeable_missed)}."
        )
    amount = amount_text(case.filing.amount, case.terms.currency)
    yield f"{WHO[case.filer].capitalize()} says: {CLAIMS[case.filing.claim]}, {amount}."
    if not case.answered:
        yield f"{WHO[case.respondent].capitalize()} has not answered; that says nothing."
    for one in steps:
        if one["found"] and (failing := one["found"]["frames"] - one["found"]["holds"]):
            yield (
                f"{failing} of {count(one['found']['frames'], 'shown frame')} do not hold by"
                f" {_checker_of(one)} check: they prove nothing about these hours."
            )
    if exhibits := sum(one["move"] == "exhibit" for one in steps):
        yield f"{count(exhibits, 'exhibit')} of the parties, as they describe them."


def _missed(number: int) -> str:
    return f"; {number} of them {'was' if number == 1 else 'were'} missed" if number else ""


def _were(sums: Sums) -> str:
    return "was" if sums.foreseeable == 1 else "were"


def _check_of(step: Mapping[str, Any]) -> str:
    """Name a check, and what else there is of it."""
    if step["role"] is Role.ARBITRATOR:
        return "the arbitrator's own check"
    return "the operator's check, which the arbitrator's own program repeats"


def _checker_of(step: Mapping[str, Any]) -> str:
    return "the arbitrator's" if step["role"] is Role.ARBITRATOR else "the operator's"


def _unknown(
    case: Case,
    hours: Hours,
    steps: Sequence[Mapping[str, Any]],
    draw: Mapping[str, Any] | None,
) -> Iterator[str]:
    sums = hours.sums
    yield (
        f"{span(sums.nothing_ms)} of the {span(sums.period_ms)} have no record"
        f"{f', and {span(sums.paused_ms)} are pauses' if sums.paused_ms else ''}: nothing says"
        " what happened then."
    )
    if sums.missed:
        missed = count(sums.missed, "missed capture")
        yield f"What the screen showed at {missed}."
    if sums.withdrawn:
        yield f"What {count(sums.withdrawn, 'withdrawn frame')} showed."
    if sums.expired:
        yield f"What {count(sums.expired, 'frame')} showed that had been kept for the agreed days."
    opened = any(one["move"] == "show" and not one["clawed_back"] for one in steps)
    if case.terms.level >= Level.ACTIVITY and not opened:
        yield "How much input there was: activity is committed to, and not opened."
    if draw is not None and draw["drawn"] is not None:
        if left := draw["count"] - draw["size"]:
            yield (
                "What the"
                f" {count(left, 'frame shows that was', 'frames show that were')} not drawn."
            )
        yield from draw["course"].unknown
    yield from _hidden(steps)
    for one in steps:
        if one["clawed_back"]:
            yield "What was taken back: no decision may rest on it."
        if one["move"] == "withhold":
            yield f"What was withheld, as {one['code']}; a refusal proves nothing by itself."


def _hidden(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say how many tiles each answer hides, whoever checked it: another may show some of them."""
    found = [one["found"] for one in steps if one["found"]]
    known = {one["disclosure"]: one["hidden"] for one in found if not one["taken_back"]}
    numbers = {one["digest"]: one["number"] for one in steps}
    for disclosure, hidden in known.items():
        if hidden and len(known) == 1:
            yield f"What {count(hidden, 'hidden tile')} of the shown frames show."
        elif hidden:
            yield (
                f"What {count(hidden, 'tile')} that statement {numbers[str(disclosure)]} hides of"
                " its frames show, unless another answer shows them."
            )


def _doubted(checked: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in checked:
        if one["differ"]:
            yield (
                f"Whether what statement {one['number']} shows is what was committed to: two checks"
                " of it do not say the same, and no tile is here."
            )
