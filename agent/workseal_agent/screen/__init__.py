"""Pictures of the screen, not masked yet: see `workseal_agent.mask` before using one."""

from workseal_agent.screen.frame import RawFrame, ScreenSource
from workseal_agent.screen.pick import (
    find_screen,
    none_found,
    opened,
    pick_screen,
    screen_candidates,
)

__all__ = [
    "RawFrame",
    "ScreenSource",
    "find_screen",
    "none_found",
    "opened",
    "pick_screen",
    "screen_candidates",
]
