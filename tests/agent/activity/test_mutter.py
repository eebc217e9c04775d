from collections.abc import Iterator
from pathlib import Path

import pytest
from dbus_fast import Message

from support.buses import Answer, FakeService, private_bus
from support.wayland import WAYLAND_MARKS, wait_for
from workseal_agent.activity import find_activity, mutter
from workseal_agent.activity.mutter import MutterIdle
from workseal_agent.errors import NoScreenError
from workseal_agent.surroundings import Surroundings

pytestmark = WAYLAND_MARKS[1]
NAME = "org.gnome.Mutter.IdleMonitor"


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(mutter, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(mutter, "_AGAIN_SECONDS", 0.1)
    with private_bus(tmp_path) as made:
        yield made


def test_tells_what_the_window_manager_tells_and_comes_back_to_it(address: str) -> None:
    idle = [7_000]

    def answer(message: Message) -> Answer:
        assert (message.path, message.member) == (
            "/org/gnome/Mutter/IdleMonitor/Core",
            "GetIdletime",
        )
        return "t", [idle[0]]

    source = MutterIdle(address)
    assert source.idle_ms() is None
    for _ in range(2):
        with FakeService(address, NAME, answer):
            wait_for("an answer", lambda: (source.idle_ms() or 0) >= 7_000)
            idle[0] = 3
            wait_for("a newer one", lambda: (source.idle_ms() or 7_000) < 3_000)
            idle[0] = 7_000
        wait_for("the loss", lambda: source.idle_ms() is None)
    source.close()


def test_an_answer_that_is_no_time_is_none(address: str) -> None:
    with FakeService(address, NAME, lambda _: ("s", ["soon"])) as service:
        source = MutterIdle(address)
        wait_for("a question", lambda: len(service.calls) > 2)
        assert source.idle_ms() is None
        source.close()


def test_an_old_answer_is_none(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeService(address, NAME, lambda _: ("t", [5])):
        source = MutterIdle(address)
        wait_for("an answer", lambda: source.idle_ms() is not None)
        monkeypatch.setattr(mutter, "_STALE_SECONDS", 0.0)
        assert source.idle_ms() is None
        source.close()


def test_is_a_candidate_with_a_bus_alone(address: str) -> None:
    with pytest.raises(NoScreenError, match="no D-Bus"):
        find_activity("mutter", Surroundings("linux", wayland="w"))
    around = Surroundings("linux", wayland="w", session_bus=address)
    with pytest.raises(NoScreenError, match="no window manager of GNOME"):
        find_activity("mutter", around)
    with FakeService(address, NAME, lambda _: ("t", [5])):
        _, sensor = find_activity("mutter", around)
        assert sensor.idle_ms() is not None
        sensor.close()
