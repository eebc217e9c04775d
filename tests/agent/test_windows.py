from collections.abc import Iterator

import pytest
from Xlib import X, Xatom
from Xlib.display import Display

from desktop import Desktop
from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.windows import WindowInfo, visible_windows

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


def test_bounds_a_huge_title(bare: Desktop) -> None:
    connection = Display(bare.display)
    screen = connection.screen()
    item = screen.root.create_window(0, 0, 5, 5, 0, screen.root_depth, override_redirect=True)
    item.set_wm_name("x" * 100_000)
    item.map()
    connection.sync()
    (found,) = [info for info in visible_windows(bare.display) if info.identifier == item.id]
    assert len(found.title) == 4096
    connection.close()


def test_a_title_is_not_in_the_repr() -> None:
    assert "secret" not in repr(WindowInfo("secret", ("x",), 0, 0, 1, 1, 0))


def test_a_server_that_is_gone_is_an_error() -> None:
    with private_desktop(window_manager=False) as gone:
        display = gone.display
    with pytest.raises(CaptureError) as caught:
        visible_windows(display)
    assert caught.value.failure is CaptureFailure.NO_DISPLAY
