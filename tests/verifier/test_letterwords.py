"""What a mail says of a case, against the machine that it is about."""

import shlex
from itertools import product

import pytest

from support.casestates import PLAYS
from workseal_agent.cli.app import app as agents_app  # noqa: F401
from workseal_protocol.cli.acting.standing import SILENCE
from workseal_protocol.cli.program import _parser as workseal_parser
from workseal_protocol.dispute import CLOSED, TABLE, Case, State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act
from workseal_verifier.services.letterwords import LATE, Told, entry_lines, standing_lines

READERS = (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR, None)
UNTIL = "Tue 01 Dec 2026, 17:39:40 (UTC+0100)"


def told(case: Case, you: Role | None, until: str | None = UNTIL) -> str:
    return " ".join(standing_lines(Told(case.state, until, case.waiting_for, you)))


def test_who_must_act_reads_what_until_when_and_what_silence_does() -> None:
    case = PLAYS[State.ANSWER]().case
    assert told(case, Role.FREELANCER) == (
        f"Until {UNTIL} you are to answer, or take more time. If nobody acts until then: what is"
        " left of 15 working days begins, or else an arbitrator is drawn. An answer is taken until"
        " the draft, and marked where it is late."
    )
    assert told(case, Role.CLIENT).startswith(
        f"Until {UNTIL} the other party is to answer, or take more time."
    )
    assert told(case, Role.ARBITRATOR).startswith(f"Until {UNTIL} the freelancer is to answer")


def test_who_is_drawn_and_who_may_strike_read_another_thing() -> None:
    play = PLAYS[State.SEATING]()
    arbitrator, client = told(play.case, Role.ARBITRATOR), told(play.case, Role.CLIENT)
    assert " you are to say that you are free of conflicts, or step back." in arbitrator
    assert "Also waited for" not in arbitrator
    # Nobody is told to accept a person whom the case lets them accept only later.
    assert " the arbitrator is to say that they are free of conflicts, or step back." in client
    assert "You need to do nothing now" in client
    assert "accept" not in client
    case = play.act(Role.ARBITRATOR, Act.DECLARE).case
    arbitrator, client = told(case, Role.ARBITRATOR), told(case, Role.CLIENT)
    assert " you are to accept or strike the person who was drawn." in client
    assert "Also waited for: the other party." in client
    assert " are to accept or strike the person who was drawn." in arbitrator
    assert "You need to do nothing now" in arbitrator


def test_whose_key_was_ended_is_said_to_whoever_waits_for_them() -> None:
    ended = frozenset({Role.ARBITRATOR, Role.CLIENT})
    for state in State:
        case = PLAYS[state]().case
        for you in READERS:
            said = " ".join(
                standing_lines(Told(state, UNTIL, case.waiting_for, you, keyless=ended))
            )
            over = state in CLOSED | {State.SEALED, State.PURGED}
            client = "the other party" if you is Role.FREELANCER else "the client"
            if you is Role.CLIENT:
                client = "the other party"
            for who in (client, "the arbitrator"):
                assert (f"The key of {who} was ended, and no other takes" in said) is not over
            assert "was ended" not in told(case, you)


def test_an_appeal_is_offered_and_not_asked_for() -> None:
    case = PLAYS[State.APPEAL]().case
    assert (
        "you may appeal against the decision, where another person is left on the agreed panel, or"
        " let it be final."
    ) in told(case, Role.CLIENT)
    assert "are to appeal" not in told(case, Role.CLIENT)


@pytest.mark.parametrize("state", sorted(State))
def test_every_state_is_told_to_everybody_in_words_and_by_what_is_so(state: State) -> None:
    case = PLAYS[state]().case
    for you, until in product(READERS, (UNTIL, None)):
        text = told(case, you, until)
        assert text
        assert "None" not in text
        assert text.count(UNTIL) == (until is not None and state is not State.PURGED)
        if state in CLOSED | {State.SEALED, State.PURGED, State.STAYED}:
            assert "If nobody acts" not in text
            assert "taken" not in text
        elif until is not None:
            assert SILENCE[state].removeprefix("nothing: ") in text
        if state not in LATE and state is not State.SECOND:
            assert "until the draft" not in text
            assert "still taken" not in text
        if you in case.waiting_for and state not in CLOSED | {State.STAYED}:
            assert "you are to" in text.lower() or "you may" in text.lower()
        elif state is not State.SEALED:
            assert "you are to" not in text.lower()


@pytest.mark.parametrize("state", LATE)
def test_what_a_mail_promises_of_late_words_is_in_the_table(state: State) -> None:
    move, _ = LATE[state]
    takes = {row.state for row in TABLE if row.move == move}
    assert {State.EVIDENCE, state} <= takes
    assert not takes & {State.DRAFT, State.DECISION, State.APPEAL, *CLOSED}
    assert state in {State.ANSWER, State.DISCLOSURE}


def test_an_answer_is_taken_late_as_the_mail_says() -> None:
    play = PLAYS[State.SECOND]().lapse()
    assert play.case.state is State.DRAW
    assert play.act(Role.FREELANCER, Act.ANSWER).case.state is State.DRAW
    assert "still taken then, and marked as late" in told(PLAYS[State.SECOND]().case, Role.CLIENT)


def test_the_way_in_is_the_command_as_it_is_called() -> None:
    url = "https://log.example"
    for you in READERS:
        commands = [shlex.split(one) for one in entry_lines(url, you) if one.startswith("  ")]
        assert len(commands) == (2 if you is None else 1)
        for program, *typed in commands:
            assert (program == "workseal-agent") is (typed == ["sign-in"])
            if program == "workseal":
                assert workseal_parser().parse_args(typed).url == url


def test_an_arbitrator_is_told_when_their_key_of_the_case_goes() -> None:
    play = PLAYS[State.SEALED]()
    before = told(play.case, Role.ARBITRATOR)
    assert f"What was shown in it is destroyed after {UNTIL}. You are to destroy" in before
    play.pass_due().act(Role.OPERATOR, Act.DESTROY)
    after = told(play.case, Role.ARBITRATOR)
    assert f"It ends after {UNTIL}, also where the arbitrator says nothing" in after
    assert "You are to destroy the key of this case now" in after
    assert "destroy" not in told(play.case, Role.CLIENT)
