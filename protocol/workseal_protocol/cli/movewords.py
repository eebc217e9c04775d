"""What each move of a case is, and what follows from it: the words of program and page.

Rules: nothing here is in a statement; a sentence says what its name does not say, or what cannot be
taken back. `pass` is another act in each state that has it, and has its words by state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from workseal_protocol.dispute import Case, State
from workseal_protocol.dispute.table import DISCLOSED, FOUND, REQUEST

_PASS: Final = "pass"  # noqa: S105 - an act, no password
# What each is, as an offer to who may do it.
_LABELS: Final[Mapping[str, str]] = {
    "answer": "Answer",
    "extend": "Take more time to answer, once: fifteen working days in all",
    "offer": "Make an offer",
    "accept": "Accept an offer of the other party",
    "end": "End the talks",
    "draw": "Write down who was drawn",
    "declare": "Declare to be free of conflicts, with a key of this case",
    "recuse": "Step back",
    "strike": "Strike the drawn person, once",
    "ask": "Ask for evidence",
    "object": "Object to the request",
    "rule": "Rule on the request",
    "commit": "Commit to a secret for the draw",
    "reveal": "Reveal your secret",
    "sample": "Write down the draw of the sample",
    REQUEST: "Name the frames",
    "approve": "Approve whole frames",
    "show": "Hand over openings",
    DISCLOSED: "Show tiles that you choose",
    FOUND: "Say what your check of the shown tiles found",
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
    "unreadable": "Say that what was shown cannot be opened",
    "destroy": "Destroy the key of this case, and say so",
}
_THEN: Final[Mapping[str, str]] = {
    "answer": "the other party reads it; it moves the case on only where an answer is awaited",
    "extend": "you have fifteen working days for your answer in all; it is not given twice",
    "offer": "the other party may accept it, which settles the case and closes it",
    "accept": "the case is settled by that offer, and closed",
    "end": "an arbitrator is drawn; offers are taken still",
    "draw": "the drawn person declares or steps back; then each party accepts or strikes them",
    "declare": "you hear this case, unless a party strikes you; what is shown is sealed to this"
    " key: who loses it reads nothing of that",
    "recuse": "another person is drawn; you read this case no more",
    "strike": "another person is drawn; each party strikes once",
    "ask": "both parties may object, then you rule on it; nothing is shown by it",
    "object": "the arbitrator rules with it at hand; it stops nothing by itself",
    "rule": "what you grant is the most that may be shown; a refusal ends this request",
    "commit": "the program keeps the secret; not revealed in time, it is left out of the draw",
    "reveal": "it is mixed into the draw, and everybody of the case knows it",
    "sample": "these places are the sample; in this case no other one is drawn",
    REQUEST: "the freelancer shows tiles of these frames, or withholds them with a reason",
    "approve": "whole frames may be shown now; this shows none",
    "show": "it stands as your answer; hand over the salted file yourself",
    DISCLOSED: "whoever is sent what you show has it until they delete it",
    FOUND: "it stands in the case as your word; nobody waits for it, and nothing follows by itself",
    "withhold": "nothing is shown, and nothing follows from that by itself",
    "exhibit": "everybody of the case reads this text; a file you hand over yourself",
    "comment": "it stands as it is; the case goes on once everybody who is asked has spoken",
    "draft": "all offers end; each party has one word on it, then you decide",
    "decide": "each party may appeal once, to another person; else it is final",
    "appeal": "another person decides, and that decision is final",
    "stay": "no time runs until then, or until you let the case go on",
    "resume": "the case goes on where it stood, with the time that was left",
    "withdraw": "the case is closed without a decision",
    "claw-back": "no decision may cite it, and a draft that is out falls, once in a case;"
    " whoever has it has it until they delete it; openings may be shown once more",
    "unreadable": "nothing follows from it by itself; the same may be sealed and sent again, and"
    " openings may be shown once more",
    "destroy": "nothing that was sealed to this key opens any more",
}


@dataclass(frozen=True, slots=True)
class Passing:
    """Say what passing is in one state, as an offer, and what follows."""

    label: str
    then: str


PASSING: Final[Mapping[State, Passing]] = {
    State.SEATING: Passing(
        "Accept the drawn person",
        "you accept the drawn person, with all that they declared, and strike nobody; the"
        " arbitrator begins once both parties have spoken",
    ),
    State.OBJECTION: Passing(
        "No objection to the request",
        "you object to nothing of this request; the arbitrator rules once both parties have spoken",
    ),
    State.NAMING: Passing(
        "Name no frame, and go back to evidence",
        "the case goes back to evidence; no frame is named, and none is shown for this request",
    ),
    State.COMMENT: Passing(
        "No word on what was shown or withheld",
        "the arbitrator goes on without a word of yours on it",
    ),
    State.DRAFT: Passing(
        "No word on the draft",
        "the arbitrator decides without a word of yours on the draft, once both parties have"
        " spoken",
    ),
    State.APPEAL: Passing(
        # Also said where nobody is left to appeal to.
        "No appeal: let the decision be final",
        "you give up the appeal; once both parties have, the decision is final",
    ),
    State.REVIEW: Passing(
        "No word to the new arbitrator",
        "the new arbitrator decides without a word of yours, once both parties have spoken",
    ),
}
_FINAL_NOW: Final = "you give up the appeal, and the decision is final with this: the other has too"
_ONCE_APPEALED: Final = "it is final: there was an appeal, and there is no other"
_LAST_PERSON: Final = (
    "nobody else is left on the panel, so nobody can be appealed to; it is final once both parties"
    " have passed, or when their days for an appeal are over"
)
_LAST_PASSED: Final = (
    "you give up nothing, for nobody is left to appeal to; once both parties have passed, the"
    " decision is final"
)


def offer_of(move: str) -> str:
    """Say what a move is, wherever it is made."""
    if move == _PASS:
        return "; ".join(f"{state}: {one.label}" for state, one in PASSING.items())
    return _LABELS[move]


def label_of(move: str, state: State) -> str:
    """Say what a move is in a state, as an offer to who may do it."""
    if move == _PASS:
        return PASSING[state].label if state in PASSING else "Pass"
    return _LABELS[move]


def then_of(move: str, case: Case | None) -> str:
    """Say what follows from a move; without its case, what follows wherever it stands."""
    if move == _PASS:
        return "the case goes on without a word of yours" if case is None else _passed(case)
    if move == "decide" and case is not None:
        return _decided(case)
    return _THEN[move]


def _decided(case: Case) -> str:
    if case.appealed:
        return _ONCE_APPEALED
    return _THEN["decide"] if _is_another_left(case) else _LAST_PERSON


def _is_another_left(case: Case) -> bool:
    return bool(set(case.panel) - {case.arbitrator})


def _passed(case: Case) -> str:
    if case.state is State.APPEAL and case.done:
        return _FINAL_NOW
    if case.state is State.APPEAL and not _is_another_left(case):
        return _LAST_PASSED
    found = PASSING.get(case.state)
    return "nothing: the case takes no such word now" if found is None else found.then
