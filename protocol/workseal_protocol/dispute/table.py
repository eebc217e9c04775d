"""The machine of a case as data: its states, and who may do what in which.

Rules: this is the table of docs/spec/dispute.md, row by row, and a test compares the two. Whatever
has no row is refused. What a row asks for beyond its state and its sender stands in `obstacles`
and `contents`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workseal_protocol.records import Act


class State(StrEnum):
    """Name where a case stands."""

    NOTICE = "notice"
    ANSWER = "answer"
    SECOND = "second"
    NEGOTIATION = "negotiation"
    DRAW = "draw"
    SEATING = "seating"
    EVIDENCE = "evidence"
    OBJECTION = "objection"
    RULING = "ruling"
    NAMING = "naming"
    DISCLOSURE = "disclosure"
    COMMENT = "comment"
    DRAFT = "draft"
    DECISION = "decision"
    APPEAL = "appeal"
    REVIEW = "review"
    STAYED = "stayed"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    UNDECIDED = "undecided"
    FINAL = "final"
    SEALED = "sealed"
    PURGED = "purged"


class Who(StrEnum):
    """Name whom a row or a deadline means; `arbitrator` is the one who was drawn."""

    FILER = "filer"
    RESPONDENT = "respondent"
    PARTY = "party"
    CLIENT = "client"
    FREELANCER = "freelancer"
    ARBITRATOR = "arbitrator"
    THREE = "party or arbitrator"
    OPERATOR = "operator"
    ANYONE = "anyone"


class Then(StrEnum):
    """Say where a row leads, where that is not simply one state."""

    SAME = "same"
    ALL = "all"
    NEXT = "next"
    LATE = "late"
    RULED = "ruled"
    DECIDED = "decided"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Clock:
    """Say who must act in a state, in how many working days, and where the end of them leads.

    0 days: the days of the state are computed elsewhere. `counted` is whose calendar counts.
    """

    binds: Who
    days: int
    next: State | None
    counted: Who


@dataclass(frozen=True, slots=True)
class Row:
    """Allow one move in one state to one kind of sender."""

    state: State
    move: str
    who: Who
    then: Then | State


def move_of_act(act: Act) -> str:
    """Write an act as the table does."""
    return act.name.lower().replace("_", "-")


# The moves that are not acts: statements that are older than cases.
REQUEST, DISCLOSED, FOUND = "request", "disclosure", "finding"


def _clock(binds: Who, days: int, next_: State | None, counted: Who | None = None) -> Clock:
    return Clock(binds, days, next_, counted or binds)


CLOCKS: Final[Mapping[State, Clock]] = {
    State.NOTICE: _clock(Who.OPERATOR, 5, State.ANSWER, Who.RESPONDENT),
    State.ANSWER: _clock(Who.RESPONDENT, 0, State.SECOND),
    State.SECOND: _clock(Who.RESPONDENT, 5, State.DRAW),
    State.NEGOTIATION: _clock(Who.PARTY, 2, State.DRAW),
    State.DRAW: _clock(Who.OPERATOR, 1, None),
    State.SEATING: _clock(Who.THREE, 2, State.EVIDENCE, Who.ANYONE),
    State.EVIDENCE: _clock(Who.ARBITRATOR, 2, State.DRAW),
    State.OBJECTION: _clock(Who.PARTY, 4, State.RULING),
    State.RULING: _clock(Who.ARBITRATOR, 2, State.DRAW),
    State.NAMING: _clock(Who.ARBITRATOR, 2, State.DRAW),
    State.DISCLOSURE: _clock(Who.FREELANCER, 5, State.COMMENT),
    State.COMMENT: _clock(Who.CLIENT, 5, State.EVIDENCE),
    State.DRAFT: _clock(Who.PARTY, 5, State.DECISION),
    State.DECISION: _clock(Who.ARBITRATOR, 2, State.DRAW),
    State.APPEAL: _clock(Who.PARTY, 10, State.FINAL),
    State.REVIEW: _clock(Who.PARTY, 5, State.DECISION),
    State.STAYED: _clock(Who.ARBITRATOR, 0, None),
    State.SETTLED: _clock(Who.OPERATOR, 0, State.SEALED),
    State.WITHDRAWN: _clock(Who.OPERATOR, 0, State.SEALED),
    State.UNDECIDED: _clock(Who.OPERATOR, 0, State.SEALED),
    State.FINAL: _clock(Who.OPERATOR, 0, State.SEALED),
    State.SEALED: _clock(Who.OPERATOR, 0, State.PURGED),
}
REMINDER_DAYS: Final = 5
# After a declaration of the last hours, to strike whom it is about.
STRIKE_DAYS: Final = 1

CLOSED: Final = frozenset({State.SETTLED, State.WITHDRAWN, State.UNDECIDED, State.FINAL})
# An arbitrator who declared sits in these.
SEATED: Final = (
    State.EVIDENCE,
    State.OBJECTION,
    State.RULING,
    State.NAMING,
    State.DISCLOSURE,
    State.COMMENT,
    State.DRAFT,
    State.DECISION,
    State.REVIEW,
)
# New evidence is taken in these: the comments on the draft come after all of them.
TAKING: Final = (
    State.NOTICE,
    State.ANSWER,
    State.SECOND,
    State.NEGOTIATION,
    State.DRAW,
    State.SEATING,
    State.EVIDENCE,
    State.OBJECTION,
    State.RULING,
    State.NAMING,
    State.DISCLOSURE,
    State.COMMENT,
)
BEFORE_DECISION: Final = (*TAKING, State.DRAFT, State.DECISION, State.STAYED)
# What was shown is checked in these.
HEARING: Final = (State.EVIDENCE, State.OBJECTION, State.RULING, State.NAMING, State.DISCLOSURE,
    State.COMMENT)  # fmt: skip
CHECKERS: Final = (Who.OPERATOR, Who.ARBITRATOR)
ANSWERED_LATE: Final = (State.DRAW, State.SEATING, *HEARING)
# Secrets of a sample are taken in these, so that no move of an arbitrator shuts one out.
SECRETS: Final = (*ANSWERED_LATE, State.DRAFT, State.DECISION, State.STAYED)
# What waits for the end of a deadline comes after it, and is not late.
AFTER_THE_DEADLINE: Final = frozenset({Act.LAPSE, Act.DESTROY})
ARBITRATORS: Final = (State.EVIDENCE, State.RULING, State.NAMING, State.DECISION)


def _act(state: State, act: Act, who: Who, then: Then | State) -> Row:
    return Row(state, move_of_act(act), who, then)


def _in(states: tuple[State, ...], act: Act, who: Who, then: Then | State) -> tuple[Row, ...]:
    return tuple(_act(state, act, who, then) for state in states)


TABLE: Final[tuple[Row, ...]] = (
    _act(State.NOTICE, Act.NOTICE, Who.OPERATOR, Then.NEXT),
    _act(State.NOTICE, Act.ANSWER, Who.RESPONDENT, State.NEGOTIATION),
    _act(State.ANSWER, Act.ANSWER, Who.RESPONDENT, State.NEGOTIATION),
    _act(State.ANSWER, Act.EXTEND, Who.RESPONDENT, State.ANSWER),
    _act(State.SECOND, Act.ANSWER, Who.RESPONDENT, State.DRAW),
    _act(State.NEGOTIATION, Act.END, Who.PARTY, State.DRAW),
    _act(State.DRAW, Act.DRAW, Who.ANYONE, State.SEATING),
    _act(State.SEATING, Act.DECLARE, Who.ARBITRATOR, Then.ALL),
    _act(State.SEATING, Act.PASS, Who.PARTY, Then.ALL),
    _act(State.SEATING, Act.STRIKE, Who.PARTY, State.DRAW),
    _act(State.EVIDENCE, Act.ASK, Who.ARBITRATOR, State.OBJECTION),
    _act(State.EVIDENCE, Act.DRAFT, Who.ARBITRATOR, State.DRAFT),
    *_in((State.EVIDENCE, State.COMMENT), Act.SHOW, Who.FREELANCER, Then.LATE),
    Row(State.EVIDENCE, DISCLOSED, Who.FREELANCER, Then.LATE),
    Row(State.COMMENT, DISCLOSED, Who.FREELANCER, Then.LATE),
    _act(State.OBJECTION, Act.OBJECT, Who.PARTY, Then.ALL),
    _act(State.OBJECTION, Act.PASS, Who.PARTY, Then.ALL),
    _act(State.OBJECTION, Act.COMMIT, Who.THREE, Then.SAME),
    _act(State.RULING, Act.RULE, Who.ARBITRATOR, Then.RULED),
    _act(State.NAMING, Act.SAMPLE, Who.ANYONE, Then.SAME),
    _act(State.NAMING, Act.PASS, Who.ARBITRATOR, State.EVIDENCE),
    Row(State.NAMING, REQUEST, Who.ARBITRATOR, State.DISCLOSURE),
    _act(State.DISCLOSURE, Act.APPROVE, Who.FREELANCER, Then.SAME),
    _act(State.DISCLOSURE, Act.SHOW, Who.FREELANCER, Then.NEXT),
    _act(State.DISCLOSURE, Act.WITHHOLD, Who.FREELANCER, Then.NEXT),
    Row(State.DISCLOSURE, DISCLOSED, Who.FREELANCER, Then.NEXT),
    *(Row(state, FOUND, who, Then.SAME) for state in HEARING for who in CHECKERS),
    *_in(HEARING, Act.UNREADABLE, Who.ARBITRATOR, Then.SAME),
    _act(State.COMMENT, Act.COMMENT, Who.CLIENT, Then.NEXT),
    _act(State.COMMENT, Act.PASS, Who.CLIENT, Then.NEXT),
    _act(State.DRAFT, Act.COMMENT, Who.PARTY, Then.ALL),
    _act(State.DRAFT, Act.PASS, Who.PARTY, Then.ALL),
    _act(State.DECISION, Act.DECIDE, Who.ARBITRATOR, Then.DECIDED),
    _act(State.APPEAL, Act.APPEAL, Who.PARTY, State.DRAW),
    _act(State.APPEAL, Act.PASS, Who.PARTY, Then.ALL),
    _act(State.REVIEW, Act.COMMENT, Who.PARTY, Then.ALL),
    _act(State.REVIEW, Act.PASS, Who.PARTY, Then.ALL),
    _act(State.STAYED, Act.RESUME, Who.ARBITRATOR, Then.BACK),
    _act(State.SEALED, Act.DESTROY, Who.ARBITRATOR, Then.ALL),
    _act(State.SEALED, Act.DESTROY, Who.OPERATOR, Then.ALL),
    *_in((State.SEATING, *SEATED), Act.RECUSE, Who.ARBITRATOR, State.DRAW),
    *_in(ANSWERED_LATE, Act.ANSWER, Who.RESPONDENT, Then.SAME),
    *_in(TAKING, Act.EXHIBIT, Who.PARTY, Then.SAME),
    *_in(BEFORE_DECISION, Act.OFFER, Who.PARTY, Then.SAME),
    *_in(BEFORE_DECISION, Act.ACCEPT, Who.PARTY, State.SETTLED),
    *_in(BEFORE_DECISION, Act.WITHDRAW, Who.FILER, State.WITHDRAWN),
    *_in(SEATED, Act.STAY, Who.ARBITRATOR, State.STAYED),
    *_in((*ANSWERED_LATE, State.STAYED), Act.CLAW_BACK, Who.FREELANCER, Then.SAME),
    *_in((State.DRAFT, State.DECISION), Act.CLAW_BACK, Who.FREELANCER, State.EVIDENCE),
    *_in(SECRETS, Act.REVEAL, Who.THREE, Then.SAME),
    *_in(tuple(s for s in CLOCKS if CLOCKS[s].days or s is State.ANSWER), Act.OUTAGE,
         Who.OPERATOR, Then.SAME),
    *_in(tuple(CLOCKS), Act.LAPSE, Who.OPERATOR, Then.NEXT),
)  # fmt: skip
