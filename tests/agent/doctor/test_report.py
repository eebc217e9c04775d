from workseal_agent.doctor import Check, Report, SourceReport
from workseal_agent.fitness import Fitness

GOOD = Fitness("x11", fit=True, reason="it answers")
BAD = Fitness("vault", fit=False, reason="it is full")


def test_recording_can_begin_when_everything_needed_is_fit() -> None:
    report = Report(
        (SourceReport("screen", (GOOD,), "x11"),), (Check(BAD), Check(GOOD, needed=True))
    )
    assert report.problems == ()
    assert report.facts()["can_record"] is True


def test_names_each_thing_that_stands_in_the_way() -> None:
    report = Report(
        (SourceReport("screen", (), None, "no display"), SourceReport("idle", (), None)),
        (Check(BAD, needed=True), Check(GOOD, needed=True)),
    )
    assert report.problems == ("vault: it is full", "screen: no display")


def test_programs_read_every_candidate_with_its_reason() -> None:
    report = Report((SourceReport("screen", (GOOD,), "x11"),), (Check(BAD, needed=True),))
    assert report.facts() == {
        "can_record": False,
        "problems": ["vault: it is full"],
        "sources": {
            "screen": {
                "picked": "x11",
                "candidates": [{"name": "x11", "fit": True, "reason": "it answers"}],
            }
        },
        "checks": [{"name": "vault", "fit": False, "reason": "it is full", "needed": True}],
    }
