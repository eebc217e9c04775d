"""A case in each state of the machine, and in the situations in which its moves differ.

Each is played anew by honest parties, from the filing on; `SITUATIONS` has `PLAYS` and more.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from support.builders import FREELANCER, make_terms
from support.cases import ARBITRATORS, DAY, Play, case_terms
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act
from workseal_protocol.terms import Level


def answered(**how: Any) -> Play:
    play = Play.begin(**how).act(Role.OPERATOR, Act.NOTICE)
    return play.act(play.case.respondent, Act.ANSWER)


def heard(**how: Any) -> Play:
    return Play.begin(**how).heard()


def asked(level: int = 1) -> Play:
    play = heard()
    for below in range(1, level):
        play.shown(below)
    return play.act(Role.ARBITRATOR, Act.ASK)


def granted(level: int) -> Play:
    play = heard()
    for below in range(1, level):
        play.shown(below)
    return play.granted(level)


def drafted() -> Play:
    return heard().act(Role.ARBITRATOR, Act.DRAFT)


def settled() -> Play:
    play = answered().act(Role.CLIENT, Act.OFFER)
    return play.act(Role.FREELANCER, Act.ACCEPT, cites=(play.case.head,))


def stayed() -> Play:
    play = heard()
    return play.act(Role.ARBITRATOR, Act.STAY, end=play.now + 5 * DAY)


def left_alone() -> Play:
    """Let everybody on the panel recuse."""
    play = heard()
    for _ in ARBITRATORS[1:]:
        play.act(Role.ARBITRATOR, Act.RECUSE).seat()
    return play.act(Role.ARBITRATOR, Act.RECUSE)


def final() -> Play:
    return heard().decided().both(Act.PASS)


def overdue_sealed() -> Play:
    return final().lapse().pass_due()


def destroyed() -> Play:
    play = overdue_sealed()
    return play.act(Role.ARBITRATOR, Act.DESTROY).act(Role.OPERATOR, Act.DESTROY)


PLAYS: Final[Mapping[State, Callable[[], Play]]] = {
    State.NOTICE: Play.begin,
    State.ANSWER: lambda: Play.begin().act(Role.OPERATOR, Act.NOTICE),
    State.SECOND: lambda: Play.begin().act(Role.OPERATOR, Act.NOTICE).lapse(),
    State.NEGOTIATION: answered,
    State.DRAW: lambda: answered().act(Role.CLIENT, Act.END),
    State.SEATING: lambda: answered().act(Role.CLIENT, Act.END).draw(),
    State.EVIDENCE: heard,
    State.OBJECTION: asked,
    State.RULING: lambda: asked().both(Act.PASS),
    State.NAMING: lambda: granted(2),
    State.DISCLOSURE: lambda: granted(1),
    State.COMMENT: lambda: granted(1).act(Role.FREELANCER, Act.SHOW),
    State.DRAFT: drafted,
    State.DECISION: lambda: drafted().both(Act.PASS),
    State.APPEAL: lambda: heard().decided(),
    State.REVIEW: lambda: heard().decided().act(Role.CLIENT, Act.APPEAL).seat(),
    State.STAYED: stayed,
    State.WITHDRAWN: lambda: Play.begin().act(Role.CLIENT, Act.WITHDRAW),
    State.UNDECIDED: left_alone,
    State.SETTLED: settled,
    State.FINAL: final,
    State.SEALED: lambda: final().lapse(),
    State.PURGED: destroyed,
}


def filed_by_freelancer(state: State) -> Play:
    """Play to one of the first states with the freelancer as filer."""
    play = Play.begin(by=FREELANCER)
    if state is not State.NOTICE:
        play.act(Role.OPERATOR, Act.NOTICE)
    return play.lapse() if state is State.SECOND else play


def offered() -> Play:
    """Let both make offers, one of them two."""
    play = answered().act(Role.CLIENT, Act.OFFER, amount=1)
    return play.act(Role.CLIENT, Act.OFFER, amount=2).act(Role.FREELANCER, Act.OFFER)


def timed_only() -> Play:
    terms = case_terms(level=Level.TIMER, capture_rate=0)
    return heard(terms=terms)


def one_on_panel() -> Play:
    terms = make_terms(arbitrators=(ARBITRATORS[0].public_key,))
    return heard(terms=terms).decided()


def named(level: int) -> Play:
    return granted(level).request()


def unreadable() -> Play:
    play = named(2).disclose()
    return play.act(Role.ARBITRATOR, Act.UNREADABLE, cites=play.case.shown[-1:])


SITUATIONS: Final[Mapping[str, Callable[[], Play]]] = {
    **{str(state): play for state, play in PLAYS.items()},
    "notice of a freelancer": lambda: filed_by_freelancer(State.NOTICE),
    "answer of a client": lambda: filed_by_freelancer(State.ANSWER),
    "second notice of a client": lambda: filed_by_freelancer(State.SECOND),
    "answer, extended": lambda: PLAYS[State.ANSWER]().act(Role.FREELANCER, Act.EXTEND),
    "answer, overdue": lambda: PLAYS[State.ANSWER]().pass_due(),
    "negotiation with offers": offered,
    "draft with offers": lambda: drafted().act(Role.CLIENT, Act.OFFER),
    "appeal after offers": lambda: offered().act(Role.CLIENT, Act.END).seat().decided(),
    "draw without an answer": lambda: PLAYS[State.SECOND]().lapse(),
    "draw, its value out": lambda: PLAYS[State.DRAW]().wait(DAY),
    "evidence without an answer": lambda: PLAYS[State.SECOND]().lapse().seat(),
    "seating, declared": lambda: PLAYS[State.SEATING]().act(Role.ARBITRATOR, Act.DECLARE),
    "seating, passed": lambda: (
        PLAYS[State.SEATING]().act(Role.ARBITRATOR, Act.DECLARE).act(Role.CLIENT, Act.PASS)
    ),
    "seating after a strike": lambda: PLAYS[State.SEATING]().act(Role.CLIENT, Act.STRIKE).draw(),
    "evidence, reminded": lambda: heard().lapse(),
    "evidence without levels": timed_only,
    "evidence, all levels": lambda: heard().shown(1).shown(2).shown(3).shown(4),
    "evidence after silence": lambda: granted(1).lapse().act(Role.CLIENT, Act.PASS),
    "objection with a freeze": lambda: heard().shown(1).act(Role.ARBITRATOR, Act.ASK),
    "objection, objected": lambda: asked().act(Role.CLIENT, Act.OBJECT),
    "ruling of a sample": lambda: heard().shown(1).act(Role.ARBITRATOR, Act.ASK).both(Act.PASS),
    "disclosure of drawn frames": lambda: named(2),
    "disclosure of whole frames": lambda: named(4),
    "disclosure, approved": lambda: named(4).act(Role.FREELANCER, Act.APPROVE),
    "comment on tiles": lambda: named(2).disclose(),
    "comment, unreadable": unreadable,
    "comment, found": lambda: named(2).disclose().find(),
    "comment on a refusal": lambda: named(2).act(Role.FREELANCER, Act.WITHHOLD),
    "draft, one word said": lambda: drafted().act(Role.CLIENT, Act.COMMENT),
    "decision on an appeal": lambda: PLAYS[State.REVIEW]().both(Act.COMMENT),
    "appeal, one gave it up": lambda: heard().decided().act(Role.CLIENT, Act.PASS),
    "final after an appeal": lambda: (
        PLAYS[State.REVIEW]().both(Act.COMMENT).act(Role.ARBITRATOR, Act.DECIDE)
    ),
    "appeal to nobody": one_on_panel,
    "stayed, overdue": lambda: stayed().pass_due(),
    "ruling after a stay": lambda: (
        asked()
        .act(Role.ARBITRATOR, Act.STAY, end=asked().now + 5 * DAY)
        .act(Role.ARBITRATOR, Act.RESUME)
    ),
    "sealed, overdue": overdue_sealed,
    "sealed, without the arbitrator": lambda: overdue_sealed().act(Role.OPERATOR, Act.DESTROY),
    "purged without a word": lambda: overdue_sealed().act(Role.OPERATOR, Act.DESTROY).lapse(),
    "decision, the draft fell": lambda: (
        heard()
        .shown(1)
        .shown(2)
        .act(Role.ARBITRATOR, Act.DRAFT)
        .act(Role.FREELANCER, Act.CLAW_BACK, cites=(heard().shown(1).case.shown[0],))
        .act(Role.ARBITRATOR, Act.DRAFT)
        .both(Act.PASS)
    ),
    "sealed, half destroyed": lambda: overdue_sealed().act(Role.ARBITRATOR, Act.DESTROY),
}
