"""Pictures of the screen, not masked yet: see `workseal_agent.mask` before using one."""

from workseal_agent.screen.frame import RawFrame, ScreenSource
from workseal_agent.screen.pick import pick_screen
from workseal_agent.screen.replay import ReplayScreen
from workseal_agent.screen.x11 import X11Screen

__all__ = ["RawFrame", "ReplayScreen", "ScreenSource", "X11Screen", "pick_screen"]
