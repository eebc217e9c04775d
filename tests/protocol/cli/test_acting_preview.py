"""What somebody reads before they sign: what follows from an act, too."""

from dataclasses import replace

from support.cases import Play
from workseal_protocol.cli.acting.preview import preview
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, DisputeAct, read_record


def notes(play: Play, role: Role, act: Act) -> str:
    """Give the notes of what a party would sign next."""
    case = play.case
    record = read_record(play.act(role, act).told[-1][0])
    assert isinstance(record, DisputeAct)
    lines = preview(replace(record), case.terms, case)
    return " ".join(one.removeprefix("note      ") for one in lines if one.startswith("note "))


def test_who_withdraws_after_a_draw_reads_that_it_bars_them() -> None:
    drawn = Play.begin().lapse().lapse().lapse().draw()
    assert notes(drawn, Role.CLIENT, Act.WITHDRAW) == (
        "the round that draws was set in this case: you file no other over its hours"
    )
    assert notes(Play.begin(), Role.CLIENT, Act.WITHDRAW) == ""


def test_who_appeals_reads_what_the_next_arbitrator_lacks() -> None:
    told = notes(Play.begin().heard().decided(), Role.CLIENT, Act.APPEAL)
    assert told.startswith("the next arbitrator asks for nothing, writes no draft, and cannot open")


def test_who_offers_reads_how_long_it_stands() -> None:
    told = notes(Play.begin(), Role.CLIENT, Act.OFFER)
    assert told == "it takes the place of your offer before it, and ends with the next draft"
