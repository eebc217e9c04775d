import pytest

from support.wayland import wait_for
from workseal_agent.activity import idle as module
from workseal_agent.activity.counts import Counts
from workseal_agent.activity.idle import IdleActivity, told
from workseal_agent.errors import NoScreenError
from workseal_protocol.commitment import ActivitySource


class Source:
    """Tell what a test says."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.closed = 0

    def idle_ms(self) -> int | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread wait for ever, so that a test looks by itself."""
    monkeypatch.setattr(IdleActivity, "_run", lambda _: None)


@pytest.mark.usefixtures("slow")
def test_a_second_counts_when_there_was_input_within_it() -> None:
    sensor = IdleActivity(Source(0, 999, 1_000, 90_000, 400))
    for second in range(5):
        sensor.look(second)
    assert sensor.take() == Counts(0, 0, 0, 0, 3, ActivitySource.IDLE)
    assert sensor.take().active_seconds == 0
    sensor.close()


@pytest.mark.usefixtures("slow")
def test_a_source_that_is_lost_observed_nothing() -> None:
    sensor = IdleActivity(Source(0, None, 0))
    assert sensor.take().source is ActivitySource.NONE
    sensor.look(1)
    sensor.look(2)
    assert sensor.take() == Counts(0, 0, 0, 0, 0, ActivitySource.NONE)
    sensor.look(3)
    assert sensor.take() == Counts(0, 0, 0, 0, 1, ActivitySource.IDLE)
    sensor.close()


def test_asks_by_itself_and_closes_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    source = Source(0)
    sensor = IdleActivity(source)
    wait_for("a look", lambda: sensor.take().source is ActivitySource.IDLE)
    assert sensor.idle_ms() == 0
    sensor.close()
    assert source.closed == 1


def test_a_source_that_never_tells_is_closed_and_no_sensor() -> None:
    source = Source(None)
    with pytest.raises(NoScreenError, match="does not tell how long"):
        told(source, 0.05)
    assert source.closed == 1
    late = Source(None, None, 5)
    assert told(late, 5.0) is late
