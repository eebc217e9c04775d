from dataclasses import replace

import pytest

from support.builders import CLIENT, ENGAGEMENT, FREELANCER
from support.cases import DAY, HOUR, Play
from support.casestates import PLAYS
from workseal_protocol.cli.calendars import holiday_days
from workseal_protocol.cli.moments import both
from workseal_protocol.cli.nextact import place_next, placed_next
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, CasePlace, DisputeAct, Pause, Verdict, read_record
from workseal_protocol.terms import amount_text


@pytest.fixture
def play() -> Play:
    play = Play.begin().act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER)
    return play.act(Role.CLIENT, Act.END).draw()


def an_act(play: Play, act: Act, **fields: object) -> DisputeAct:
    return DisputeAct(
        engagement=ENGAGEMENT, claimed_at=play.now,
        place=CasePlace(play.case.case, play.case.head), act=act,
        **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def last_hours(play: Play) -> None:
    """Come to the hours in which a declaration opens a deadline."""
    assert play.case.due is not None
    play.now = play.case.due.until - HOUR


def test_what_is_placed_is_taken_by_the_case(play: Play) -> None:
    statement = place_next(play.case, an_act(play, Act.DECLARE, text="no ties"), play.arbitrator)
    assert play.log(statement).case.declared


def test_a_deadline_is_counted_by_the_calendar_that_was_announced(play: Play) -> None:
    days = holiday_days("DE-BY", "Europe/Berlin")
    off = tuple(range(play.now // DAY + 5, play.now // DAY + 12))
    plain = days.announced()
    dues = []
    for one in (plain, replace(plain, days_off=off)):
        way = Play(play.case, play.now, list(play.told))
        way.act(Role.ARBITRATOR, Act.DECLARE, calendar=one).act(Role.CLIENT, Act.PASS)
        statement = place_next(way.case, an_act(way, Act.PASS), FREELANCER)
        record = read_record(statement)
        assert isinstance(record, DisputeAct)
        assert record.place.due is not None
        dues.append(record.place.due)
        assert way.log(statement).case.state is State.EVIDENCE
    assert [due.calendar for due in dues] == ["DE-BY", "DE-BY"]
    assert dues[1].until >= dues[0].until


def test_days_off_that_are_announced_too_late_make_no_deadline_longer(play: Play) -> None:
    plain = holiday_days("DE-BY", "Europe/Berlin").announced()
    last_hours(play)
    today = play.now // DAY
    dues = []
    for off in ((), tuple(range(today + 1, today + 5))):
        act = an_act(play, Act.DECLARE, text="no ties", calendar=replace(plain, days_off=off))
        record = read_record(place_next(play.case, act, play.arbitrator))
        assert isinstance(record, DisputeAct)
        assert record.place.due is not None
        dues.append(record.place.due)
    assert dues[0] == dues[1]


def test_what_the_case_refuses_is_not_signed(play: Play) -> None:
    with pytest.raises(CommandError, match="the case does not take it") as caught:
        place_next(play.case, an_act(play, Act.DESTROY), play.arbitrator)
    assert caught.value.code == 1


def test_who_is_refused_reads_what_they_may_do_and_not_what_others_may(play: Play) -> None:
    with pytest.raises(CommandError) as caught:
        placed_next(
            play.case, an_act(play, Act.DECLARE, text="no ties"), CLIENT.public_key.thumbprint
        )
    told = str(caught.value)
    assert "in seating the client has no declare; you may now: " in told
    assert "strike (strike the drawn person, once)" in told
    assert "recuse" not in told
    # There is nothing to accept before the declaration.
    assert "pass" not in told
    play.act(Role.ARBITRATOR, Act.DECLARE)
    with pytest.raises(CommandError) as caught:
        placed_next(play.case, an_act(play, Act.END), CLIENT.public_key.thumbprint)
    assert "pass (accept the drawn person)" in str(caught.value)
    # Who accepted the person is offered no strike any more.
    passed = play.act(Role.CLIENT, Act.PASS)
    with pytest.raises(CommandError) as caught:
        placed_next(passed.case, an_act(passed, Act.END), CLIENT.public_key.thumbprint)
    assert "you may now: " in str(caught.value)
    assert "strike" not in str(caught.value)
    over = PLAYS[State.PURGED]().case
    with pytest.raises(CommandError, match="there is nothing that you may do now"):
        placed_next(over, an_act(play, Act.RESUME), CLIENT.public_key.thumbprint)


def test_a_refusal_has_its_moments_in_the_zone_and_its_sums_in_the_currency() -> None:
    play = Play.begin().heard()
    too_much = an_act(
        play, Act.DRAFT, text="half", amount=play.case.filing.amount, code=Verdict.IN_PART,
        cites=(play.case.case,),
    )  # fmt: skip
    with pytest.raises(CommandError) as caught:
        placed_next(play.case, too_much, play.arbitrator.public_key.thumbprint)
    stake = amount_text(play.case.filing.amount, play.case.terms.currency)
    assert f"and less than the {stake} at stake, found {stake}" in str(caught.value)
    assert play.case.due is not None
    late = play.case.due.until + 1
    stay = an_act(play, Act.STAY, text="ill", code=Pause.ILLNESS, end=late + DAY)
    with pytest.raises(CommandError) as caught:
        placed_next(
            play.case, replace(stay, claimed_at=late), play.arbitrator.public_key.thumbprint
        )
    zone = play.case.terms.zone
    assert f"expected a stay until {both(late - 1, zone)}" in str(caught.value)
    assert f"found {both(late, zone)}" in str(caught.value)
    hours = play.case.filing.begin - DAY, play.case.filing.end
    wide = an_act(
        play, Act.ASK, level=1, count=1, begin=hours[0], end=hours[1], text="q", why="y"
    )  # fmt: skip
    with pytest.raises(CommandError) as caught:
        placed_next(play.case, wide, play.arbitrator.public_key.thumbprint)
    told = f"{both(hours[0], zone)} to {both(hours[1], zone)}"
    assert f"expected hours within the period of the filing, found {told}" in str(caught.value)


def test_a_statement_is_never_older_than_the_one_before(play: Play) -> None:
    early = replace(an_act(play, Act.DECLARE, text="no ties"), claimed_at=play.now - DAY)
    assert play.case.after(place_next(play.case, early, play.arbitrator), play.now).declared
