"""What the ladder says of a case that goes on, and of one that nobody asks in any more."""

import pytest

from support.cases import Play
from support.casestates import PLAYS
from workseal_protocol.cli.acting.standing import is_past_asking, rungs
from workseal_protocol.dispute import CLOSED, State
from workseal_protocol.keys import Role
from workseal_protocol.records import Act


def words(play: Play) -> list[str]:
    return [word for _, word in rungs(play.case)]


def test_what_is_next_may_be_asked_for_while_the_case_hears_evidence() -> None:
    play = Play.begin().heard()
    assert words(play) == ["reached", "may be asked for", "not yet", "not yet", "not yet"]
    play.granted(1)
    assert words(play)[1] == "granted"
    play.act(Role.FREELANCER, Act.SHOW)
    assert words(play)[1:3] == ["reached", "may be asked for"]


@pytest.mark.parametrize("state", [*sorted(CLOSED), State.APPEAL, State.REVIEW, State.PURGED])
def test_where_nobody_asks_any_more_nothing_may_be_asked_for(state: State) -> None:
    case = PLAYS[state]().case
    assert is_past_asking(case)
    told = {word for _, word in rungs(case)}
    assert "not asked for" in told
    assert not told & {"may be asked for", "not yet"}
