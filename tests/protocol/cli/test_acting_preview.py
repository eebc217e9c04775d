"""What somebody reads before they sign: what follows from an act, too."""

from dataclasses import replace

from support.cases import Play
from workseal_protocol.cli.acting.preview import preview
from workseal_protocol.cli.casesums import who_pays
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Claim, DisputeAct, read_record


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
    assert told.endswith("it ends with your next offer, and with the next draft")
    again = notes(Play.begin().act(Role.CLIENT, Act.OFFER, amount=1), Role.CLIENT, Act.OFFER)
    assert "it takes the place of your offer before it, where you made one" in again
    # Who would pay it to whom, before that.
    assert told.startswith(who_pays(Claim.NOT_WORKED, Role.CLIENT))


def offered(amount: int, text: str = "and we are done") -> Play:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE)
    return play.act(Role.FREELANCER, Act.OFFER, amount=amount, text=text)


def accepting(play: Play) -> list[str]:
    """Give what the client would read before they accept the open offer."""
    case, told = play.case, [(one.digest, read_record(one)) for one, _ in play.told]
    record = read_record(play.act(Role.CLIENT, Act.ACCEPT, cites=(case.head,)).told[-1][0])
    assert isinstance(record, DisputeAct)
    return preview(record, case.terms, case, (), told)


def test_who_accepts_reads_sum_and_text_of_what_they_accept() -> None:
    # As hostile as a text can be: it stays on its line.
    lines = accepting(offered(24_00, "24 and\u2028deadline  never"))
    assert (
        "note      it accepts 24.00 EUR, the offer of the freelancer: 24 and\\u2028deadline  never"
    ) in lines
    assert not [one for one in lines if "at stake" in one]


def test_who_accepts_more_than_is_at_stake_reads_that() -> None:
    play = offered(Play.begin().case.filing.amount + 1)
    (line,) = [one for one in accepting(play) if one.startswith("note      it accepts")]
    assert ", more than the " in line


def test_whose_offer_is_not_at_hand_reads_that_and_no_sum() -> None:
    play = offered(24_00)
    told = notes_of_accepting(play)
    assert told.startswith("what it accepts is not at hand: ")


def notes_of_accepting(play: Play) -> str:
    case = play.case
    record = read_record(play.act(Role.CLIENT, Act.ACCEPT, cites=(case.head,)).told[-1][0])
    assert isinstance(record, DisputeAct)
    found = [one for one in preview(record, case.terms, case) if one.startswith("note ")]
    return found[0].removeprefix("note      ")


def test_who_offers_more_than_is_at_stake_reads_that() -> None:
    play = Play.begin()
    record = read_record(play.act(Role.CLIENT, Act.OFFER).told[-1][0])
    assert isinstance(record, DisputeAct)
    dear = replace(record, amount=play.case.filing.amount + 1)
    for one, more in ((dear, True), (replace(record, amount=play.case.filing.amount), False)):
        told = " ".join(preview(one, play.case.terms, play.case))
        assert ("that is more than the " in told) is more
