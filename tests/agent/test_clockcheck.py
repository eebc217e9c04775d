"""A clock that is wrong at a start at which nobody can tell the time."""

from pathlib import Path

import httpx
import pytest

from support.rig import Rig
from support.wire import Fault, problem
from workseal_agent.daemon.clockcheck import ClockCheck

_HOUR_MS = 3_600_000


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Give a rig that recorded a little, was switched off, and starts offline an hour behind."""
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.recorder.start()
    rig.work(35)
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    rig.clock.run(4 * 3_600)
    rig.simulator.now = rig.clock.true_ms
    rig.cut(up=False)
    rig.clock.offset_ms = -_HOUR_MS
    rig.kill()
    rig.recorder.start()
    rig.work(25, send=False)
    return rig


def test_a_session_that_began_behind_is_put_forward_before_anything_is_sent(rig: Rig) -> None:
    assert rig.segments()[-1].end < rig.clock.true_ms - _HOUR_MS + 1_000
    rig.cut(up=True)
    rig.work(25)
    rig.recorder.stop()
    assert rig.uplink.drain(10), rig.uplink.trouble
    assert rig.worked_ms == 85_000
    assert abs(rig.segments()[-1].end - rig.clock.true_ms) < 2_000


def test_who_is_put_forward_counts_on_from_that_very_moment(rig: Rig) -> None:
    before = rig.worked_ms + sum(one.worked_ms for one in rig.recorder.running())
    rig.recorder.put_forward(rig.clock.true_ms)
    rig.clock.run(0.75)
    rig.recorder.stop()
    assert rig.worked_ms == before + 750


def test_the_time_is_asked_for_once_and_never_put_back(rig: Rig) -> None:
    rig.cut(up=True)
    rig.clock.offset_ms = 0
    rig.work(5)
    put = rig.recorder.running()[-1].begin_ms
    rig.simulator.now -= _HOUR_MS
    rig.recorder.put_forward(rig.simulator.now)
    assert rig.recorder.running()[-1].begin_ms == put
    asked = [path for _, path, _ in rig.wire.requests].count("/v1/operator")
    check = ClockCheck(rig.client, rig.recorder)
    check.step()
    check.step()
    assert [path for _, path, _ in rig.wire.requests].count("/v1/operator") == asked + 1


def test_time_that_no_clock_can_be_behind_by_moves_nothing(rig: Rig) -> None:
    put = rig.recorder.running()[-1].begin_ms
    rig.recorder.put_forward(rig.clock.true_ms + 48 * _HOUR_MS)
    assert rig.recorder.running()[-1].begin_ms == put


def test_no_session_begins_before_what_witnesses_saw_pass(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=0)
    rig.recorder.start()
    rig.work(35)
    rig.clock.run(3 * 3_600)  # nothing runs for three hours, and then the session ends
    rig.simulator.now = rig.clock.true_ms
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    rig.cut(up=False)
    rig.clock.offset_ms = -2 * _HOUR_MS
    rig.kill()
    rig.recorder.start()
    rig.work(25, send=False)
    assert rig.segments()[-1].begin > rig.clock.true_ms - 60_000
    rig.recorder.stop()
    rig.cut(up=True)
    assert rig.uplink.drain(10), rig.uplink.trouble


def test_a_verifier_that_is_not_reached_is_asked_again_and_one_that_refuses_is_not(
    rig: Rig,
) -> None:
    def asked() -> int:
        return [path for _, path, _ in rig.wire.requests].count("/v1/operator")

    def lost(_request: httpx.Request) -> Fault:
        return Fault(None)

    check, before = ClockCheck(rig.client, rig.recorder), asked()
    rig.wire.fault = lost
    check.step()
    check.step()
    assert asked() == before + 2
    rig.wire.fault = lambda _request: Fault(problem(404, "gone"))
    check.step()
    rig.wire.fault = lambda _request: None
    check.step()
    assert asked() == before + 3


def test_nothing_is_asked_before_recording_began(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    asked = len(rig.wire.requests)
    ClockCheck(rig.client, rig.recorder).step()
    assert len(rig.wire.requests) == asked
