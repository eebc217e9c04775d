"""Which windows are on the screen, whose they are and where: input of the privacy mask alone."""

from workseal_agent.windows.info import WindowInfo

__all__ = ["WindowInfo"]
