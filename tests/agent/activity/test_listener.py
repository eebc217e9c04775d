import gc
import sys
from types import ModuleType
from typing import Any

import pytest

from workseal_agent.activity import find_activity
from workseal_agent.activity.counts import Counts
from workseal_agent.activity.listener import ListenerActivity
from workseal_agent.errors import NoScreenError
from workseal_agent.surroundings import Surroundings
from workseal_protocol.commitment import ActivitySource

MACHINE = Surroundings("darwin")


class Heard:
    """Stand in for one of pynput's listeners; its callbacks are called as pynput calls them."""

    made: list["Heard"]

    def __init__(self, **callbacks: Any) -> None:
        self.callbacks = callbacks
        self.running = False
        self.made.append(self)

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False


class Secret:
    """Be the identity of a key."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Heard]:
    Heard.made = []
    package = ModuleType("pynput")
    for name in ("keyboard", "mouse"):
        module = ModuleType(f"pynput.{name}")
        module.Listener = Heard  # type: ignore[attr-defined]
        setattr(package, name, module)
        monkeypatch.setitem(sys.modules, f"pynput.{name}", module)
    monkeypatch.setitem(sys.modules, "pynput", package)
    return Heard.made


def test_counts_keys_clicks_and_steps_of_the_wheel(heard: list[Heard]) -> None:
    sensor = ListenerActivity(MACHINE)
    keyboard, mouse = heard
    for _ in range(3):
        keyboard.callbacks["on_release"](Secret(), False)  # noqa: FBT003 - as pynput does
    for pressed in (True, False):
        mouse.callbacks["on_click"](10, 20, Secret(), pressed, False)  # noqa: FBT003
    mouse.callbacks["on_scroll"](10, 20, 0, 1, False)  # noqa: FBT003
    mouse.callbacks["on_move"](11, 20, False)  # noqa: FBT003
    counts = sensor.take()
    assert (counts.keys, counts.pointer, counts.source) == (3, 2, ActivitySource.LISTENER)
    assert counts.active_seconds >= 1
    assert sensor.idle_ms() is not None
    sensor.close()
    assert not any(one.running for one in heard)


def test_a_held_key_is_one_press(heard: list[Heard]) -> None:
    ListenerActivity(MACHINE)
    assert set(heard[0].callbacks) == {"on_release"}


def test_the_identity_of_a_key_ends_at_the_callback(heard: list[Heard]) -> None:
    sensor = ListenerActivity(MACHINE)
    keyboard, mouse = heard
    keyboard.callbacks["on_release"](Secret())
    mouse.callbacks["on_click"](10, 20, Secret(), True)  # noqa: FBT003 - as pynput does
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Secret)]
    sensor.close()


def test_a_listener_that_ended_observed_nothing(heard: list[Heard]) -> None:
    sensor = ListenerActivity(MACHINE)
    heard[0].callbacks["on_release"](Secret())
    heard[1].running = False
    assert sensor.take() == Counts(0, 0, 0, 0, 0, ActivitySource.NONE)


def test_is_an_extra_and_never_used_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynput", None)
    with pytest.raises(NoScreenError, match=r"workseal\[input\]"):
        find_activity("listener", MACHINE)
    assert find_activity("auto", MACHINE)[0].name == "none"
    with pytest.raises(NoScreenError, match="Windows and macOS alone"):
        find_activity("listener", Surroundings("linux"))


def test_is_picked_where_it_works(heard: list[Heard]) -> None:
    candidate, sensor = find_activity("auto", MACHINE)
    assert candidate.name == "listener"
    assert len(heard) == 2
    sensor.close()
