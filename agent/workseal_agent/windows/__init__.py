"""Which windows are on the screen, whose they are and where: input of the privacy mask alone."""

from workseal_agent.windows.info import WindowInfo
from workseal_agent.windows.sway import sway_windows
from workseal_agent.windows.x11 import visible_windows

__all__ = ["WindowInfo", "sway_windows", "visible_windows"]
