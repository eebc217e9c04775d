"""The words of a case for people: where it stands, what silence does, what a move is.

Rule: every sentence here stands beside the table of the protocol, and tests compare the two: where
silence leads, and that nobody loses anything by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from workseal_protocol.dispute import Case, State
from workseal_protocol.keys import Role
from workseal_protocol.records import Claim

WHO: Final[Mapping[Role, str]] = {
    Role.CLIENT: "the client",
    Role.FREELANCER: "the freelancer",
    Role.ARBITRATOR: "the arbitrator",
    Role.OPERATOR: "the operator",
}
CLAIMS: Final[Mapping[Claim, str]] = {
    Claim.NOT_WORKED: "hours that were not worked",
    Claim.NOT_PAID: "hours that were not paid",
    Claim.DECLARED_TIME: "time that was declared",
    Claim.WITHDRAWN_FRAMES: "frames that were withdrawn",
    Claim.MISSED_CAPTURES: "captures that were missed",
    Claim.RATE_OR_ROUNDING: "rate or rounding",
    Claim.OTHER: "something else",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Say where a case stands, what is awaited, and what silence until the deadline does.

    `then` is the state that silence leads to; None where it leads nowhere by itself. `ends` begins
    the sentence that tells the moment where it is an end, and nobody's turn until then.
    """

    title: str
    awaited: str
    silence: str
    then: State | None
    ends: str = ""


_SEALS: Final = "It is sealed after"
_REMINDED: Final = (
    "By silence the arbitrator is reminded and has five working days more; after them, and where"
    " they were reminded in this case before, another person is drawn. The ninety days of the case"
    " stand still meanwhile, and whoever is drawn then has seventy of them left at least."
)


def _by_arbitrator(title: str, awaited: str) -> Standing:
    return Standing(title, awaited, _REMINDED, State.DRAW)


_LAST_PERSON: Final = Standing(
    "Decided; nobody is left to appeal to",
    "Both parties pass, or their days are over. Nobody else is left on the agreed panel, so nobody"
    " can be appealed to.",
    "By silence the decision is final.",
    State.FINAL,
)
STANDINGS: Final[Mapping[State, Standing]] = {
    State.NOTICE: Standing(
        "Filed, notice to be given",
        "The operator tells the other party of the case, on two channels.",
        "By silence the case goes on to the answer all the same, with its whole time from then.",
        State.ANSWER,
    ),
    State.ANSWER: Standing(
        "Waiting for the answer",
        "The party that did not file says what it has to say, or takes more time: fifteen working"
        " days in all.",
        "By silence a second notice goes out, with what is left of these days; where nothing is"
        " left, an arbitrator is drawn. An answer is taken until the draft, and nothing is lost.",
        State.SECOND,
    ),
    State.SECOND: Standing(
        "Second notice",
        "The answer is still awaited.",
        "By silence an arbitrator is drawn. An answer is taken until the draft, and nothing is"
        " decided by silence.",
        State.DRAW,
    ),
    State.NEGOTIATION: Standing(
        "The parties talk",
        "Both may offer and accept. Either may end the talks.",
        "By silence an arbitrator is drawn.",
        State.DRAW,
    ),
    State.DRAW: Standing(
        "An arbitrator is drawn",
        "The value of a coming round draws one person from the agreed panel; anybody of the case"
        " may write the draw down.",
        "The draw is the same whoever writes it down, and whenever. Where the operator has no value"
        " for it in a week, a later round draws; after four times the case ends.",
        None,
    ),
    State.SEATING: Standing(
        "Conflicts are looked at",
        "The drawn person declares or recuses; then the parties have a day at least. Each may"
        " strike one person, once, while somebody else is left to be drawn, or pass.",
        "By silence of a party nobody is struck. By silence of the drawn person another is drawn.",
        State.DRAW,
    ),
    State.EVIDENCE: _by_arbitrator(
        "The arbitrator looks",
        "The arbitrator asks for something, one level at a time, or drafts the decision.",
    ),
    State.OBJECTION: Standing(
        "Objections to a request",
        "Both parties may object with a ground, or pass.",
        "Silence is no objection: the arbitrator rules. Nothing is shown meanwhile.",
        State.RULING,
    ),
    State.RULING: _by_arbitrator(
        "A ruling on the request", "The arbitrator grants, narrows or refuses, with reasons."
    ),
    State.NAMING: _by_arbitrator(
        "Frames are drawn and named",
        "Secrets come out, a value to come draws the sample, and the arbitrator names the frames.",
    ),
    State.DISCLOSURE: Standing(
        "The freelancer answers the request",
        "The freelancer shows what was granted, or withholds it with one of seven reasons.",
        "By silence nothing is shown, and nothing follows from that by itself: the client has the"
        " word, and the case goes on.",
        State.COMMENT,
    ),
    State.COMMENT: Standing(
        "The client's word about it",
        "The client comments on what was shown or withheld, or passes.",
        "By silence the case goes on without that word. Nothing is lost.",
        State.EVIDENCE,
    ),
    State.DRAFT: Standing(
        "Last words on the draft",
        "Both parties comment on the draft of the decision, or pass.",
        "By silence the arbitrator decides without that word. Nothing is lost.",
        State.DECISION,
    ),
    State.DECISION: _by_arbitrator("A decision", "The arbitrator decides, with reasons."),
    State.APPEAL: Standing(
        "Decided; an appeal is open",
        "Either party may appeal once, to another person of the panel, or pass. That person asks"
        " for nothing more and writes no draft; each party has one more word.",
        "By silence the decision is final.",
        State.FINAL,
    ),
    State.REVIEW: Standing(
        "Words on the appeal",
        "Both parties say their last words to the new arbitrator, or pass.",
        "By silence the new arbitrator decides without that word. Nothing is lost.",
        State.DECISION,
    ),
    State.STAYED: Standing(
        "Stayed",
        "Nothing is due until the stay ends; the arbitrator may end it before.",
        "At its end the case goes on where it stood, with the time that was left.",
        None,
        "The stay ends, at the latest,",
    ),
    State.SETTLED: Standing(
        "Settled by the parties",
        "Nothing is awaited any more.",
        "Then the case is sealed: its page and the work are closed to the arbitrator.",
        State.SEALED,
        _SEALS,
    ),
    State.WITHDRAWN: Standing(
        "Withdrawn by who filed it",
        "Nothing is awaited any more.",
        "Then the case is sealed: its page and the work are closed to the arbitrator.",
        State.SEALED,
        _SEALS,
    ),
    State.UNDECIDED: Standing(
        "Closed without a decision",
        "Nobody of the panel is left to decide.",
        "Then the case is sealed: its page and the work are closed to the arbitrator.",
        State.SEALED,
        _SEALS,
    ),
    State.FINAL: Standing(
        "Final",
        "The decision stands.",
        "Then the case is sealed: its page and the work are closed to the arbitrator.",
        State.SEALED,
        _SEALS,
    ),
    State.SEALED: Standing(
        "Sealed",
        "Whatever was shown waits for its end. The arbitrator reads what was said, and no work.",
        "Then the arbitrator's key and what was sealed to it are destroyed, and both say so. An"
        " arbitrator who says nothing is waited for 30 days after the operator's word.",
        None,
        "What was shown is destroyed after",
    ),
    State.PURGED: Standing(
        "Destroyed at its end",
        "What was shown has come to its end. Whether its key and its packages are destroyed is the"
        " word of those who held them: the page has what they said. The statements and the decision"
        " remain.",
        "Nothing follows.",
        None,
    ),
}
# What a move is, as its sender would say it.
MOVES: Final[Mapping[str, str]] = {
    "filing": "files the case",
    "notice": "notes that notice was given",
    "answer": "answers",
    "extend": "takes more working days for the answer",
    "offer": "offers",
    "accept": "accepts an offer",
    "end": "ends the talks",
    "lapse": "notes that the deadline passed",
    "draw": "writes down who was drawn",
    "declare": "declares to be free of conflicts",
    "recuse": "steps back",
    "strike": "strikes the drawn person",
    "pass": "passes",
    "ask": "asks for evidence",
    "object": "objects",
    "rule": "rules on the request",
    "commit": "commits to a secret",
    "reveal": "reveals the secret",
    "sample": "writes down the draw of the sample",
    "request": "names frames",
    "approve": "approves whole frames",
    "show": "hands over openings",
    "disclosure": "shows tiles",
    "withhold": "withholds",
    "finding": "says whether what was shown is what was committed to",
    "exhibit": "adds an exhibit",
    "comment": "comments",
    "draft": "drafts a decision",
    "decide": "decides",
    "appeal": "appeals",
    "stay": "stays the case",
    "resume": "lets the case go on",
    "withdraw": "withdraws the case",
    "claw-back": "takes back what was shown by mistake",
    "unreadable": "says that what was shown cannot be opened",
    "outage": "notes that the service was down",
    "destroy": "destroys what was shown",
}


def standing_of(case: Case) -> Standing:
    """Say where a case stands."""
    if case.state is State.APPEAL and not set(case.panel) - {case.arbitrator}:
        return _LAST_PERSON
    return STANDINGS[case.state]


def named(name: str) -> str:
    """Write the name of a value as words."""
    return name.lower().replace("_", " ")


def everyone(roles: frozenset[Role]) -> str:
    """Name several people in a fixed order."""
    names = [WHO[role] for role in sorted(roles)]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
