from datetime import UTC

from support.cases import Play
from support.hearings import DAY_MS, Hearing
from support.office import Office
from support.scripted import ScriptedAgent
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
    assert play.case.arbitrator is not None
    place = 1 + [key.thumbprint for key in play.case.terms.arbitrators].index(play.case.arbitrator)
    drawn = f"Person {place} of 3 and a sample of 14 frames were drawn in it."
    assert told(play).endswith(f" Withdrawn by who filed it. {drawn}")
    assert told(play.lapse()).endswith(f" Sealed, after it was withdrawn. {drawn}")


def test_counts_everybody_who_was_drawn() -> None:
    play = Play.begin().lapse().lapse().lapse().draw().act(Role.CLIENT, Act.STRIKE).draw()
    assert " of 3 and no frames were drawn in it." in told(play)
    assert told(play).count("Persons ") == 1


def test_a_case_names_those_before_it_over_its_hours(office: Office, agent: ScriptedAgent) -> None:
    hearing = Hearing(office, agent.engagement, agent.terms)
    hearing.file().answered().act(Role.CLIENT, Act.END).draw().act(Role.CLIENT, Act.WITHDRAW)
    first, filing = hearing.case, hearing.case.filing
    hearing.file(Role.FREELANCER, begin=filing.end - 1, end=filing.end)
    hearings = office.verifier.services.hearings
    assert [one.case for one in hearings.earlier(hearing.case)] == [first.case]
    assert hearings.earlier(first) == ()
    hearing.act(Role.FREELANCER, Act.WITHDRAW)
    hearing.file(Role.FREELANCER, begin=filing.begin - DAY_MS, end=filing.begin)
    assert hearings.earlier(hearing.case) == ()
