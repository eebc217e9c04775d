from collections.abc import Iterator

import pytest

from desktop import Desktop
from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent.activity import NullActivity, X11Activity, pick_activity
from workseal_agent.errors import NoScreenError

pytestmark = SCREEN_MARKS


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with private_desktop(window_manager=False) as started:
        yield started


def test_takes_what_is_named_and_says_when_it_cannot(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert isinstance(pick_activity("auto", display=None), NullActivity)
    assert isinstance(pick_activity("none", display=desktop.display), NullActivity)
    assert isinstance(pick_activity("auto", display=":98765"), NullActivity)
    with pytest.raises(NoScreenError, match="no X11 display is named"):
        pick_activity("x11", display=None)
    with pytest.raises(NoScreenError, match="input cannot be counted"):
        pick_activity("x11", display=":98765")
    monkeypatch.setenv("DISPLAY", desktop.display)
    for kind in ("auto", "x11"):
        picked = pick_activity(kind, display=None)
        assert isinstance(picked, X11Activity)
        picked.close()
