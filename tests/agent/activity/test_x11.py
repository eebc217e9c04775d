import gc
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from Xlib import X
from Xlib.display import Display
from Xlib.ext import ge
from Xlib.protocol import rq

from desktop import Desktop
from support.desktop import NEEDS_XEPHYR, SCREEN_MARKS, private_desktop
from workseal_agent.activity import Counts
from workseal_agent.activity.x11 import X11Activity
from workseal_agent.errors import NoScreenError
from workseal_protocol.commitment import ActivitySource

pytestmark = SCREEN_MARKS
TEXT = "hello nda world 12345"


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with private_desktop() as started:
        yield started


@pytest.fixture
def sensor(desktop: Desktop) -> Iterator[X11Activity]:
    with closing(X11Activity(desktop.display)) as started:
        yield started


def test_the_x11_display_of_a_wayland_session_is_refused(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees the input of X11 programs alone: a count of that would be a wrong one."""
    # What the server answers, and not what python-xlib makes of it.
    real = Display.list_extensions
    monkeypatch.setattr(Display, "list_extensions", lambda one: [*real(one), "XWAYLAND"])
    with pytest.raises(NoScreenError, match="a part of the input"):
        X11Activity(desktop.display)


def collect(sensor: X11Activity, expected: int, *, seconds: float = 15) -> Counts:
    """Add up takes until the presses are there, and a little longer to see one too many."""
    total = Counts(0, 0, 0, 0, 0, ActivitySource.XINPUT2)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.2)
        more = sensor.take()
        total = Counts(
            total.keys + more.keys,
            total.pointer + more.pointer,
            total.synthetic + more.synthetic,
            total.device + more.device,
            total.active_seconds + more.active_seconds,
            more.source,
        )
        if total.keys + total.pointer >= expected:
            end = min(end, time.monotonic() + 0.3)
    return total


def test_counts_exactly_what_xdotool_sent_and_calls_it_synthetic(
    desktop: Desktop, sensor: X11Activity
) -> None:
    desktop.xdotool("type", "--delay", "4", TEXT)
    for button in (1, 1, 1, 2, 3, 4, 5):
        desktop.xdotool("click", str(button))
    counts = collect(sensor, len(TEXT) + 7)
    assert (counts.keys, counts.pointer) == (len(TEXT), 7)
    assert (counts.synthetic, counts.device) == (len(TEXT) + 7, 0)
    assert counts.active_seconds >= 1
    assert counts.source is ActivitySource.XINPUT2


def test_a_take_gives_each_press_once(desktop: Desktop, sensor: X11Activity) -> None:
    desktop.xdotool("type", "--delay", "4", "abc")
    assert collect(sensor, 3).keys == 3
    assert sensor.take().keys == 0


def test_a_held_key_is_one_press(desktop: Desktop, sensor: X11Activity) -> None:
    opened = desktop.open_terminal("held", size=(20, 5))
    desktop.focus(opened)
    sensor.take()
    desktop.xdotool("keydown", "a")
    time.sleep(1.5)
    desktop.xdotool("keyup", "a")
    assert collect(sensor, 1).keys == 1


def test_goes_on_counting_while_another_program_has_grabbed_the_keyboard(
    desktop: Desktop, sensor: X11Activity
) -> None:
    with closing(Display(desktop.display)) as other:
        root = other.screen().root
        taken = root.grab_keyboard(
            owner_events=False,
            pointer_mode=X.GrabModeAsync,
            keyboard_mode=X.GrabModeAsync,
            time=X.CurrentTime,
        )
        assert taken == X.GrabSuccess
        desktop.xdotool("type", "--delay", "4", "grabbed")
        assert collect(sensor, 7).keys == 7


def test_a_pointer_that_moves_makes_active_seconds_and_no_presses(
    desktop: Desktop, sensor: X11Activity
) -> None:
    end = time.monotonic() + 15
    seconds = 0
    while time.monotonic() < end and not seconds:
        desktop.xdotool("mousemove_relative", "--", "3", "2")
        time.sleep(0.4)
        counts = sensor.take()
        assert counts.keys == counts.pointer == 0
        seconds += counts.active_seconds
    assert seconds


def test_without_input_counts_nothing(sensor: X11Activity) -> None:
    time.sleep(1.3)
    assert sensor.take() == Counts(0, 0, 0, 0, 0, ActivitySource.XINPUT2)


@NEEDS_XEPHYR
def test_tells_input_of_a_device_from_synthetic_input(desktop: Desktop) -> None:
    with desktop.start_nested(400, 300) as nested:
        window = nested.window_outside
        assert window is not None
        with closing(X11Activity(nested.display)) as sensor:
            desktop.click(window)
            desktop.type_text(window, "hardware like", delay_ms=20)
            nested.xdotool("type", "--delay", "4", "fake")
            counts = collect(sensor, 18)
    assert (counts.keys, counts.pointer) == (17, 1)
    assert (counts.device, counts.synthetic) == (14, 4)


def test_tells_how_long_there_was_no_input(desktop: Desktop, sensor: X11Activity) -> None:
    desktop.xdotool("key", "a")
    before = time.monotonic()
    time.sleep(0.6)
    idle = sensor.idle_ms()
    assert idle is not None
    assert 500 <= idle <= (time.monotonic() - before) * 1000 + 1000
    desktop.xdotool("key", "a")
    again = sensor.idle_ms()
    assert again is not None
    assert again < idle + 600


def test_no_object_of_this_process_holds_which_key_it_was(
    desktop: Desktop, sensor: X11Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[rq.DictWrapper] = []
    real = sensor._counter._see  # type: ignore[union-attr]

    def see(event: rq.Event) -> None:
        if event.type == ge.GenericEventCode:
            seen.append(event.data)
        real(event)

    monkeypatch.setattr(sensor._counter, "_see", see)
    desktop.xdotool("type", "--delay", "4", "xyz")
    assert collect(sensor, 3).keys == 3
    assert len(seen) >= 3
    assert all(set(data._data) == {"deviceid", "sourceid"} for data in seen)


def test_a_lost_server_is_nothing_observed_and_looked_for_again() -> None:
    with private_desktop(200, 100, window_manager=False) as desktop:
        sensor = X11Activity(desktop.display)
        desktop.xdotool("key", "a")
        assert collect(sensor, 1).keys == 1
    nothing = Counts(0, 0, 0, 0, 0, ActivitySource.NONE)
    end = time.monotonic() + 10
    while sensor.take() != nothing:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert sensor.take() == nothing
    assert sensor.idle_ms() is None
    with private_desktop(200, 100, window_manager=False) as again:
        sensor._display = again.display
        while sensor.take() == nothing:
            assert time.monotonic() < end + 10
            time.sleep(0.05)
        again.xdotool("key", "a")
        assert collect(sensor, 1).keys == 1
        sensor.close()
    sensor.close()
    gc.collect()


def test_a_server_that_came_back_and_says_nothing_holds_up_no_take() -> None:
    with private_desktop(200, 100, window_manager=False) as desktop:
        sensor = X11Activity(desktop.display)
    nothing = Counts(0, 0, 0, 0, 0, ActivitySource.NONE)
    number = 64_000
    with closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(f"\0/tmp/.X11-unix/X{number}")
        silent.listen()
        # Whoever waits for it is let go in the end: then this fails, and does not hang.
        late = threading.Timer(20, silent.close)
        late.start()
        sensor._display = f":{number}"
        end = time.monotonic() + 10
        while sensor._revival is None:
            sensor.take()
            assert time.monotonic() < end
        hung = sensor._revival
        with ThreadPoolExecutor() as pool:
            assert pool.submit(sensor.take).result(10) == nothing
            assert pool.submit(sensor.take).result(10) == nothing
            pool.submit(sensor.close).result(10)
        # One alone waits for it.
        assert (hung.is_alive(), sensor._revival) == (True, hung)
        late.cancel()
    hung.join(10)
    assert not hung.is_alive()


def test_a_closed_sensor_leaves_no_thread(desktop: Desktop) -> None:
    sensor = X11Activity(desktop.display)
    counter = sensor._counter
    assert counter is not None
    before = counter.alive
    sensor.close()
    assert (before, counter.alive) == (True, False)
    counter.close()
