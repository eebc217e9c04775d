from types import SimpleNamespace
from typing import Any

import mss
import pytest
from mss.exception import ScreenShotError

from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.screen.native import NativeScreen
from workseal_agent.surroundings import Surroundings

MACHINE = Surroundings("win32")


class Camera:
    """Stand in for mss on a system with two monitors, one of them mirrored."""

    fails = ""
    opened = 0

    def __init__(self) -> None:
        if self.fails == "open":
            raise ScreenShotError("no")
        Camera.opened += 1
        left = {"left": 0, "top": 0, "width": 2, "height": 1}
        right = {"left": 2, "top": 0, "width": 1, "height": 1}
        self.monitors = [{"left": 0, "top": 0, "width": 3, "height": 1}, left, dict(left), right]

    def grab(self, monitor: dict[str, int]) -> Any:
        if self.fails == "grab":
            raise ScreenShotError("CoreGraphics gave nothing")
        width, height = monitor["width"], monitor["height"]
        raw = b"\x03\x02\x01\x00" * (width * height)
        return SimpleNamespace(
            raw=raw, left=monitor["left"], top=monitor["top"], width=width, height=height
        )

    def close(self) -> None:
        Camera.opened -= 1
        if self.fails == "close":
            raise OSError


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> type[Camera]:
    monkeypatch.setattr(mss, "MSS", Camera)
    monkeypatch.setattr(Camera, "opened", 0)
    return Camera


def test_gives_each_monitor_once_as_rgb(camera: type[Camera]) -> None:
    screen = NativeScreen(MACHINE)
    assert [(one.display, one.left, one.rgb) for one in screen.grab()] == [
        (0, 0, b"\x01\x02\x03" * 2),
        (1, 2, b"\x01\x02\x03"),
    ]
    assert camera.opened == 0
    assert screen.name == "Windows screen"


@pytest.mark.parametrize(
    ("fails", "failure"),
    [("open", CaptureFailure.NO_DISPLAY), ("grab", CaptureFailure.REFUSED)],
)
def test_a_failure_has_its_class_and_leaves_nothing_open(
    camera: type[Camera], monkeypatch: pytest.MonkeyPatch, fails: str, failure: CaptureFailure
) -> None:
    screen = NativeScreen(MACHINE)
    monkeypatch.setattr(camera, "fails", fails)
    with pytest.raises(CaptureError) as caught:
        screen.grab()
    assert caught.value.failure is failure
    assert camera.opened == 0
    with pytest.raises(NoScreenError, match="Windows screen gives no picture"):
        NativeScreen(MACHINE)


def test_what_was_taken_is_kept_when_parting_fails(
    camera: type[Camera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "fails", "close")
    assert NativeScreen(Surroundings("darwin")).grab()


def test_tells_no_windows_and_is_not_there_elsewhere(camera: type[Camera]) -> None:
    screen = NativeScreen(MACHINE)
    assert not screen.lists_windows
    with pytest.raises(CaptureError):
        screen.windows()
    with pytest.raises(NoScreenError, match="neither Windows nor macOS"):
        NativeScreen(Surroundings("linux"))
    assert camera.opened == 0
