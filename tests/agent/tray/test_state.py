from typing import Any

import pytest

from workseal_agent.recorder import RecorderState
from workseal_agent.tray.icon import Sign
from workseal_agent.tray.state import NOTHING, UNKNOWN, state_of


@pytest.mark.parametrize("state", list(RecorderState))
def test_every_state_of_the_recorder_has_a_sign(state: RecorderState) -> None:
    shown = state_of({"state": str(state)})
    assert shown is not UNKNOWN
    assert shown.recording == (state is not RecorderState.STOPPED)
    assert shown.sealed == (state is RecorderState.SEALED)


@pytest.mark.parametrize(
    "wrong", [{"troubles": ["x"]}, {"halted": True}, {"captures_failing": "x"}]
)
def test_what_goes_wrong_asks_for_attention_and_hides_no_entry(wrong: dict[str, Any]) -> None:
    shown = state_of({"state": "working", **wrong})
    assert shown.sign is Sign.TROUBLED
    assert shown.troubled
    assert shown.recording
    # What it is may stand on a screen that others see: the icon says no word of it.
    assert shown.told == state_of({"state": "working"}).told


@pytest.mark.parametrize("answer", [{}, {"state": 1}, {"state": "dancing"}])
def test_an_answer_that_is_not_known_is_a_trouble(answer: dict[str, Any]) -> None:
    assert state_of(answer) is UNKNOWN


def test_nothing_recorded_is_no_trouble() -> None:
    assert state_of({"state": "stopped"}) is NOTHING
    assert not NOTHING.troubled
