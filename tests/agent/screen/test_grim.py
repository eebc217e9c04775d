import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.wayland import WAYLAND_MARKS, WaylandDesktop, wait_for, wayland_desktop
from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.mask import MASK_COLOUR, Rule, capture_masked
from workseal_agent.screen import RawFrame
from workseal_agent.screen import grim as module
from workseal_agent.screen.grim import GrimScreen
from workseal_agent.surroundings import Surroundings
from workseal_agent.swaysocket import outputs

pytestmark = WAYLAND_MARKS


@pytest.fixture
def desktop() -> Iterator[WaylandDesktop]:
    with wayland_desktop() as started:
        yield started


def painted(frame: RawFrame) -> np.ndarray:
    """Say of each pixel whether it has the colour of the mask."""
    pixels = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3)
    return np.asarray((pixels == np.array(MASK_COLOUR, np.uint8)).all(axis=2))


def test_follows_displays_that_come_move_and_change_their_size(
    desktop: WaylandDesktop,
) -> None:
    screen = GrimScreen(desktop.around)
    assert screen.virtual
    assert places(screen) == [(0, 0, 640, 480)]
    desktop.tell("create_output")
    desktop.tell("output", "HEADLESS-2", "resolution", "800x600", "position", "640", "0")
    assert places(screen) == [(0, 0, 640, 480), (640, 0, 800, 600)]
    desktop.tell("output", "HEADLESS-1", "resolution", "320x240", "position", "1440", "0")
    assert places(screen) == [(640, 0, 800, 600), (1440, 0, 320, 240)]


def test_no_display_need_be_where_coordinates_begin(desktop: WaylandDesktop) -> None:
    """One beside another has that place still when the other is gone, by a closed lid, say."""
    desktop.tell("output", "HEADLESS-1", "position", "1920", "200")
    assert places(GrimScreen(desktop.around)) == [(1920, 200, 640, 480)]
    desktop.tell("output HEADLESS-1 position -640 -480")
    assert places(GrimScreen(desktop.around)) == [(-640, -480, 640, 480)]
    assert places(GrimScreen(replace(desktop.around, sway=None))) == [(0, 0, 640, 480)]


def places(screen: GrimScreen) -> list[tuple[int, int, int, int]]:
    return [(one.left, one.top, one.width, one.height) for one in screen.grab()]


def test_a_picture_has_the_size_of_the_windows_coordinates(desktop: WaylandDesktop) -> None:
    desktop.tell("output", "HEADLESS-1", "scale", "2")
    assert places(GrimScreen(desktop.around)) == [(0, 0, 320, 240)]


def test_an_excluded_window_is_painted_over_with_its_bar(desktop: WaylandDesktop) -> None:
    desktop.open_window("My Bank", command="yes TOP-SECRET")
    desktop.open_window("client repo", command="yes work")
    screen = GrimScreen(desktop.around)
    rules = [Rule("bank", title="My Bank"), Rule("typo", title="My Bnak")]
    masked = capture_masked(screen, screen.windows, rules)
    assert masked.masked_windows == 1
    assert masked.rules_matched == {"bank"}
    hidden = painted(masked.frames[0])
    assert hidden[:, :320].all()
    assert not hidden[:, 320:].any()


def test_the_whole_display_is_painted_over_while_an_excluded_window_has_the_focus(
    desktop: WaylandDesktop,
) -> None:
    desktop.open_window("client repo", command="yes work")
    desktop.open_window("My Bank", command="yes TOP-SECRET")
    screen = GrimScreen(desktop.around)
    masked = capture_masked(screen, screen.windows, [Rule("bank", title="My Bank")])
    assert painted(masked.frames[0]).all()
    assert masked.masked_windows == 1
    desktop.tell("focus", "left")
    wait_for("the focus", lambda: not painted(
        capture_masked(screen, screen.windows, [Rule("bank", title="My Bank")]).frames[0]
    ).all())  # fmt: skip


def test_while_every_display_is_off_there_is_no_picture(
    desktop: WaylandDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A headless display cannot be turned off: Sway's answer is made up."""
    screen = GrimScreen(desktop.around)
    monkeypatch.setattr(module, "outputs", lambda _: ())
    with pytest.raises(CaptureError) as caught:
        screen.grab()
    assert caught.value.failure is CaptureFailure.HIDDEN


def test_without_sway_all_displays_are_one_picture_and_nothing_can_be_masked(
    desktop: WaylandDesktop,
) -> None:
    screen = GrimScreen(replace(desktop.around, sway=None))
    assert not screen.lists_windows
    assert places(screen) == [(0, 0, 640, 480)]
    with pytest.raises(CaptureError) as caught:
        screen.windows()
    assert caught.value.failure is CaptureFailure.REFUSED


def test_a_display_that_changes_meanwhile_is_taken_again_and_then_given_up(
    desktop: WaylandDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = GrimScreen(desktop.around)
    real, sizes = outputs, iter(("320x240", "640x480", "320x240", "640x480"))
    asked: list[int] = []

    def changing(path: str) -> object:
        found = real(path)
        asked.append(1)
        if len(asked) in changes:
            desktop.tell("output", "HEADLESS-1", "resolution", next(sizes))
        return found

    monkeypatch.setattr(module, "outputs", changing)
    changes = {1}
    assert places(screen) == [(0, 0, 320, 240)]
    asked.clear()
    changes = {1, 2, 3}
    with pytest.raises(CaptureError) as caught:
        screen.grab()
    assert caught.value.failure is CaptureFailure.CHANGED


def test_a_display_that_moves_after_its_picture_is_taken_again_where_it_is_now(
    desktop: WaylandDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = GrimScreen(desktop.around)
    asked: list[int] = []

    def moving(path: str) -> object:
        asked.append(1)
        if len(asked) == 2:
            desktop.tell("output", "HEADLESS-1", "position", "100", "0")
        return outputs(path)

    monkeypatch.setattr(module, "outputs", moving)
    assert places(screen) == [(100, 0, 640, 480)]


def test_a_compositor_that_is_gone_is_no_display_and_then_no_screen() -> None:
    with wayland_desktop() as gone:
        screen, around = GrimScreen(gone.around), gone.around
    with pytest.raises(CaptureError) as caught:
        screen.grab()
    assert caught.value.failure is CaptureFailure.NO_DISPLAY
    with pytest.raises(NoScreenError, match="gets no picture"):
        GrimScreen(around)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoScreenError, match="WAYLAND_DISPLAY is not set"):
        GrimScreen(Surroundings("linux"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoScreenError, match="grim is not installed"):
        GrimScreen(Surroundings("linux", wayland="wayland-1"))


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ("sleep 60", CaptureFailure.NO_DISPLAY),
        ("exit 1", CaptureFailure.CHANGED),
        ("echo no picture", CaptureFailure.OTHER),
    ],
)
def test_a_program_that_gives_no_picture_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, failure: CaptureFailure
) -> None:
    pixel = r"printf 'P6\n1 1\n255\nabc'"
    program = tmp_path / "grim"
    program.write_text(f"#!/bin/sh\n[ $1 = -g ] && {{ {pixel}; exit; }}\nexec sh -c '{script}'\n")
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(module, "_SECONDS", 1.0)
    screen = GrimScreen(Surroundings("linux", wayland="wayland-1"))
    with pytest.raises(CaptureError) as caught:
        screen.grab()
    assert caught.value.failure is failure


def test_only_the_wanted_window_of_a_real_desktop_is_left(desktop: WaylandDesktop) -> None:
    desktop.open_window("chat", "chat", command="yes private")
    desktop.open_window("client repo", "editor", command="yes work")
    screen, only = GrimScreen(desktop.around), [Rule("editor", "editor")]
    filled = painted(capture_masked(screen, screen.windows, [], only).frames[0])
    assert filled[:, :320].all()
    assert not filled[:, 320:].any()
    desktop.tell("focus", "left")
    wait_for("the focus", lambda: bool(painted(
        capture_masked(screen, screen.windows, [], only).frames[0]
    ).all()))  # fmt: skip
