from collections.abc import Iterator
from pathlib import Path

import pytest

from support.wayland import WAYLAND_MARKS, WaylandDesktop, wait_for, wayland_desktop
from workseal_agent import swaysocket
from workseal_agent.errors import CaptureError
from workseal_agent.windows import WindowInfo
from workseal_agent.windows.sway import sway_windows

pytestmark = WAYLAND_MARKS


@pytest.fixture
def desktop() -> Iterator[WaylandDesktop]:
    with wayland_desktop() as started:
        yield started


def named(desktop: WaylandDesktop, title: str) -> list[WindowInfo]:
    return [one for one in sway_windows(desktop.sway) if one.title == title]


def owned(desktop: WaylandDesktop, window: WindowInfo) -> list[WindowInfo]:
    return [one for one in sway_windows(desktop.sway) if one.transient_for == window.identifier]


def box(window: WindowInfo) -> tuple[int, int, int, int]:
    return window.left, window.top, window.width, window.height


def test_tells_title_application_process_and_the_place_with_its_bar(
    desktop: WaylandDesktop,
) -> None:
    desktop.open_window("client repo", "editor")
    desktop.open_window("My Bank", "bank")
    (left,), (right,) = named(desktop, "client repo"), named(desktop, "My Bank")
    assert left.wm_class == ("editor",)
    assert left.process != right.process
    assert (box(left), box(right)) == ((0, 0, 320, 480), (320, 0, 320, 480))
    assert right.stacking > left.stacking


def test_only_the_window_with_the_focus_may_have_menus_anywhere(desktop: WaylandDesktop) -> None:
    desktop.open_window("client repo")
    desktop.open_window("My Bank")
    (other,), (focused,) = named(desktop, "client repo"), named(desktop, "My Bank")
    assert owned(desktop, other) == []
    (place,) = owned(desktop, focused)
    assert box(place) == (0, 0, 640, 480)
    assert place.presumed


def test_the_bar_of_a_tab_that_is_behind_counts(desktop: WaylandDesktop) -> None:
    desktop.open_window("My Bank")
    desktop.open_window("client repo")
    desktop.tell("layout", "tabbed")
    (behind,) = named(desktop, "My Bank")
    assert (behind.left, behind.top, behind.width) == (0, 0, 320)
    assert 0 < behind.height < 60


@pytest.mark.parametrize("layout", ["tabbed", "stacking"])
def test_the_bar_of_a_nest_counts_because_it_names_what_is_inside(
    desktop: WaylandDesktop, layout: str
) -> None:
    for title in ("one", "two"):
        desktop.open_window(title)
    desktop.tell("layout", layout)
    desktop.tell("splitv")
    desktop.open_window("My Bank")
    desktop.tell("focus", "parent")
    desktop.tell("focus", "parent")
    desktop.tell("focus", "child")
    (inner,) = named(desktop, "My Bank")
    assert inner.top + inner.height <= 480
    assert any(one.top < inner.top + 30 and one.presumed for one in owned(desktop, inner))


def test_a_floating_window_lies_above_and_goes_with_its_program(desktop: WaylandDesktop) -> None:
    desktop.open_window("below")
    desktop.open_window("above")
    desktop.tell("floating", "enable")
    (below,), (above,) = named(desktop, "below"), named(desktop, "above")
    assert above.popup
    assert not below.popup
    assert above.stacking > below.stacking


def test_what_is_on_a_hidden_workspace_is_not_shown(desktop: WaylandDesktop) -> None:
    desktop.open_window("My Bank")
    desktop.tell("workspace", "other")
    wait_for("the change", lambda: not named(desktop, "My Bank"))


def test_a_window_on_the_second_display_is_told_in_the_coordinates_of_all(
    desktop: WaylandDesktop,
) -> None:
    desktop.tell("create_output")
    desktop.tell("output", "HEADLESS-2", "resolution", "800x600", "position", "640", "0")
    desktop.tell("focus", "output", "HEADLESS-2")
    desktop.open_window("My Bank")
    (found,) = named(desktop, "My Bank")
    assert box(found) == (640, 0, 800, 600)


@pytest.mark.parametrize("length", [16_384, 16_385])
def test_a_title_that_is_too_long_says_so(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """Wayland's own messages are shorter; a program of X11 under Sway is not bound by them."""
    rect, nowhere = (
        {"x": 0, "y": 0, "width": 9, "height": 9},
        {"x": 0, "y": 0, "width": 0, "height": 0},
    )
    leaf = {"nodes": [], "floating_nodes": [], "rect": rect, "deco_rect": nowhere}
    window = leaf | {
        "id": 7, "pid": 1, "name": "x" * length, "visible": True, "focused": False, "type": "con",
    }  # fmt: skip
    workspace = leaf | {"name": "1", "nodes": [window]}
    output = {"name": "HEADLESS-1", "current_workspace": "1", "rect": rect, "nodes": [workspace]}
    monkeypatch.setattr(swaysocket, "tree", lambda _: {"nodes": [output]})
    (found,) = sway_windows("")
    assert len(found.title) == 16_384
    assert found.overlong is (length > 16_384)


def test_a_socket_that_is_gone_is_a_capture_error(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be listed"):
        sway_windows(str(tmp_path / "gone"))
