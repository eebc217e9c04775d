from support.examined import VECTORS, vector
from support.scripted import ScriptedAgent, Story, begin, finish
from support.simulator import START, Simulator
from workseal_protocol.verify import (
    examine_bundle,
)
from workseal_protocol.window import Grade


def test_always_says_what_is_not_proven() -> None:
    for name in VECTORS:
        _, report = vector(name)
        text = " ".join(report.not_proven)
        for words in ("not staged", "who sat", "older than the commitment", "after the last one"):
            assert words in text, name


def test_says_when_no_witness_is_independent() -> None:
    _, alone = vector("valid-nobody-independent")
    assert any("0 independent witnesses" in sentence for sentence in alone.not_proven)
    assert alone.holds
    _, usual = vector("valid")
    assert not any("0 independent witnesses" in sentence for sentence in usual.not_proven)


def test_says_when_nothing_bounds_from_above() -> None:
    _, report = vector("valid-no-witnesses")
    text = " ".join(report.not_proven)
    assert "no upper bound" in text
    assert "not shown that the operator committed" in text
    assert not {entry.grade for entry in report.entries} & {Grade.ONLINE}


def test_says_when_a_round_began_before_its_session_was_opened() -> None:
    _, report = vector("valid")
    # Seven seconds of the first round, and the first round of the second day: the opening was
    # cosigned within it, so the agent's values may have been made with the beacon's at hand.
    text = " ".join(report.not_proven)
    assert "For 0 h 00 min 17.000 s the round began before its session" in text


def test_says_how_much_was_offline_and_declared() -> None:
    _, report = vector("valid")
    text = " ".join(report.not_proven)
    assert "0 h 00 min 30.000 s were recorded offline" in text
    # Twenty seconds off-screen and a thousand declared late; the live description adds nothing.
    assert "0 h 17 min 00.000 s are declared" in text


def test_says_when_the_beacon_was_committed_less_than_a_day_ahead() -> None:
    verifier = Simulator(now=START - 3 * 3_600_000)
    agent = begin(verifier)
    agent.open_session()
    agent.work(30_000)
    agent.close_session()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert report.holds, report.first_problem
    assert any("only 2 hours ahead" in sentence for sentence in report.not_proven)


def test_says_when_the_beacon_was_committed_after_a_round_began() -> None:
    verifier = Simulator()
    verifier.publish_rules()
    agent = ScriptedAgent(verifier)
    verifier.now = START + 3_000
    agent.open_session()
    # One commitment for everything, too late for the running round alone.
    verifier.start_beacon(START // verifier.round_ms, 100)
    agent.work(30_000)
    agent.close_session()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert report.holds, report.first_problem
    assert "not shown that the operator committed" in " ".join(report.not_proven)
