from collections.abc import Iterator

import pytest

from desktop import Desktop
from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent.activity import NullActivity, pick_activity
from workseal_agent.activity.x11 import X11Activity
from workseal_agent.errors import NoScreenError
from workseal_agent.surroundings import Surroundings

pytestmark = SCREEN_MARKS


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with private_desktop(window_manager=False) as started:
        yield started


def test_takes_what_is_named_and_says_when_it_cannot(
    desktop: Desktop,
) -> None:
    nothing, gone = Surroundings("linux"), Surroundings("linux", ":98765")
    here = Surroundings("linux", desktop.display)
    assert isinstance(pick_activity("auto", nothing), NullActivity)
    assert isinstance(pick_activity("none", here), NullActivity)
    assert isinstance(pick_activity("auto", gone), NullActivity)
    with pytest.raises(NoScreenError, match="no X11 display is named"):
        pick_activity("x11", nothing)
    with pytest.raises(NoScreenError, match="input cannot be counted"):
        pick_activity("x11", gone)
    for kind in ("auto", "x11"):
        picked = pick_activity(kind, here)
        assert isinstance(picked, X11Activity)
        picked.close()
