"""Pictures of the screen, not masked yet: see `workseal_agent.mask` before using one."""

from workseal_agent.screen.frame import RawFrame, ScreenSource
from workseal_agent.screen.pick import (
    find_screen,
    none_found,
    opened,
    pick_screen,
    screen_candidates,
)
from workseal_agent.screen.replay import ReplayScreen
from workseal_agent.screen.x11 import X11Screen

__all__ = [
    "RawFrame",
    "ReplayScreen",
    "ScreenSource",
    "X11Screen",
    "find_screen",
    "none_found",
    "opened",
    "pick_screen",
    "screen_candidates",
]
