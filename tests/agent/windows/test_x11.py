from collections.abc import Iterator

import numpy as np
import pytest
from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.xobject.drawable import Window

from desktop import Desktop
from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.mask import Rule, capture_masked
from workseal_agent.screen import RawFrame
from workseal_agent.screen.x11 import X11Screen
from workseal_agent.windows import WindowInfo
from workseal_agent.windows import x11 as windows
from workseal_agent.windows.x11 import visible_windows

pytestmark = SCREEN_MARKS


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with private_desktop() as started:
        yield started


@pytest.fixture
def bare() -> Iterator[Desktop]:
    with private_desktop(window_manager=False) as started:
        yield started


def named(desktop: Desktop, title: str) -> WindowInfo:
    (found,) = [info for info in visible_windows(desktop.display) if info.title == title]
    return found


def test_tells_title_class_and_the_place_with_decorations(desktop: Desktop) -> None:
    opened = desktop.open_terminal("client repo: vim", at=(60, 50), size=(30, 8))
    inner = desktop.area(opened)
    found = named(desktop, "client repo: vim")
    assert found.wm_class == ("xterm", "XTerm")
    assert found.identifier == opened.identifier
    assert (found.left, found.top) == (60, 50)
    assert found.left <= inner.left
    assert found.top < inner.top
    assert found.left + found.width >= inner.left + inner.width
    assert found.top + found.height >= inner.top + inner.height


def test_lists_from_bottom_to_top(desktop: Desktop) -> None:
    low, high = desktop.open_terminal("low", at=(0, 0)), desktop.open_terminal("high", at=(9, 9))
    for below, above in ((low, high), (high, low)):
        desktop.raise_(above)
        desktop.wait_for(
            "the new order",
            lambda below=below, above=above: (  # type: ignore[misc]
                named(desktop, below.title).stacking < named(desktop, above.title).stacking
            ),
        )


def test_leaves_out_what_is_minimised(desktop: Desktop) -> None:
    opened = desktop.open_terminal("minimised")
    desktop.xdotool("windowminimize", str(opened.identifier))
    desktop.wait_for(
        "minimising",
        lambda: "minimised" not in [info.title for info in visible_windows(desktop.display)],
    )


def test_without_a_window_manager_lists_top_level_windows(bare: Desktop) -> None:
    bare.open_terminal("no manager", at=(30, 20), size=(20, 5))
    found = named(bare, "no manager")
    assert (found.left, found.top) == (30, 20)
    assert found.wm_class == ("xterm", "XTerm")


def test_tells_to_which_window_another_belongs(bare: Desktop) -> None:
    connection = Display(bare.display)
    screen = connection.screen()
    owner, menu, blind = (
        screen.root.create_window(
            10 * number, 10, 5, 6, 1, screen.root_depth, override_redirect=True
        )
        for number in range(3)
    )
    menu.set_wm_transient_for(owner)
    blind.set_wm_transient_for(screen.root)
    for item in (owner, menu, blind):
        item.map()
    connection.sync()
    found = {info.identifier: info for info in visible_windows(bare.display)}
    assert found[menu.id].transient_for == owner.id
    assert found[owner.id].transient_for is None
    assert found[blind.id].transient_for is None
    assert (found[menu.id].width, found[menu.id].height) == (7, 8)
    connection.close()


def test_tells_a_popup_and_whose_it_is(desktop: Desktop) -> None:
    """With a window manager: a menu is put up past it, a dialog is not."""
    desktop.open_terminal("another program", at=(300, 300), size=(20, 4))
    ours = Display(desktop.display)
    screen = ours.screen()
    main = screen.root.create_window(10, 10, 50, 50, 0, screen.root_depth)
    main.set_wm_name("main window")
    menu = screen.root.create_window(80, 80, 9, 9, 0, screen.root_depth, override_redirect=True)
    pid = ours.intern_atom("_NET_WM_PID")
    menu.change_property(pid, Xatom.CARDINAL, 32, [4711])
    for item in (main, menu):
        item.map()
    ours.sync()
    desktop.wait_for(
        "the window manager",
        lambda: "main window" in [info.title for info in visible_windows(desktop.display)],
    )
    found = {info.identifier: info for info in visible_windows(desktop.display)}
    other = named(desktop, "another program")
    assert (found[main.id].popup, found[menu.id].popup, other.popup) == (False, True, False)
    assert found[main.id].client == found[menu.id].client != other.client
    assert (found[main.id].process, found[menu.id].process) == (None, 4711)
    ours.close()


@pytest.mark.parametrize("manager", [True, False])
def test_no_pixel_of_an_excluded_programs_menu_is_left(*, manager: bool) -> None:
    secret, plain = 0xC81E64, 0x1A2B3C
    with private_desktop(window_manager=manager) as shown:
        ours, theirs = Display(shown.display), Display(shown.display)
        bank = put_up(ours, (10, 10), plain, title="My Bank")
        put_up(ours, (200, 10), secret, override_redirect=True)
        put_up(theirs, (300, 300), plain, override_redirect=True)
        shown.wait_for(
            "the window", lambda: bank in {w.identifier for w in visible_windows(shown.display)}
        )
        screen = X11Screen(shown.display)
        (bare,) = screen.grab()
        masked = capture_masked(screen, screen.windows, [Rule("bank", title="*bank*")])
        assert count(bare, secret) == 900
        assert count(masked.frames[0], secret) == 0
        # The menu of the other program is untouched.
        assert count(masked.frames[0], plain) == 900
        ours.close()
        theirs.close()


def put_up(
    connection: Display, at: tuple[int, int], colour: int, *, title: str = "", **how: bool
) -> int:
    """Map a window of 30 by 30 pixels in one colour; returns its identifier."""
    screen = connection.screen()
    item = screen.root.create_window(
        *at, 30, 30, 0, screen.root_depth, background_pixel=colour, **how
    )
    item.set_wm_name(title)
    item.map()
    connection.sync()
    return int(item.id)


def count(frame: RawFrame, colour: int) -> int:
    pixels = np.frombuffer(frame.rgb, np.uint8).reshape(frame.height, frame.width, 3)
    wanted = np.array(list(colour.to_bytes(3, "big")), np.uint8)
    return int((pixels == wanted).all(axis=2).sum())


def test_leaves_out_what_has_no_pixels(bare: Desktop) -> None:
    connection = Display(bare.display)
    screen = connection.screen()
    unmapped = screen.root.create_window(0, 0, 5, 5, 0, screen.root_depth)
    empty = screen.root.create_window(
        0, 0, 5, 5, 0, 0, window_class=X.InputOnly, override_redirect=True
    )
    empty.map()
    connection.sync()
    found = {info.identifier for info in visible_windows(bare.display)}
    assert not found & {unmapped.id, empty.id}
    connection.close()


def test_tells_every_name_that_a_window_has(bare: Desktop) -> None:
    connection = Display(bare.display)
    screen = connection.screen()
    item = screen.root.create_window(0, 0, 5, 5, 0, screen.root_depth, override_redirect=True)
    utf8 = connection.intern_atom("UTF8_STRING")
    item.change_property(connection.intern_atom("_NET_WM_NAME"), utf8, 8, "Größe 無痕".encode())
    item.change_property(Xatom.WM_NAME, Xatom.STRING, 8, "Größe ?".encode("latin-1"))
    item.map()
    connection.sync()
    (found,) = [info for info in visible_windows(bare.display) if info.identifier == item.id]
    assert found.title == "Größe 無痕\nGröße ?"
    connection.close()


def test_steps_over_a_window_that_closes_while_it_is_read(
    bare: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Display(bare.display)
    gone, stays = (
        put_up(connection, (10 * n, 0), 0x112233, override_redirect=True) for n in (1, 9)
    )
    describe = windows._Reader.describe

    def closing(reader: windows._Reader, window: Window, stacking: int) -> Iterator[WindowInfo]:
        if window.id == gone:
            connection.create_resource_object("window", gone).destroy()
            connection.sync()
        return describe(reader, window, stacking)

    monkeypatch.setattr(windows._Reader, "describe", closing)
    found = {info.identifier for info in visible_windows(bare.display)}
    assert gone not in found
    assert stays in found
    connection.close()


@pytest.mark.parametrize("length", [100, 4_096, 12_000, 16_384, 100_000])
def test_a_title_of_any_length_hides_its_window(bare: Desktop, length: int) -> None:
    """What a browser adds stands at the end of a title, which its page has chosen."""
    secret = 0xC81E64
    connection = Display(bare.display)
    title = "x" * length + " - Private Browsing"
    opened = put_up(connection, (10, 10), secret, title=title, override_redirect=True)
    (found,) = [info for info in visible_windows(bare.display) if info.identifier == opened]
    assert len(found.title) <= 16_384
    screen = X11Screen(bare.display)
    (frame,) = screen.grab()
    assert count(frame, secret) == 900
    masked = capture_masked(screen, screen.windows, [Rule("private", title="*private browsing")])
    assert count(masked.frames[0], secret) == 0
    assert masked.masked_windows == 1
    connection.close()


def test_a_title_that_nobody_can_read_is_never_wanted(bare: Desktop) -> None:
    connection = Display(bare.display)
    put_up(connection, (10, 10), 0xC81E64, title="x" * 100_000, override_redirect=True)
    screen = X11Screen(bare.display)
    masked = capture_masked(screen, screen.windows, (), [Rule("all", title="*")])
    assert count(masked.frames[0], 0xC81E64) == 0
    connection.close()


def test_a_title_is_not_in_the_repr() -> None:
    assert "secret" not in repr(WindowInfo("secret", ("x",), 0, 0, 1, 1, 0))


def test_a_server_that_is_gone_is_an_error() -> None:
    with private_desktop(window_manager=False) as gone:
        display = gone.display
    with pytest.raises(CaptureError) as caught:
        visible_windows(display)
    assert caught.value.failure is CaptureFailure.NO_DISPLAY
