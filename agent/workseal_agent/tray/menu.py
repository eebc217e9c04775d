"""The menu of the tray icon: com.canonical.dbusmenu, as panels read it.

Rules: an entry acts when it is chosen, never when it is looked at. Which entries there are does not
depend on the state, only which can be chosen, so that nothing moves under the pointer.
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from workseal_agent.language import own, phrase
from workseal_agent.tray.served import Served, Value
from workseal_agent.tray.state import TrayState

PATH = "/MenuBar"
INTERFACE = "com.canonical.dbusmenu"
_VERSION = 3
_ROOT = 0


class Entry(IntEnum):
    """Number the entries, in their order."""

    STATE = 1
    AFTER_STATE = 2
    PAUSE = 3
    RESUME = 4
    SEALED = 5
    PAGES = 6
    BEFORE_STOP = 7
    STOP = 8
    CLOSE = 9


_SEPARATORS = frozenset({Entry.AFTER_STATE, Entry.BEFORE_STOP})
_LABELS = {
    Entry.PAUSE: phrase("Pause"),
    Entry.RESUME: phrase("Resume"),
    Entry.SEALED: phrase("Sealed: no pictures, no counts"),
    Entry.PAGES: phrase("Open my pages"),
    Entry.STOP: phrase("Stop recording"),
    Entry.CLOSE: phrase("Close this icon"),
}


class TrayMenu:
    """Answer what is in the menu, and act on what is chosen."""

    def __init__(self, state: Callable[[], TrayState], choose: Callable[[Entry], None]) -> None:
        self._state = state
        self._choose = choose
        self._revision = 1

    def changed(self) -> tuple[str, tuple[Any, ...]]:
        """Count a change of the state; returns what the signal LayoutUpdated says."""
        self._revision += 1
        return "ui", (self._revision, _ROOT)

    def served(self) -> Served:
        """Return the object that panels ask."""
        return Served(
            PATH,
            INTERFACE,
            self._properties,
            {
                "GetLayout": ("iias", self._layout),
                "GetGroupProperties": ("aias", self._group),
                "GetProperty": ("is", self._property),
                "Event": ("isvu", self._event),
                "EventGroup": ("a(isvu)", self._events),
                "AboutToShow": ("i", lambda _number: ("b", (False,))),
                "AboutToShowGroup": ("ai", lambda _numbers: ("aiai", ([], []))),
            },
            ("LayoutUpdated", "ItemsPropertiesUpdated"),
        )

    @staticmethod
    def _properties() -> dict[str, Value]:
        return {
            "Version": ("u", _VERSION),
            "TextDirection": ("s", "ltr"),
            "Status": ("s", "normal"),
            "IconThemePath": ("as", []),
        }

    def _layout(self, parent: int, depth: int, _names: list[str]) -> tuple[str, tuple[Any, ...]]:
        if parent in _NUMBERS:
            return "u(ia{sv}av)", (self._revision, (parent, self._told(parent), []))
        below = [] if depth == 0 else [self._node(entry) for entry in Entry]
        return "u(ia{sv}av)", (self._revision, (_ROOT, self._told(_ROOT), below))

    def _node(self, entry: Entry) -> Value:
        return "(ia{sv}av)", (int(entry), self._told(entry), [])

    def _group(self, numbers: list[int], _names: list[str]) -> tuple[str, tuple[Any, ...]]:
        wanted: Iterable[int] = numbers or (_ROOT, *Entry)
        known = [one for one in dict.fromkeys(wanted) if one == _ROOT or one in _NUMBERS]
        return "a(ia{sv})", ([(int(one), self._told(one)) for one in known],)

    def _property(self, number: int, name: str) -> tuple[str, tuple[Any, ...]]:
        return "v", (self._told(number).get(name, ("s", "")),)

    def _event(self, number: int, kind: str, *_: object) -> tuple[str, tuple[Any, ...]]:
        if kind == "clicked" and number in _NUMBERS and self._can(Entry(number)):
            self._choose(Entry(number))
        return "", ()

    def _events(self, events: list[tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
        for number, kind, *_ in events:
            self._event(number, kind)
        return "ai", ([one[0] for one in events if one[0] not in _NUMBERS],)

    def _can(self, entry: Entry) -> bool:
        state = self._state()
        match entry:
            case Entry.PAUSE:
                return state.recording and not state.paused
            case Entry.RESUME:
                return state.recording and state.paused
            case Entry.SEALED:
                return state.recording and not state.paused
            case Entry.STOP:
                return state.recording
            case Entry.PAGES | Entry.CLOSE:
                return True
        return False

    def _told(self, number: int) -> dict[str, Value]:
        """Return the properties of an entry; what stands as it is by itself is left out."""
        if number == _ROOT:
            return {"children-display": ("s", "submenu")}
        if number not in _NUMBERS:
            return {}
        entry = Entry(number)
        if entry in _SEPARATORS:
            return {"type": ("s", "separator")}
        label = own(self._state().told if entry is Entry.STATE else _LABELS[entry])
        # An underscore would be read as the key of an entry.
        told: dict[str, Value] = {"label": ("s", label.replace("_", "__"))}
        enabled = self._can(entry)
        if not enabled:
            told["enabled"] = "b", enabled
        if entry is Entry.SEALED:
            told["toggle-type"] = "s", "checkmark"
            told["toggle-state"] = "i", int(self._state().sealed)
        return told


_NUMBERS = frozenset(int(entry) for entry in Entry)
