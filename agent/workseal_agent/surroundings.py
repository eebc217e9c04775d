"""What a program is told about the desktop that it runs on, read once and passed on.

Rule: sources take these facts as an argument and never look at the environment themselves, so that
`doctor` and the recorder judge the same facts.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold how the screen may be reached; None is what the environment does not tell.

    `named` is a display that the settings name: nothing else is looked for then.
    """

    system: str
    display: str | None = None
    wayland: str | None = None
    sway: str | None = None
    named: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str], *, display: str | None = None) -> "Surroundings":
        """Read them from an environment; `display` is what the settings name."""
        return cls(
            system=sys.platform,
            display=display or environment.get("DISPLAY") or None,
            wayland=environment.get("WAYLAND_DISPLAY") or None,
            sway=environment.get("SWAYSOCK") or None,
            named=display is not None,
        )
