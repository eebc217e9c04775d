from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import Desktop
from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent.errors import NoScreenError
from workseal_agent.screen import ScreenSource
from workseal_agent.screen.pick import ScreenCandidate, opened, pick_screen
from workseal_agent.screen.replay import ReplayScreen
from workseal_agent.screen.x11 import X11Screen
from workseal_agent.surroundings import Surroundings


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with private_desktop(window_manager=False) as started:
        yield started


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(b"")
    return tmp_path


NOTHING = Surroundings("linux")


def showing(display: str) -> Surroundings:
    return Surroundings("linux", display)


def test_takes_the_recorded_desktop_when_there_is_no_other(pictures: Path) -> None:
    assert isinstance(pick_screen("auto", NOTHING, replay=pictures), ReplayScreen)
    assert isinstance(pick_screen("replay", NOTHING, replay=pictures), ReplayScreen)


def test_says_what_was_looked_for(pictures: Path) -> None:
    with pytest.raises(NoScreenError, match="WAYLAND_DISPLAY is set, and no folder"):
        pick_screen("auto", NOTHING, replay=None)
    with pytest.raises(NoScreenError, match="no X11 display is named"):
        pick_screen("x11", NOTHING, replay=pictures)


def test_a_named_display_that_does_not_answer_is_not_replaced(pictures: Path) -> None:
    with pytest.raises(NoScreenError, match="no X11 display answers at :98765"):
        pick_screen("auto", showing(":98765"), replay=pictures)


class Unlisted(ReplayScreen):
    """Show pictures, and tell no windows."""

    lists_windows = False
    closed = False

    def close(self) -> None:
        self.closed = True


def test_a_screen_without_windows_is_not_picked_while_there_are_rules(pictures: Path) -> None:
    source = Unlisted(pictures)

    def give() -> ScreenSource:
        return source

    candidate = ScreenCandidate("x11", give, automatic=True)
    with pytest.raises(NoScreenError, match="no mask rule can be obeyed"):
        opened(candidate, masking=True)
    assert source.closed
    assert opened(candidate, masking=False) is source


class TestWithADesktop:
    pytestmark = SCREEN_MARKS

    def test_takes_the_display_of_the_desktop(self, desktop: Desktop, pictures: Path) -> None:
        for kind in ("auto", "x11"):
            screen = pick_screen(kind, showing(desktop.display), replay=pictures)
            assert isinstance(screen, X11Screen)
            assert screen.grab()
        named = pick_screen("replay", showing(desktop.display), replay=pictures)
        assert isinstance(named, ReplayScreen)
