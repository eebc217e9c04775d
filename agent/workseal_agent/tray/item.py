"""The icon itself: org.kde.StatusNotifierItem, and its announcement to the desktop's watcher.

Rules: a desktop's panel may come, go and come again: the icon is announced to each watcher that
appears. Where there is none, it waits, and says so once.
"""

from collections.abc import Callable
from typing import Any

from workseal_agent.language import own
from workseal_agent.tray import menu
from workseal_agent.tray.icon import pixmaps
from workseal_agent.tray.served import Served, Value
from workseal_agent.tray.state import TrayState

PATH = "/StatusNotifierItem"
INTERFACE = "org.kde.StatusNotifierItem"
WATCHER = "org.kde.StatusNotifierWatcher"
WATCHER_PATH = "/StatusNotifierWatcher"
_PROGRAM = "Workseal"
# What is told when the state has changed; panels ask for the rest again.
CHANGED = ("NewIcon", "NewAttentionIcon", "NewToolTip", "NewTitle")


class TrayItem:
    """Answer what the icon shows; a click on it opens the pages."""

    def __init__(self, state: Callable[[], TrayState], open_pages: Callable[[], None]) -> None:
        self._state = state
        self._open_pages = open_pages

    def served(self) -> Served:
        """Return the object that panels ask."""
        return Served(
            PATH,
            INTERFACE,
            self._properties,
            {
                "Activate": ("ii", self._activated),
                "SecondaryActivate": ("ii", _nothing),
                "ContextMenu": ("ii", _nothing),
                "Scroll": ("is", _nothing),
            },
            (*CHANGED, "NewStatus"),
        )

    def status(self) -> str:
        """Return whether the icon asks for attention."""
        return "NeedsAttention" if self._state().troubled else "Active"

    def _activated(self, _x: int, _y: int) -> tuple[str, tuple[Any, ...]]:
        self._open_pages()
        return "", ()

    def _properties(self) -> dict[str, Value]:
        state = self._state()
        told = own(state.told)
        drawn = list(pixmaps(state.sign))
        return {
            "Category": ("s", "ApplicationStatus"),
            "Id": ("s", "workseal-agent"),
            "Title": ("s", f"{_PROGRAM}: {told}"),
            "Status": ("s", self.status()),
            "WindowId": ("i", 0),
            "IconName": ("s", ""),
            "IconPixmap": ("a(iiay)", drawn),
            "OverlayIconName": ("s", ""),
            "OverlayIconPixmap": ("a(iiay)", []),
            "AttentionIconName": ("s", ""),
            "AttentionIconPixmap": ("a(iiay)", drawn),
            "AttentionMovieName": ("s", ""),
            "ToolTip": ("(sa(iiay)ss)", ("", [], _PROGRAM, told)),
            "ItemIsMenu": ("b", False),
            "Menu": ("o", menu.PATH),
        }


def _nothing(*_: object) -> tuple[str, tuple[Any, ...]]:
    return "", ()
