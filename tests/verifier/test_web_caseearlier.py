from datetime import UTC

from support.cases import Play
from workseal_protocol.keys import Role
from workseal_protocol.records import Act
from workseal_verifier.web.caseearlier import earlier_of


def told(play: Play) -> str:
    (one,) = earlier_of([play.case], UTC)
    assert one["digest"] == str(play.case.case)
    return one["told"]


def test_says_who_filed_how_it_ended_and_what_was_drawn() -> None:
    free = told(Play.begin().act(Role.CLIENT, Act.WITHDRAW))
    assert free.startswith("The client filed it on ")
    assert free.endswith(" Withdrawn by who filed it. Nothing was drawn in it.")
    play = Play.begin().heard().shown(1).granted(2).act(Role.CLIENT, Act.WITHDRAW)
    place = 1 + [key.thumbprint for key in play.case.terms.arbitrators].index(play.case.arbitrator)
    drawn = f"Person {place} of 3 and a sample of 14 frames were drawn in it."
    assert told(play).endswith(f" Withdrawn by who filed it. {drawn}")
    assert told(play.lapse()).endswith(f" Sealed, after it was withdrawn. {drawn}")


def test_counts_everybody_who_was_drawn() -> None:
    play = Play.begin().lapse().lapse().lapse().draw().act(Role.CLIENT, Act.STRIKE).draw()
    assert " of 3 and no frames were drawn in it." in told(play)
    assert told(play).count("Persons ") == 1
