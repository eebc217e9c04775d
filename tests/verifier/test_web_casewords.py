"""The words of a case against the machine that they are about."""

from collections.abc import Callable, Iterator

import pytest

from support.cases import Play
from workseal_protocol.dispute import CLOCKS, TABLE, State, Who
from workseal_protocol.dispute.table import DISCLOSED
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Claim
from workseal_verifier.web.casecommands import command_of, moves_of
from workseal_verifier.web.casewords import CLAIMS, MOVES, STANDINGS, WHO, everyone


def answered() -> Play:
    return Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)


def asked() -> Play:
    play = Play.begin().heard()
    return play.act(Role.ARBITRATOR, Act.ASK)


def settled() -> Play:
    play = answered().act(Role.CLIENT, Act.OFFER)
    return play.act(Role.FREELANCER, Act.ACCEPT, cites=(play.case.head,))


PLAYS: dict[State, Callable[[], Play]] = {
    State.NOTICE: Play.begin,
    State.ANSWER: lambda: Play.begin().act(Role.OPERATOR, Act.NOTICE),
    State.SECOND: lambda: Play.begin().act(Role.OPERATOR, Act.NOTICE).lapse(),
    State.NEGOTIATION: answered,
    State.SEATING: lambda: answered().act(Role.CLIENT, Act.END).draw(),
    State.EVIDENCE: lambda: Play.begin().heard(),
    State.OBJECTION: asked,
    State.RULING: lambda: asked().both(Act.PASS),
    State.NAMING: lambda: Play.begin().heard().shown(1).granted(2),
    State.DISCLOSURE: lambda: Play.begin().heard().granted(1),
    State.COMMENT: lambda: Play.begin().heard().granted(1).act(Role.FREELANCER, Act.SHOW),
    State.DRAFT: lambda: Play.begin().heard().act(Role.ARBITRATOR, Act.DRAFT),
    State.DECISION: lambda: Play.begin().heard().act(Role.ARBITRATOR, Act.DRAFT).both(Act.PASS),
    State.APPEAL: lambda: Play.begin().heard().decided(),
    State.REVIEW: lambda: Play.begin().heard().decided().act(Role.CLIENT, Act.APPEAL).seat(),
    State.WITHDRAWN: lambda: Play.begin().act(Role.CLIENT, Act.WITHDRAW),
    State.FINAL: lambda: Play.begin().heard().decided().both(Act.PASS),
    State.SETTLED: settled,
}
# Nobody's silence ends these: a draw is awaited, or nothing is.
NO_LAPSE = {State.DRAW, State.STAYED, State.SEALED, State.PURGED}


def test_every_state_and_every_move_has_its_words() -> None:
    assert set(STANDINGS) == set(State)
    assert set(MOVES) == {row.move for row in TABLE} | {"filing"}
    assert set(CLAIMS) == set(Claim)
    assert set(WHO) == set(Role)


@pytest.mark.parametrize("state", sorted(PLAYS))
def test_silence_leads_where_the_page_says(state: State) -> None:
    play = PLAYS[state]()
    assert play.case.state is state
    told = STANDINGS[state]
    play.lapse()
    if "reminded once" in told.silence:
        assert play.case.state is state
        play.lapse()
    assert play.case.state is told.then
    # And nobody loses by it: there is no decision that was not made before.
    assert play.case.decision is None or state in {State.APPEAL, State.REVIEW, State.FINAL}


def test_where_silence_leads_nowhere_no_state_is_named() -> None:
    lapsing = {row.state for row in TABLE if row.move == "lapse"}
    for state, told in STANDINGS.items():
        if state in NO_LAPSE:
            assert told.then is None, state
        elif state is not State.UNDECIDED:
            assert state in PLAYS, state
            assert state in lapsing, state
    assert STANDINGS[State.UNDECIDED].then is CLOCKS[State.UNDECIDED].next


def test_no_sentence_threatens_who_is_silent() -> None:
    for told in STANDINGS.values():
        for word in ("forfeit", "lose", "default judg", "guilty", "penalt"):
            assert word not in told.silence.lower()


def moves(role: Role) -> Iterator[str]:
    mine = {
        Role.CLIENT: {Who.PARTY, Who.CLIENT, Who.FILER, Who.RESPONDENT, Who.THREE, Who.ANYONE},
        Role.FREELANCER: {
            Who.PARTY, Who.FREELANCER, Who.FILER, Who.RESPONDENT, Who.THREE, Who.ANYONE,
        },
        Role.ARBITRATOR: {Who.ARBITRATOR, Who.THREE, Who.ANYONE},
    }[role]  # fmt: skip
    return (row.move for row in TABLE if row.who in mine)


@pytest.mark.parametrize("role", [Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR])
def test_every_move_that_somebody_may_have_is_a_command(role: Role) -> None:
    case = PLAYS[State.NOTICE]().case.case
    names = tuple(dict.fromkeys(moves(role)))
    found = moves_of(names, case, role, "https://log.example")
    listed = [one for group in (found.now, found.settling, found.beside) for one in group]
    assert sorted(one.name for one in listed) == sorted(names)
    for one in listed:
        program = "workseal-agent" if role is Role.FREELANCER else "workseal"
        assert one.command.split()[0] == program
        assert ("--from https://log.example" in one.command) is (program == "workseal")
        assert one.name == DISCLOSED or f" {one.name} {str(case)[:12]}" in one.command
    assert not moves_of((), case, role, "https://log.example")


def test_an_acceptance_names_the_offer_and_a_disclosure_takes_the_request() -> None:
    case = PLAYS[State.NOTICE]().case
    command = command_of("accept", case.case, Role.CLIENT, "u", offer=case.head)
    assert f"--cite {case.head} " in command
    lines = command_of("disclosure", case.case, Role.FREELANCER, "u").split("\n")
    assert lines[0].endswith("--request request.cose")
    assert lines[1] == "workseal-agent disclose request.cose"


def test_people_are_named_in_one_order() -> None:
    assert everyone(frozenset()) == ""
    assert everyone(frozenset({Role.CLIENT})) == "the client"
    three = frozenset({Role.ARBITRATOR, Role.CLIENT, Role.FREELANCER})
    assert everyone(three) == "the freelancer, the client and the arbitrator"
