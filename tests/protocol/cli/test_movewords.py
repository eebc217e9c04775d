"""The words of the moves against the machine that they are about."""

import pytest

from support.casestates import PLAYS
from workseal_protocol.cli.acting.said import DETAILS
from workseal_protocol.cli.movewords import PASSING, label_of, then_of
from workseal_protocol.dispute import TABLE, State, Who
from workseal_protocol.keys import Role
from workseal_protocol.records import Act

PASSED_ON = {
    State.OBJECTION: (State.RULING, "the arbitrator rules once both parties have spoken"),
    State.NAMING: (State.EVIDENCE, "the case goes back to evidence; no frame is named"),
    State.COMMENT: (State.EVIDENCE, "the arbitrator goes on without a word of yours"),
    State.DRAFT: (State.DECISION, "the arbitrator decides without a word of yours"),
    State.APPEAL: (State.FINAL, "once both parties have, the decision is final"),
    State.REVIEW: (State.DECISION, "the new arbitrator decides without a word of yours"),
}


def test_every_move_that_somebody_types_has_its_words() -> None:
    typed = {row.move for row in TABLE if row.who is not Who.OPERATOR} | set(DETAILS)
    for move in typed - {"pass"}:
        assert label_of(move, State.EVIDENCE)
        assert then_of(move, None)
    for row in TABLE:
        if row.move == "pass":
            assert label_of("pass", row.state) == PASSING[row.state].label
    assert {row.state for row in TABLE if row.move == "pass"} == set(PASSING)
    assert len({one.label for one in PASSING.values()}) == len(PASSING)


@pytest.mark.parametrize("state", PASSED_ON)
def test_passing_leads_where_its_words_say(state: State) -> None:
    play, (then, words) = PLAYS[state](), PASSED_ON[state]
    assert words in then_of("pass", play.case)
    alone = {State.NAMING: Role.ARBITRATOR, State.COMMENT: Role.CLIENT}.get(state)
    after = play.both(Act.PASS) if alone is None else play.act(alone, Act.PASS)
    assert after.case.state is then


def test_who_is_drawn_is_accepted_by_passing() -> None:
    play = PLAYS[State.SEATING]()
    assert label_of("pass", State.SEATING) == "Accept the drawn person"
    play.act(Role.ARBITRATOR, Act.DECLARE)
    assert "all that they declared, and strike nobody" in then_of("pass", play.case)
    play.act(Role.CLIENT, Act.PASS)
    assert play.case.state is State.SEATING
    assert play.act(Role.FREELANCER, Act.PASS).case.state is State.EVIDENCE


def test_the_second_to_give_up_an_appeal_reads_that_it_is_final_with_that() -> None:
    play = PLAYS[State.APPEAL]()
    assert "once both parties have" in then_of("pass", play.case)
    play.act(Role.CLIENT, Act.PASS)
    assert "the decision is final with this" in then_of("pass", play.case)
    assert play.act(Role.FREELANCER, Act.PASS).case.state is State.FINAL


def test_a_decision_after_an_appeal_is_said_to_be_final() -> None:
    once = PLAYS[State.DECISION]().case
    assert "each party may appeal once" in then_of("decide", once)
    again = PLAYS[State.REVIEW]().both(Act.PASS)
    assert "it is final" in then_of("decide", again.case)
    assert again.act(Role.ARBITRATOR, Act.DECIDE).case.state is State.FINAL


def test_where_nobody_is_left_on_the_panel_no_appeal_is_promised() -> None:
    """Strike one of two: the other decides, and `appeal` is taken from nobody then."""
    play = PLAYS[State.SEATING]().act(Role.CLIENT, Act.STRIKE).draw()
    while len(play.case.panel) > 1:
        play.act(Role.ARBITRATOR, Act.RECUSE).draw()
    play.act(Role.ARBITRATOR, Act.DECLARE).both(Act.PASS)
    play.act(Role.ARBITRATOR, Act.DRAFT).both(Act.COMMENT)
    assert "nobody can be appealed to" in then_of("decide", play.case)
    play.act(Role.ARBITRATOR, Act.DECIDE)
    assert play.case.state is State.APPEAL
    assert "appeal" not in play.case.allowed(play.case.terms.client.thumbprint)
    assert "nobody is left to appeal to" in then_of("pass", play.case)
    play.act(Role.CLIENT, Act.PASS)
    assert "the decision is final with this" in then_of("pass", play.case)
