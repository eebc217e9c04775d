import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import mss
import numpy as np
import pytest
from mss.exception import ScreenShotError
from mss.models import Monitor
from Xlib.display import Display

from desktop import Desktop, DesktopError
from support.desktop import NEEDS_XEPHYR, SCREEN_MARKS, noise, paint_root, private_desktop
from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.mask import MASK_COLOUR, Rule, capture_masked
from workseal_agent.screen import RawFrame, x11
from workseal_agent.screen.shots import monitors_of
from workseal_agent.screen.x11 import X11Screen

pytestmark = SCREEN_MARKS


@pytest.fixture(scope="module")
def bare() -> Iterator[Desktop]:
    with private_desktop(window_manager=False) as started:
        yield started


@pytest.fixture
def managed() -> Iterator[Desktop]:
    with private_desktop() as started:
        yield started


@pytest.fixture
def nested(bare: Desktop) -> Iterator[Desktop]:
    with bare.start_nested(640, 480) as started:
        yield started


def test_gives_exactly_the_pixels_that_were_painted(bare: Desktop) -> None:
    pixels = noise(640, 480)
    paint_root(bare, 640, 480, pixels)
    (frame,) = X11Screen(bare.display).grab()
    assert (frame.display, frame.left, frame.top) == (0, 0, 0)
    assert (frame.width, frame.height) == (640, 480)
    assert frame.rgb == pixels


def test_follows_what_changes(bare: Desktop) -> None:
    screen = X11Screen(bare.display)
    for seed in (2, 3):
        paint_root(bare, 640, 480, noise(640, 480, seed))
        assert screen.grab()[0].rgb == noise(640, 480, seed)


def test_takes_each_monitor_once(bare: Desktop) -> None:
    pixels = noise(640, 480, 4)
    paint_root(bare, 640, 480, pixels)
    array = np.frombuffer(pixels, np.uint8).reshape(480, 640, 3)
    places = {"left": (0, 0, 300, 480), "right": (300, 100, 340, 200), "mirror": (0, 0, 300, 480)}
    for name, (left, top, width, height) in places.items():
        output = "screen" if name == "left" else "none"
        bare._call(["xrandr", "--setmonitor", name, f"{width}/80x{height}/60+{left}+{top}", output])
    try:
        frames = X11Screen(bare.display).grab()
    finally:
        for name in places:
            bare._call(["xrandr", "--delmonitor", name])
    assert [frame.display for frame in frames] == [0, 1]
    found = {(frame.left, frame.top, frame.width, frame.height): frame.rgb for frame in frames}
    assert found.keys() == set(places.values())
    for (left, top, width, height), rgb in found.items():
        assert rgb == array[top : top + height, left : left + width].tobytes()


def test_follows_monitors_that_come_and_go_while_it_records(bare: Desktop) -> None:
    screen = X11Screen(bare.display)
    whole, left, right = (0, 0, 640, 480), (0, 0, 300, 480), (300, 0, 340, 480)
    assert places(screen) == [whole]
    bare._call(["xrandr", "--setmonitor", "left", "300/80x480/60+0+0", "screen"])
    assert places(screen) == [left]
    bare._call(["xrandr", "--setmonitor", "right", "340/80x480/60+300+0", "none"])
    assert sorted(places(screen)) == [left, right]
    bare._call(["xrandr", "--delmonitor", "left"])
    bare._call(["xrandr", "--delmonitor", "right"])
    assert places(screen) == [whole]


def places(screen: X11Screen) -> list[tuple[int, int, int, int]]:
    return [(one.left, one.top, one.width, one.height) for one in screen.grab()]


def test_a_monitor_that_reaches_beyond_the_screen_costs_no_picture(bare: Desktop) -> None:
    """One that was cut out of a wider screen by hand outlives a smaller mode."""
    bare._call(["xrandr", "--setmonitor", "left", "320/80x480/60+0+0", "screen"])
    bare._call(["xrandr", "--setmonitor", "stale", "500/80x900/60+320+0", "none"])
    try:
        grabbed = X11Screen(bare.display).grab()
    finally:
        bare._call(["xrandr", "--delmonitor", "stale"])
        bare._call(["xrandr", "--delmonitor", "left"])
    assert [(frame.left, frame.width, frame.height) for frame in grabbed] == [
        (0, 320, 480), (320, 320, 480),
    ]  # fmt: skip


def test_a_blank_screen_gives_no_picture(bare: Desktop) -> None:
    screen = X11Screen(bare.display)
    bare._call(["xset", "s", "blank"])
    bare._call(["xset", "s", "activate"])
    try:
        with pytest.raises(CaptureError) as caught:
            screen.grab()
        assert caught.value.failure is CaptureFailure.HIDDEN
    finally:
        bare._call(["xset", "s", "reset"])
    assert screen.grab()


@pytest.mark.parametrize(("level", "on", "blank"), [(0, 1, False), (3, 1, True), (3, 0, False)])
def test_a_screen_that_saves_power_gives_no_picture(
    bare: Desktop, monkeypatch: pytest.MonkeyPatch, level: int, on: int, *, blank: bool
) -> None:
    """Xvfb has no power to save: its answer is made up."""
    real = Display.has_extension
    monkeypatch.setattr(
        Display, "has_extension", lambda one, name: name == "DPMS" or real(one, name)
    )
    told = SimpleNamespace(power_level=level, state=on)
    monkeypatch.setattr(Display, "dpms_info", lambda _: told, raising=False)
    screen = X11Screen(bare.display)
    if blank:
        with pytest.raises(CaptureError, match="blank"):
            screen.grab()
    else:
        assert screen.grab()


@NEEDS_XEPHYR
def test_a_screen_that_shrinks_between_measuring_and_taking_is_taken_again(
    nested: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []
    real = monitors_of

    def measure(camera: mss.MSS) -> list[Monitor]:
        found = real(camera)
        measured.append(found[0]["width"])
        if len(measured) == 1:
            nested.resize_screen(320, 240)
        return found

    monkeypatch.setattr(x11, "monitors_of", measure)
    (frame,) = X11Screen(nested.display).grab()
    assert measured == [640, 320]
    assert (frame.width, frame.height) == (320, 240)


@NEEDS_XEPHYR
def test_a_screen_that_grows_is_taken_whole(nested: Desktop) -> None:
    screen = X11Screen(nested.display)
    for size in ((320, 240), (640, 480), (320, 240)):
        nested.resize_screen(*size)
        (frame,) = screen.grab()
        assert (frame.width, frame.height) == size


@NEEDS_XEPHYR
def test_a_screen_that_goes_on_changing_gives_whole_frames_or_says_so(nested: Desktop) -> None:
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            for size in ((320, 240), (640, 480)):
                with suppress(DesktopError):  # xrandr may meet its own change half done
                    nested.resize_screen(*size)

    thread = threading.Thread(target=flip)
    thread.start()
    screen = X11Screen(nested.display)
    try:
        for _ in range(40):
            try:
                (frame,) = screen.grab()
            except CaptureError as error:
                assert error.failure is CaptureFailure.CHANGED  # noqa: PT017 - the one allowed
            else:
                assert (frame.width, frame.height) in {(320, 240), (640, 480)}
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("code", "failure", "attempts"),
    [(8, CaptureFailure.CHANGED, 2), (10, CaptureFailure.REFUSED, 1)],
)
def test_a_failure_is_named_and_only_a_change_is_tried_again(
    bare: Desktop,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    failure: CaptureFailure,
    attempts: int,
) -> None:
    tried: list[int] = []

    def fail(*_: object) -> RawFrame:
        tried.append(code)
        raise ScreenShotError("bad", details={"error_code": code})

    monkeypatch.setattr(x11, "take", fail)
    with pytest.raises(CaptureError) as caught:
        X11Screen(bare.display).grab()
    assert caught.value.failure is failure
    assert len(tried) == attempts


def test_what_the_library_trips_over_is_a_missed_picture(
    bare: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that dies in the middle of an answer shows as an assertion of the library."""

    def fail(*_: object) -> RawFrame:
        raise AssertionError

    monkeypatch.setattr(x11, "take", fail)
    with pytest.raises(CaptureError, match="went away"):
        X11Screen(bare.display).grab()


def test_grabbing_leaves_no_connection_open(bare: Desktop) -> None:
    screen = X11Screen(bare.display)
    screen.grab()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        screen.grab()
        screen.windows()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    screen.close()


def test_says_that_a_server_without_a_screen_is_virtual(bare: Desktop) -> None:
    screen = X11Screen(bare.display)
    assert screen.virtual
    assert screen.name == f"X11 display {bare.display}"


@NEEDS_XEPHYR
def test_says_that_a_nested_server_is_virtual(nested: Desktop) -> None:
    assert X11Screen(nested.display).virtual


def test_a_server_without_signs_is_not_called_virtual(
    bare: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x11, "_SIGNS", ("no such sign",))
    assert not X11Screen(bare.display).virtual


def test_refuses_the_screen_of_a_wayland_session(
    bare: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("Xlib.display.Display.list_extensions", lambda _: ["XWAYLAND"])
    with pytest.raises(NoScreenError, match="Wayland"):
        X11Screen(bare.display)


def test_a_server_that_is_gone_is_no_screen_and_then_no_display() -> None:
    with private_desktop(window_manager=False) as gone:
        screen = X11Screen(gone.display)
    with pytest.raises(CaptureError) as caught:
        screen.grab()
    assert caught.value.failure is CaptureFailure.NO_DISPLAY
    with pytest.raises(NoScreenError, match=gone.display):
        X11Screen(gone.display)


# --- the mask on real windows -------------------------------------------------------------------


def test_an_excluded_window_is_painted_over_wherever_it_is(managed: Desktop) -> None:
    secret = managed.open_terminal("My Bank", at=(100, 80), size=(30, 10), command="yes TOP-SECRET")
    work = managed.open_terminal("client repo", at=(200, 150), size=(30, 10))
    screen = X11Screen(managed.display)
    rules = [Rule("bank", title="My Bank"), Rule("typo", title="My Bnak")]
    for place in ((100, 80), (260, 200), (-40, 300)):
        managed.xdotool("windowmove", str(secret.identifier), *map(str, place))
        managed.raise_(work)
        managed.wait_for(
            "the move",
            lambda place=place: any(  # type: ignore[misc]
                (info.left, info.top) == place and info.title == "My Bank"
                for info in screen.windows()
            ),
        )
        masked = capture_masked(screen, screen.windows, rules)
        (info,) = [info for info in screen.windows() if info.title == "My Bank"]
        assert masked.masked_windows == 1
        assert masked.rules_matched == {"bank"}
        assert only_mask(masked.frames[0], info.left, info.top, info.width, info.height)
        assert not only_mask(masked.frames[0], 0, 0, 640, 480)


def test_two_excluded_windows_of_one_application_are_masked(managed: Desktop) -> None:
    for number, place in enumerate(((10, 10), (330, 250))):
        managed.open_terminal(f"vault {number}", at=place, size=(20, 5), wm_class="KeePassXC")
    screen = X11Screen(managed.display)
    masked = capture_masked(screen, screen.windows, [Rule("passwords", "keepassxc")])
    assert masked.masked_windows == 2
    found = [info for info in screen.windows() if "KeePassXC" in info.wm_class]
    assert len(found) == 2
    for info in found:
        assert only_mask(masked.frames[0], info.left, info.top, info.width, info.height)


def test_what_is_beside_the_mask_is_exact(bare: Desktop) -> None:
    pixels = noise(640, 480, 9)
    opened = bare.open_terminal("My Bank", at=(64, 32), size=(20, 5))
    paint_root(bare, 640, 480, pixels)
    screen = X11Screen(bare.display)
    masked = capture_masked(screen, screen.windows, [Rule("bank", title="My Bank")])
    (info,) = [info for info in screen.windows() if info.title == opened.title]
    expected = np.frombuffer(pixels, np.uint8).reshape(480, 640, 3).copy()
    expected[info.top : info.top + info.height, info.left : info.left + info.width] = MASK_COLOUR
    assert masked.frames[0].rgb == expected.tobytes()


def only_mask(frame: RawFrame, left: int, top: int, width: int, height: int) -> bool:
    """Say whether all that lies on the frame of a rectangle has the colour of the mask."""
    pixels = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3)
    part = pixels[max(0, top) : top + height, max(0, left) : left + width]
    return part.size > 0 and bool((part == np.array(MASK_COLOUR, np.uint8)).all())


def test_this_process_did_not_need_a_screen_of_its_own(bare: Desktop) -> None:
    assert bare.display != os.environ.get("DISPLAY")


@pytest.mark.parametrize("moment", ["greeting", "parting"])
def test_a_server_that_dies_at_either_end_is_no_surprise(
    bare: Desktop, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The library trips over assertions of its own then."""
    screen = X11Screen(bare.display)

    def trips(*_: object, **__: object) -> None:
        raise AssertionError

    if moment == "greeting":
        monkeypatch.setattr(mss, "MSS", trips)
        with pytest.raises(CaptureError) as caught:
            screen.grab()
        assert caught.value.failure is CaptureFailure.NO_DISPLAY
    else:
        monkeypatch.setattr(mss.MSS, "close", trips)
        assert screen.grab()


def test_only_the_wanted_window_of_a_real_desktop_is_left(managed: Desktop) -> None:
    managed.open_terminal("client repo", at=(40, 40), size=(30, 10), wm_class="Editor")
    managed.open_terminal("chat", at=(140, 100), size=(30, 10), command="yes private")
    screen = X11Screen(managed.display)
    masked = capture_masked(screen, screen.windows, [], [Rule("editor", "editor")])
    (work,) = [info for info in screen.windows() if "Editor" in info.wm_class]
    (chat,) = [info for info in screen.windows() if info.title == "chat"]
    (frame,) = masked.frames
    assert only_mask(frame, chat.left, chat.top, chat.width, chat.height)
    assert only_mask(frame, 0, 0, frame.width, work.top)
    assert only_mask(frame, 0, 0, work.left, frame.height)
    assert not only_mask(frame, work.left, work.top, 60, 60)
    assert masked.masked_windows >= 1
