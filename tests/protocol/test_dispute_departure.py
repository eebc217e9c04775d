"""Where a decision is said to be another than its draft."""

from support.cases import Play
from workseal_protocol.dispute import departures
from workseal_protocol.keys import Role
from workseal_protocol.records import Act, Verdict, read_record


def told(play: Play) -> list[str]:
    records = [read_record(statement) for statement, _ in play.told]
    return [one.sentence("EUR") for one in departures(records)]


def drafted() -> Play:
    draft = {"amount": 0, "code": Verdict.DISMISSED}
    return Play.begin().heard().act(Role.ARBITRATOR, Act.DRAFT, **draft).both(Act.COMMENT)


def test_a_decision_like_its_draft_says_nothing() -> None:
    assert told(drafted()) == []
    play = drafted().act(Role.ARBITRATOR, Act.DECIDE, amount=0, code=Verdict.DISMISSED)
    assert told(play) == []


def test_another_verdict_or_sum_is_said() -> None:
    play = drafted().act(Role.ARBITRATOR, Act.DECIDE, amount=130_000, code=Verdict.UPHELD)
    first = "The decision (upheld, 1300.00 EUR) is not that of the draft (dismissed, 0.00 EUR)."
    assert told(play) == [first]
    play.act(Role.CLIENT, Act.APPEAL).seat().both(Act.PASS)
    play.act(Role.ARBITRATOR, Act.DECIDE, amount=65_000, code=Verdict.IN_PART)
    told_then, upheld = "(in part, 650.00 EUR)", "(upheld, 1300.00 EUR)"
    second = f"The decision on the appeal {told_then} is not the first one {upheld}."
    assert told(play) == [first, second]
