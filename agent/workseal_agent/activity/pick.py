"""Which sensor counts input: what the settings name, or what the session has."""

import os
from contextlib import suppress
from typing import Literal

from workseal_agent.activity.counts import ActivitySensor, NullActivity
from workseal_agent.activity.x11 import X11Activity
from workseal_agent.errors import NoScreenError


def pick_activity(kind: Literal["auto", "x11", "none"], *, display: str | None) -> ActivitySensor:
    """Open a sensor.

    "auto" falls back to one that observes nothing and says so in every record; "x11" raises
    `NoScreenError` instead.
    """
    named = display or os.environ.get("DISPLAY")
    if kind == "x11":
        if not named:
            raise NoScreenError("no X11 display is named, neither in the settings nor by DISPLAY")
        return X11Activity(named)
    if kind == "auto" and named:
        with suppress(NoScreenError):
            return X11Activity(named)
    return NullActivity()
