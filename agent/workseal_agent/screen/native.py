"""Pictures of a Windows or macOS screen, by mss.

Rules: as for X11, each grab opens its own connection and copies at once. Which windows are shown is
not read here yet, so nothing can be masked. This source was never run on those systems: its tests
have a stand-in for the library (docs/agent.md).
"""

from contextlib import suppress

import mss

from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.language import phrase
from workseal_agent.screen.frame import RawFrame
from workseal_agent.screen.shots import monitors_of, take
from workseal_agent.surroundings import Surroundings
from workseal_agent.windows import WindowInfo

_SYSTEMS = {"win32": "Windows", "darwin": "macOS"}


class NativeScreen:
    """Grab every monitor; `NoScreenError` on another system, or when there is none."""

    lists_windows = False
    virtual = False

    def __init__(self, around: Surroundings) -> None:
        system = _SYSTEMS.get(around.system)
        if system is None:
            raise NoScreenError("this system is neither Windows nor macOS")
        self.name = phrase("{system} screen", system=system)
        try:
            self.grab()
        except CaptureError as failure:
            raise NoScreenError(
                phrase("{screen} gives no picture: {error}", screen=self.name, error=failure)
            ) from failure

    def grab(self) -> tuple[RawFrame, ...]:
        """Return one frame for each monitor."""
        try:
            camera = mss.MSS()
        except Exception as failure:
            raise CaptureError(CaptureFailure.NO_DISPLAY, "the screen does not answer") from failure
        try:
            return tuple(
                take(camera, number, monitor) for number, monitor in enumerate(monitors_of(camera))
            )
        except Exception as failure:
            # Without the right to record the screen, macOS refuses; the library raises its own.
            raise CaptureError(CaptureFailure.REFUSED, "the system gave no picture") from failure
        finally:
            with suppress(Exception):
                camera.close()

    def windows(self) -> tuple[WindowInfo, ...]:
        """Raise `CaptureError`: nobody asks this system for its windows yet."""
        raise CaptureError(CaptureFailure.REFUSED, "the windows of this system are not listed")

    def close(self) -> None:
        """Release nothing: no connection is kept."""
