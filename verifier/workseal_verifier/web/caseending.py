"""What becomes of what was shown: when it is destroyed, who said so, which copies are out of reach.

Rule: a statement that something is destroyed is the word of who signs it, and is told as that. The
copies that it does not reach are named on every page on which something was handed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from workseal_protocol.dispute import Case, State
from workseal_protocol.dispute.values import SEAL_DAYS
from workseal_protocol.keys import Role
from workseal_verifier.web.casewords import WHO, everyone
from workseal_verifier.web.render import moment

_SEALED_TO: Final = frozenset({"disclosure"})
_BESIDE: Final = frozenset({"show", "exhibit"})


@dataclass(frozen=True, slots=True)
class Ending:
    """Hold what is to be destroyed and who said so, and which copies stay with others."""

    told: tuple[str, ...]
    overdue: str
    copies: tuple[str, ...]
    asks_for_statements: bool


def ending_of(case: Case, steps: Sequence[Mapping[str, Any]], now_ms: int, zone: tzinfo) -> Ending:
    """Tell how a case ends, as it stands now."""
    left = _left(case)
    passed = case.state is State.SEALED and now_ms > (case.destroyed_from or now_ms)
    return Ending(
        tuple(_told(case, steps, zone)),
        _overdue(case, left, zone) if passed else "",
        tuple(_copies(case, steps)),
        passed and Role.ARBITRATOR in left,
    )


def _overdue(case: Case, left: frozenset[Role], zone: tzinfo) -> str:
    told = f"That moment has passed, and nothing says so yet of {everyone(left)}."
    if case.due is None or Role.OPERATOR in left:
        return told
    until = moment(case.due.until, zone)
    return f"{told} After {until} the case ends without that word, and its page says so."


def _left(case: Case) -> frozenset[Role]:
    """Return whose word that it is destroyed is still to come."""
    sitting = frozenset() if case.arbitrator is None else frozenset({Role.ARBITRATOR})
    return (sitting | {Role.OPERATOR}) - case.done


def _told(case: Case, steps: Sequence[Mapping[str, Any]], zone: tzinfo) -> Iterator[str]:
    days = max(case.terms.retention_days, SEAL_DAYS)
    until = "" if case.due is None else moment(case.due.until, zone)
    at_end = "" if case.destroyed_from is None else moment(case.destroyed_from, zone)
    if case.open:
        yield (
            f"{SEAL_DAYS} days after it closes the case is sealed; what was shown is destroyed"
            f" {days} days after the closing."
        )
    elif case.state is State.SEALED:
        yield (
            "Sealed: these pages are closed to the arbitrator."
            f" From {at_end} on, the key of this case and what was sealed to it are destroyed."
        )
    elif case.state is not State.PURGED:
        yield (
            f"Closed. From {until} on it is sealed; what was shown is destroyed {days} days after"
            " the closing."
        )
    for one in steps:
        if one["move"] == "destroy":
            what = (
                "the key of this case is destroyed, which alone opens what was sealed"
                if one["role"] is Role.ARBITRATOR
                else "no sealed package of this case is held here any more"
            )
            yield f"{WHO[one['role']].capitalize()} said, {one['at']}: {what}."
    if case.keeps_silent:
        yield (
            "The arbitrator never said that the key of this case was destroyed. Whoever has it, and"
            " a copy of what was sealed to it, opens that."
        )
    if case.state is State.PURGED:
        yield (
            "What stays are the statements, the words of this case among them, and the decision;"
            " they hold digests of what was shown, and nothing of it."
        )


def _copies(case: Case, steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    moves = {one["move"] for one in steps}
    if moves & _SEALED_TO:
        yield (
            "A backup of the arbitrator's machine, made before, may have the key still, and who"
            " kept a sealed package, in a case file or a backup of theirs, has that: both together"
            " open it."
        )
        yield (
            "A picture that the arbitrator drew into a file, or photographed, stays where it is;"
            " what this product drew is marked for them."
        )
    if moves & _BESIDE:
        yield (
            "Openings and exhibits were handed over beside, and sealed to no key: who has such a"
            " file has it until they delete it, and their backups longer."
        )
    if sum(one["move"] == "declare" for one in steps) > 1:
        yield (
            "Who sat here before has a key of their own; they destroy it by themselves, and the"
            " case takes no word of theirs about it."
        )
    if moves & (_SEALED_TO | _BESIDE):
        yield (
            "That something is destroyed is the word of who says so: no statement proves that no"
            " copy is left. What a person has seen stays seen."
        )
        yield "The freelancer's own frames are not touched by the end of a case."
    elif not case.open:
        yield "Nothing was handed over in this case."
