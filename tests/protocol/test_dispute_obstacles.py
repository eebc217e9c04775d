"""Nobody fills a case: what may be added is counted, and what ends one is always taken."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from support.builders import make_terms
from support.cases import DAY, PANEL, Play
from workseal_protocol.dispute import Case, CaseError, Rule, State
from workseal_protocol.dispute.values import MAX_CHECKED, MAX_STATEMENTS
from workseal_protocol.keys import Role
from workseal_protocol.records import Act

ARBITRATOR, CLIENT, FREELANCER, OPERATOR = (
    Role.ARBITRATOR,
    Role.CLIENT,
    Role.FREELANCER,
    Role.OPERATOR,
)


def filled() -> Play:
    """Let everybody say all that is taken, with as many on the panel as there may be."""
    terms = make_terms(arbitrators=tuple(one.public_key for one in PANEL))
    play = Play.begin(terms=terms)
    while play.case.open and play.case.decision is None:
        add(play)
        go_on(play)
    return play


def add(play: Play) -> None:
    """Say what adds a statement and leaves the case where it stands."""
    while any(tried(play, call) for call in additions()):
        pass


def additions() -> Iterator[tuple[Role, Act | str]]:
    for role in (CLIENT, FREELANCER, ARBITRATOR):
        yield role, Act.COMMIT
        yield role, Act.REVEAL
        yield role, Act.EXHIBIT
        yield role, Act.OFFER
    yield FREELANCER, Act.APPROVE
    yield ARBITRATOR, Act.STAY
    yield ARBITRATOR, Act.RESUME
    yield ARBITRATOR, Act.UNREADABLE
    yield ARBITRATOR, "finding"
    yield OPERATOR, "finding"


def tried(play: Play, call: tuple[Role, Act | str]) -> bool:
    role, act = call
    case = play.case
    if role is ARBITRATOR and case.arbitrator is None:
        return False
    left = sorted(set(case.shown) - case.clawed_back - case.unreadable)
    fields: dict[Act, dict[str, Any]] = {
        Act.STAY: {"end": play.now + DAY},
        Act.UNREADABLE: {"cites": tuple(left[:1])},
    }
    with suppress(CaseError, ValueError):
        if isinstance(act, str):
            play.find(role)
        else:
            play.act(role, act, **fields.get(act, {}))
        return True
    return False


def go_on(play: Play) -> None:  # noqa: C901, PLR0912 - one line for each state
    """Move on in as many statements as there are ways for."""
    case = play.case
    match case.state:
        case State.NOTICE:
            play.act(OPERATOR, Act.NOTICE)
        case State.ANSWER if not case.extended:
            play.act(FREELANCER, Act.EXTEND)
        case State.ANSWER:
            play.lapse()
        case State.DRAW:
            play.draw()
        case State.SEATING:
            if not case.answered:
                play.act(FREELANCER, Act.ANSWER)
            play.act(ARBITRATOR, Act.DECLARE).both(Act.PASS)
        case State.EVIDENCE:
            listen(play)
        case State.OBJECTION | State.DRAFT:
            play.both(Act.OBJECT if case.state is State.OBJECTION else Act.COMMENT)
        case State.RULING:
            play.act(ARBITRATOR, Act.RULE)
        case State.NAMING:
            if case.drawn is None and case.ask is not None and case.ask.level != 4:
                play.sampled()
            play.request()
        case State.DISCLOSURE if case.asked == 1:
            play.lapse()
        case State.DISCLOSURE:
            show(play)
        case State.COMMENT:
            play.act(CLIENT, Act.COMMENT)
        case _:
            leave(play)


def listen(play: Play) -> None:
    case = play.case
    if case.ask is not None and not case.answered_ask:
        show(play)
    elif not case.reminded:
        play.lapse()
    elif "ask" in case.allowed(play.arbitrator.public_key.thumbprint, play.now):
        play.act(ARBITRATOR, Act.ASK, **play.question((1, 2, 3)[min(case.reached, 2)]))
    else:
        play.act(ARBITRATOR, Act.DRAFT)


def show(play: Play) -> None:
    case = play.case
    play.act(FREELANCER, Act.SHOW) if case.ask and case.ask.level == 1 else play.disclose()


def leave(play: Play) -> None:
    """Take something back after the draft, then leave the seat while somebody else is left."""
    with suppress(CaseError):
        play.act(FREELANCER, Act.CLAW_BACK, cites=play.case.shown[:1])
        return
    if len(play.case.panel) > 2:
        play.act(ARBITRATOR, Act.RECUSE)
    else:
        play.act(ARBITRATOR, Act.DECIDE)


def test_a_case_that_everybody_fills_is_decided_appealed_and_destroyed() -> None:
    play = filled()
    assert play.case.decision is not None
    full = play.case
    assert full.checked == MAX_CHECKED
    assert full.stays == 4
    play.act(CLIENT, Act.APPEAL).seat().both(Act.COMMENT)
    play.act(ARBITRATOR, Act.DECIDE).lapse().pass_due()
    play.act(OPERATOR, Act.DESTROY).act(ARBITRATOR, Act.DESTROY)
    assert play.case.state is State.PURGED
    print(f"{len(play.told)} statements of at most {MAX_STATEMENTS}")  # noqa: T201
    assert 270 < len(play.told) <= MAX_STATEMENTS


def test_what_who_sat_found_is_bounded_and_keeps_nobody_else_out() -> None:
    play = Play.begin().heard().shown(1).granted(2).request().disclose()
    play.case = checked(play.case, MAX_CHECKED - 1)
    play.act(ARBITRATOR, Act.UNREADABLE, cites=play.case.shown[-1:])
    with pytest.raises(CaseError) as caught:
        play.act(ARBITRATOR, Act.UNREADABLE, cites=play.case.shown[:1])
    assert caught.value.rule is Rule.FULL
    with pytest.raises(CaseError) as caught:
        play.find(ARBITRATOR)
    assert caught.value.rule is Rule.FULL
    play.find(OPERATOR)


def checked(case: Case, count: int) -> Case:
    return replace(case, checked=count)
