"""What the recorder signs when a round is cut into parts."""

from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.errors import AgentError
from workseal_protocol.chain import earliest_begin
from workseal_protocol.records import Acceptance, SegmentState, read_record
from workseal_protocol.statement import Statement


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def cut(rig: Rig, how: str) -> None:
    if how == "pause":
        rig.recorder.pause()
        rig.clock.run(0.3)
        rig.recorder.resume()
    else:
        rig.recorder.set_mode(SegmentState.OFF_SCREEN)


@pytest.mark.parametrize("how", ["pause", "mode"])
@pytest.mark.parametrize("up", [True, False])
def test_the_first_part_of_a_round_decides_its_draw(rig: Rig, how: str, *, up: bool) -> None:
    rig.beacon.up = up
    rig.recorder.start()
    rig.work(3, send=False)
    rig.beacon.up = not up
    cut(rig, how)
    rig.work(5, send=False)
    rig.recorder.stop()
    first, second = rig.segments()
    assert first.round == second.round
    assert first.verifier_value == second.verifier_value
    assert (first.verifier_value is not None) == up


def test_the_next_round_asks_anew(rig: Rig) -> None:
    rig.beacon.up = False
    rig.recorder.start()
    rig.work(5)
    rig.beacon.up = True
    rig.work(10)
    rig.recorder.stop()
    assert [segment.verifier_value is None for segment in rig.segments()] == [True, False]


def test_many_short_parts_claim_no_more_than_their_time(rig: Rig) -> None:
    rig.recorder.start()
    for number in range(200):
        rig.clock.run(0.000_4 * (1 + number % 7))
        rig.recorder.pause()
        rig.clock.run(0.000_3)
        rig.recorder.resume()
    rig.recorder.stop()
    segments = rig.segments()
    assert len(segments) > 100
    for segment in segments:
        assert segment.begin < segment.end
        assert segment.worked <= segment.end - segment.begin
    assert rig.recorder.trouble is None


def test_nothing_is_recorded_before_the_terms(rig: Rig) -> None:
    rig.clock.offset_ms = earliest_begin(rig.chain.state) - rig.clock.true_ms - 1
    with pytest.raises(AgentError, match="1 ms before the terms"):
        rig.recorder.start()
    assert rig.records() == []
    rig.clock.offset_ms += 1
    rig.recorder.start()
    rig.work(20, send=False)
    rig.recorder.stop()
    assert rig.worked_ms == 20_000


def test_the_acceptance_of_a_wrong_clock_tells_the_verifiers_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.rig.TurnedClock.wall_ms", lambda self: self.true_ms + 3_600_000)
    rig = Rig(tmp_path)
    record = read_record(Statement.parse(rig.engagement.acceptance))
    assert isinstance(record, Acceptance)
    assert abs(record.claimed_at - rig.clock.true_ms) < 1_000
