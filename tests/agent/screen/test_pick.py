from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import Desktop
from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent.errors import NoScreenError
from workseal_agent.screen import ReplayScreen, X11Screen, pick_screen


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with private_desktop(window_manager=False) as started:
        yield started


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(b"")
    return tmp_path


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)


def test_takes_the_recorded_desktop_when_there_is_no_other(pictures: Path) -> None:
    assert isinstance(pick_screen("auto", display=None, replay=pictures), ReplayScreen)
    assert isinstance(pick_screen("replay", display=None, replay=pictures), ReplayScreen)


def test_says_what_was_looked_for(pictures: Path) -> None:
    with pytest.raises(NoScreenError, match="DISPLAY is not set and no folder"):
        pick_screen("auto", display=None, replay=None)
    with pytest.raises(NoScreenError, match="no X11 display is named"):
        pick_screen("x11", display=None, replay=pictures)


def test_a_named_display_that_does_not_answer_is_not_replaced(pictures: Path) -> None:
    with pytest.raises(NoScreenError, match="no X11 display answers at :98765"):
        pick_screen("auto", display=":98765", replay=pictures)


class TestWithADesktop:
    pytestmark = SCREEN_MARKS

    def test_takes_the_display_of_the_session(
        self, desktop: Desktop, pictures: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DISPLAY", desktop.display)
        for kind in ("auto", "x11"):
            screen = pick_screen(kind, display=None, replay=pictures)
            assert isinstance(screen, X11Screen)
            assert screen.grab()
        assert isinstance(pick_screen("replay", display=None, replay=pictures), ReplayScreen)

    def test_a_named_display_comes_before_that_of_the_session(
        self, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DISPLAY", ":98765")
        assert pick_screen("auto", display=desktop.display, replay=None).grab()
