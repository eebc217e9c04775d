"""A recording that ended by itself is told as that, and one that was stopped is not."""

from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.leftopen import ended_by_itself, left_open_ms


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_nothing_is_left_open_before_the_first_session(rig: Rig) -> None:
    assert left_open_ms(rig.ledger, rig.engagement) is None


def test_what_was_stopped_is_not_left_open(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(45)
    rig.recorder.stop()
    assert left_open_ms(rig.ledger, rig.engagement) is None


def test_a_killed_recording_is_left_open_until_its_last_segment(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(45)
    rig.kill()
    ends = [segment.end for segment in rig.segments()]
    assert left_open_ms(rig.ledger, rig.engagement) == ends[-1]
    assert "nobody stopped it: nothing after 2026-" in str(ended_by_itself(ends[-1]))
    # The next start closes it, and its own stop the next one.
    rig.recorder.start()
    rig.work(30)
    rig.recorder.stop()
    assert left_open_ms(rig.ledger, rig.engagement) is None


def test_one_that_was_killed_in_its_first_round_is_left_open_from_its_begin(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(45)
    rig.recorder.stop()
    before = rig.segments()[-1].end
    rig.clock.run(600)
    rig.recorder.start()
    rig.kill()
    until = left_open_ms(rig.ledger, rig.engagement)
    assert until is not None
    assert until > before + 500_000
