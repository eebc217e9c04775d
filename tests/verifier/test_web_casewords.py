"""The words of a case against the machine that they are about."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC
from typing import Any

import pytest
import typer

from support.casestates import PLAYS
from workseal_agent.cli import app as agents_app
from workseal_agent.cli.commands import load_all
from workseal_protocol.cli.acting import Said, require_fits
from workseal_protocol.cli.acting.command import said_of
from workseal_protocol.cli.program import _parser as workseal_parser
from workseal_protocol.dispute import CLOCKS, TABLE, Case, State, Who
from workseal_protocol.dispute.table import DISCLOSED, FOUND
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Claim, Ground, Pause, Refusal, Ruling, Verdict
from workseal_verifier.web.casecommands import Reader, command_of, moves_of
from workseal_verifier.web.casewords import CLAIMS, MOVES, STANDINGS, WHO, everyone

# Nobody's silence ends these: a draw is awaited, or nothing is.
NO_LAPSE = {State.DRAW, State.STAYED, State.SEALED, State.PURGED}


def test_every_state_and_every_move_has_its_words() -> None:
    assert set(STANDINGS) == set(State)
    assert set(MOVES) == {row.move for row in TABLE} | {"filing"}
    assert set(CLAIMS) == set(Claim)
    assert set(WHO) == set(Role)


@pytest.mark.parametrize("state", sorted(set(PLAYS) - NO_LAPSE))
def test_silence_leads_where_the_page_says(state: State) -> None:
    play = PLAYS[state]()
    assert play.case.state is state
    told = STANDINGS[state]
    play.lapse()
    if "is reminded" in told.silence:
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
        else:
            assert state in lapsing, state
    assert STANDINGS[State.UNDECIDED].then is CLOCKS[State.UNDECIDED].next


def test_no_sentence_threatens_who_is_silent() -> None:
    for told in STANDINGS.values():
        for word in ("forfeit", "lose", "default judg", "guilty", "penalt"):
            # Where a word begins: something may be closed to somebody.
            assert not re.search(rf"\b{word}", told.silence.lower())


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
    case = PLAYS[State.NOTICE]().case
    names = tuple(dict.fromkeys(moves(role)))
    found = moves_of(names, Reader(case, role, "https://log.example", UTC))
    listed = [one for group in (found.now, found.settling, found.beside) for one in group]
    assert sorted(one.name for one in listed) == sorted(names)
    for one in listed:
        program = "workseal-agent" if role is Role.FREELANCER else "workseal"
        assert one.command.split()[0] == program
        assert ("--from https://log.example" in one.command) is (program == "workseal")
        by_file = {DISCLOSED, FOUND}
        assert one.name in by_file or f" {one.name} {str(case.case)[:12]}" in one.command
    assert not moves_of((), Reader(case, role, "https://log.example", UTC))


@pytest.mark.parametrize("role", [Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR])
def test_every_command_is_one_that_its_program_takes(role: Role) -> None:
    """It is read as typed: no shell is asked to do more, and no detail is one too many or few."""
    case = PLAYS[State.NOTICE]().case
    for name in dict.fromkeys(moves(role)):
        for line in command_of(name, case.case, role, "https://log.example").split("\n"):
            assert re.findall(r"[|&;<>$`*?(){}]", line) == [], line
            program, *typed = shlex.split(line)
            # Each word in capitals is a detail that is to be replaced.
            typed = ["2" if one in {"LEVEL", "COUNT"} else one for one in typed]
            if name == FOUND:
                workseal_parser().parse_args(typed)
            elif program == "workseal":
                assert name in typed
                require_fits(name, said_of(workseal_parser().parse_args(typed)))
            elif typed[:2] == ["case", "act"]:
                agents = agents_command("case", "act").make_context("act", typed[2:]).params
                said = {one.name: agents[one.name] for one in fields(Said) if agents.get(one.name)}
                require_fits(name, Said(**said))
            else:
                agents_command(*typed[: 2 if typed[0] == "case" else 1])


def test_of_a_first_offer_nothing_is_said_to_be_replaced() -> None:
    play = PLAYS[State.NOTICE]()
    first = "It ends with your next offer, and with the next draft."
    replacing = "It takes the place of your offer before it, and ends with the next draft."

    def told(role: Role) -> tuple[str, ...]:
        (one,) = moves_of(("offer",), Reader(play.case, role, "https://log.example", UTC)).settling
        return one.where

    assert told(Role.CLIENT) == told(Role.FREELANCER) == (first,)
    play.act(Role.CLIENT, Act.OFFER)
    assert (told(Role.CLIENT), told(Role.FREELANCER)) == ((replacing,), (first,))


def agents_command(*path: str) -> Any:
    load_all()
    found: Any = typer.main.get_command(agents_app)
    for one in path:
        found = found.commands[one]
    return found


def test_words_that_a_command_takes_are_told_as_it_takes_them() -> None:
    case = PLAYS[State.NOTICE]().case
    kinds = {"object": Ground, "withhold": Refusal, "stay": Pause, "rule": Ruling, "draft": Verdict}
    for name, codes in kinds.items():
        found = moves_of([name], Reader(case, Role.ARBITRATOR, "u", UTC))
        (move,) = (*found.now, *found.settling, *found.beside)
        told = re.findall(r"[a-z-]+", " ".join(move.where))
        for one in codes:
            assert one.name.lower().replace("_", "-") in told


def test_an_acceptance_names_the_offer_and_a_disclosure_takes_the_request() -> None:
    case = PLAYS[State.NOTICE]().case
    command = command_of("accept", case.case, Role.CLIENT, "u", offer=case.head)
    assert f"--cite {case.head} " in command
    lines = command_of("disclosure", case.case, Role.FREELANCER, "u").split("\n")
    assert lines[0].endswith("--request request.cose")
    assert lines[1] == "workseal-agent disclose request.cose --show BOX"


def test_no_key_of_a_case_is_named_so_that_two_cases_would_share_it() -> None:
    case = PLAYS[State.NOTICE]().case.case
    for name in ("declare", "request", "destroy"):
        assert "--case-key" not in command_of(name, case, Role.ARBITRATOR, "u")


def offered(case: Case, name: str, role: Role) -> str:
    (move,) = (
        moves_of([name], Reader(case, role, "u", UTC)).settling
        or moves_of([name], Reader(case, role, "u", UTC)).now
    )
    return " ".join(move.where)


def test_the_page_says_what_a_withdrawal_and_an_appeal_cost() -> None:
    before = offered(PLAYS[State.ANSWER]().case, "withdraw", Role.CLIENT)
    after = offered(PLAYS[State.EVIDENCE]().case, "withdraw", Role.CLIENT)
    assert "may file no other over any of its hours" in after
    assert before == ""
    assert "writes no draft" in offered(PLAYS[State.APPEAL]().case, "appeal", Role.CLIENT)


def test_people_are_named_in_one_order() -> None:
    assert everyone(frozenset()) == ""
    assert everyone(frozenset({Role.CLIENT})) == "the client"
    three = frozenset({Role.ARBITRATOR, Role.CLIENT, Role.FREELANCER})
    assert everyone(three) == "the freelancer, the client and the arbitrator"
