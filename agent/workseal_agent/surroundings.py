"""What a program is told about the desktop that it runs on, read once and passed on.

Rule: sources take these facts as an argument and never look at the environment themselves, so that
`doctor` and the recorder judge the same facts.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

_SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold how the screen may be reached; None is what the environment does not tell.

    `named` is a display that the settings name: nothing else is looked for then.
    """

    system: str
    display: str | None = None
    wayland: str | None = None
    sway: str | None = None
    session_bus: str | None = None
    system_bus: str = _SYSTEM_BUS
    session: str | None = None
    named: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str], *, display: str | None = None) -> "Surroundings":
        """Read them from an environment; `display` is what the settings name."""
        return cls(
            system=sys.platform,
            display=display or environment.get("DISPLAY") or None,
            wayland=environment.get("WAYLAND_DISPLAY") or None,
            sway=environment.get("SWAYSOCK") or None,
            session_bus=_session_bus(environment),
            system_bus=environment.get("DBUS_SYSTEM_BUS_ADDRESS") or _SYSTEM_BUS,
            session=environment.get("XDG_SESSION_ID") or None,
            named=display is not None,
        )


def _session_bus(environment: Mapping[str, str]) -> str | None:
    """Return the bus that is named, else the place where systemd puts it."""
    named = environment.get("DBUS_SESSION_BUS_ADDRESS")
    runtime = environment.get("XDG_RUNTIME_DIR")
    if named or not runtime:
        return named or None
    return f"unix:path={runtime}/bus"
