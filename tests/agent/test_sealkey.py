import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from dbus_fast import Message
from Xlib import XK, X
from Xlib.display import Display

from desktop import Desktop
from support.bridge import bridged
from support.buses import Answer, FakeService, private_bus
from support.desktop import SCREEN_MARKS, private_desktop
from support.worker import PATIENCE_S, Worker, ended
from workseal_agent import sealkey
from workseal_agent.keychord import KeyChord
from workseal_agent.sealkey import SealKey

pytestmark = SCREEN_MARKS
CHORD = KeyChord.parse("ctrl+alt+s")


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with private_desktop() as started:
        yield started


class Presses:
    """Count what comes, and wait for it."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def reach(self, count: int, timeout: float = 20) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, timeout=timeout)


@contextmanager
def held(display: str | None, presses: Callable[[], None]) -> Iterator[SealKey]:
    key = SealKey(display, CHORD, presses)
    key.start()
    try:
        yield key
    finally:
        key.stop()


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end and not condition():
        time.sleep(0.02)
    return condition()


def test_each_press_is_told_once_and_no_other_key(desktop: Desktop) -> None:
    presses = Presses()
    with held(desktop.display, presses) as key:
        assert until(lambda: key.trouble is None)
        desktop.xdotool("type", "--delay", "4", "secrets stay here")
        desktop.xdotool("key", "ctrl+s", "alt+s", "ctrl+alt+shift+s", "s")
        desktop.xdotool("key", "ctrl+alt+s")
        assert presses.reach(1)
        desktop.xdotool("key", "ctrl+alt+s")
        assert presses.reach(2)
    assert presses.count == 2


def test_a_key_that_stays_down_was_pressed_once(desktop: Desktop) -> None:
    presses = Presses()
    with held(desktop.display, presses) as key:
        assert until(lambda: key.trouble is None)
        desktop.xdotool("keydown", "ctrl", "keydown", "alt", "keydown", "s")
        time.sleep(1.5)  # the server repeats it some twenty times
        desktop.xdotool("keyup", "s", "keyup", "alt", "keyup", "ctrl")
        desktop.xdotool("key", "ctrl+alt+s")
        assert presses.reach(2)
    assert presses.count == 2


def test_num_lock_and_caps_lock_change_nothing(desktop: Desktop) -> None:
    presses = Presses()
    with held(desktop.display, presses) as key:
        assert until(lambda: key.trouble is None)
        for number, lock in enumerate(("Num_Lock", "Caps_Lock"), 1):
            desktop.xdotool("key", lock)
            desktop.xdotool("key", "ctrl+alt+s")
            assert presses.reach(number)
            desktop.xdotool("key", lock)


def test_a_key_of_another_program_is_not_taken_from_it(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealkey, "_AGAIN_SECONDS", 0.05)
    with closing(Display(desktop.display)) as other:
        code = other.keysym_to_keycode(XK.string_to_keysym("s"))
        root = other.screen().root
        root.grab_key(
            code,
            X.ControlMask | X.Mod1Mask,
            owner_events=False,
            pointer_mode=X.GrabModeAsync,
            keyboard_mode=X.GrabModeAsync,
        )
        other.sync()
        with held(desktop.display, Presses()) as key:
            taken = "the key ctrl+alt+s does not seal: another program has it"
            assert until(lambda: key.trouble == taken)
            root.ungrab_key(code, X.AnyModifier)
            other.sync()
            assert until(lambda: key.trouble is None)


def test_an_act_that_fails_ends_nothing(desktop: Desktop) -> None:
    presses = Presses()

    def act() -> None:
        presses()
        raise RuntimeError

    with held(desktop.display, act) as key:
        assert until(lambda: key.trouble is None)
        for number in (1, 2):
            desktop.xdotool("key", "ctrl+alt+s")
            assert presses.reach(number)


def test_a_changed_keyboard_is_asked_again(desktop: Desktop) -> None:
    presses = Presses()
    with held(desktop.display, presses) as key, closing(Display(desktop.display)) as other:
        assert until(lambda: key.trouble is None)
        one, two = (other.keysym_to_keycode(XK.string_to_keysym(letter)) for letter in "sd")
        first, second = (other.get_keyboard_mapping(code, 1)[0] for code in (one, two))
        try:
            other.change_keyboard_mapping(one, [second])
            other.change_keyboard_mapping(two, [first])
            other.sync()
            # Until the new place is asked for, nobody hears it.
            for _ in range(5):
                desktop.xdotool("key", "ctrl+alt+s")
                if presses.reach(1, timeout=4):
                    break
            assert presses.count >= 1
        finally:
            other.change_keyboard_mapping(one, [first])
            other.change_keyboard_mapping(two, [second])
            other.sync()


def test_the_key_seals_what_is_recorded(
    desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(message: Message) -> Answer:
        if message.member == "GetCapabilities":
            return "as", [[]]
        return "u", [1]

    monkeypatch.setenv("DISPLAY", desktop.display)
    with (
        private_bus(tmp_path) as bus,
        FakeService(bus, "org.freedesktop.Notifications", answer) as shown,
        bridged() as bridge,
    ):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
        worker = Worker(tmp_path / "home", bridge, capture_rate=0)
        (worker.home / "config.toml").write_text('[seal]\nkey = "ctrl+alt+s"\n')
        process = worker.start()
        try:
            worker.wait(process)
            assert until(lambda: worker.ask("status")["troubles"] == [])
            desktop.xdotool("key", "ctrl+alt+s")
            assert until(lambda: worker.ask("status")["state"] == "sealed")
            desktop.xdotool("key", "ctrl+alt+s")
            assert until(lambda: worker.ask("status")["state"] == "working")
            # Whoever pressed it sees what it did, and nothing else.
            assert until(lambda: [one.member for one in shown.calls].count("Notify") == 2)
            said = [one.body[4] for one in shown.calls if one.member == "Notify"]
            assert [text.partition(":")[0] for text in said] == ["Sealed", "No longer sealed"]
            worker.ask("stop")
            assert process.wait(PATIENCE_S) == 0
        finally:
            ended()


def test_a_key_whose_thread_fails_says_so_and_is_held_again(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealkey, "_AGAIN_SECONDS", 0.05)
    real, failures = SealKey._grab, iter([RuntimeError("once")])

    def grab(key: SealKey, connection: Display) -> str | None:
        for failure in failures:
            raise failure
        return real(key, connection)

    monkeypatch.setattr(SealKey, "_grab", grab)
    presses = Presses()
    with held(desktop.display, presses) as key:
        assert until(lambda: key.trouble is None)
        desktop.xdotool("key", "ctrl+alt+s")
        assert presses.reach(1)


def test_says_when_there_is_no_server_and_when_it_is_waylands(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(":98765", Presses()) as key:
        assert until(lambda: str(key.trouble).endswith("no X11 display answers"))
    # What the server answers, and not what python-xlib makes of it.
    real = Display.list_extensions
    monkeypatch.setattr(Display, "list_extensions", lambda one: [*real(one), "XWAYLAND"])
    with held(desktop.display, Presses()) as key:
        assert until(lambda: "on Wayland" in str(key.trouble))
