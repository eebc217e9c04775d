"""Which screen is recorded: what the settings name, or what the session has."""

import os
from pathlib import Path
from typing import Literal

from workseal_agent.errors import NoScreenError
from workseal_agent.screen.frame import ScreenSource
from workseal_agent.screen.replay import ReplayScreen
from workseal_agent.screen.x11 import X11Screen


def pick_screen(
    kind: Literal["auto", "x11", "replay"], *, display: str | None, replay: Path | None
) -> ScreenSource:
    """Open a screen, or raise `NoScreenError` saying what was looked for.

    "auto" takes the X11 display if one is named here or by DISPLAY, else the recorded pictures. A
    display that is named and does not answer is an error, never a reason to record something else.
    """
    named = display or os.environ.get("DISPLAY")
    if kind == "x11" or (kind == "auto" and named):
        if not named:
            raise NoScreenError("no X11 display is named, neither in the settings nor by DISPLAY")
        return X11Screen(named)
    if replay is not None:
        return ReplayScreen(replay)
    raise NoScreenError(
        "no screen was found: DISPLAY is not set and no folder of recorded pictures is named"
    )
