"""Showing the icon for as long as it is wanted: asking how things stand, and doing what is chosen.

Rules: the recording process is asked every two seconds, in a thread, and is never waited for by the
panel; on the bus speaks the thread of the connection alone. What is chosen is asked for as the
command of that name would. The icon ends by its menu, by a signal, or with the session's bus;
nothing else ends it.
"""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from workseal_agent import bus as dbus
from workseal_agent.daemon.control import ControlError, NotRunningError, ask
from workseal_agent.language import phrase
from workseal_agent.tray import item as icon
from workseal_agent.tray import menu as entries
from workseal_agent.tray.item import TrayItem
from workseal_agent.tray.menu import Entry, TrayMenu
from workseal_agent.tray.state import NOTHING, UNKNOWN, TrayState, state_of

ASK_SECONDS = 2.0
_OWNER_CHANGED = (
    f"type='signal',sender='{dbus.BUS_NAME}',member='NameOwnerChanged',arg0='{icon.WATCHER}'"
)
_COMMANDS = {
    Entry.PAUSE: "pause",
    Entry.RESUME: "resume",
    Entry.SEALED: "seal",
    Entry.STOP: "stop",
}


class Tray:
    """Be the icon of one home on one session's bus."""

    def __init__(self, control: Path, open_pages: Callable[[], None]) -> None:
        self._control = control
        self._state = NOTHING
        self._engagement: str | None = None
        self._open_pages = open_pages
        self._item = TrayItem(lambda: self._state, open_pages)
        self._menu = TrayMenu(lambda: self._state, self._choose)
        self._served = {one.path: one for one in (self._item.served(), self._menu.served())}
        self._asked = NOTHING
        self._woken = threading.Event()
        self._appeared = False
        self._closed = False
        self._wake: Callable[[], None] = lambda: None

    def run(self, address: str | None, *, say: Callable[[str], None]) -> None:
        """Show the icon until it is closed, or raise `BusError` when the session has no bus."""
        with dbus.connected(address) as bus:
            self._wake = bus.wake
            bus.hear(self._answer)
            name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
            bus.call(
                dbus.BUS_NAME, dbus.BUS_PATH, f"{dbus.BUS_NAME}.RequestName", name, 0,
                signature="su",
            )  # fmt: skip
            bus.listen(_OWNER_CHANGED)
            if not _announced(bus):
                say(phrase("no panel shows icons here yet: it waits for one"))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, self._close)
            threading.Thread(target=self._ask, name="asking", daemon=True).start()
            while not self._closed:
                bus.wait(lambda: self._closed or self._appeared or self._asked != self._state)
                self._catch_up(bus)

    def _catch_up(self, bus: dbus.Connection) -> None:
        """Tell the panel what has changed, and a new panel of the icon."""
        if self._asked != self._state:
            self._state = self._asked
            self._tell(bus)
        if self._appeared:
            self._appeared = False
            _announced(bus)

    def _close(self, *_: object) -> None:
        self._closed = True
        self._wake()

    def _answer(self, message: dbus.Message) -> dbus.Message | None:
        if message.kind is dbus.Kind.SIGNAL and message.member == "NameOwnerChanged":
            # Whoever sends one by that name costs an announcement and no more.
            self._appeared = True
        elif message.kind is dbus.Kind.CALL and message.path in self._served:
            return self._served[message.path].answer(message)
        return None

    def _ask(self) -> None:
        """Ask how things stand, again and again."""
        while not self._closed:
            self._asked = self._told()
            self._wake()
            self._woken.wait(ASK_SECONDS)
            self._woken.clear()

    def _told(self) -> TrayState:
        try:
            answer = ask(self._control, {"command": "status"})
        except NotRunningError:
            return NOTHING
        except ControlError:
            return UNKNOWN
        self._engagement = str(answer.get("engagement"))
        return state_of(answer)

    def _tell(self, bus: dbus.Connection) -> None:
        told = [(name, "", ()) for name in icon.CHANGED]
        for name, signature, body in (*told, ("NewStatus", "s", (self._item.status(),))):
            bus.send(_signal(icon.PATH, icon.INTERFACE, name, signature, body))
        layout = self._menu.changed()
        bus.send(_signal(entries.PATH, entries.INTERFACE, "LayoutUpdated", *layout))

    def _choose(self, entry: Entry) -> None:
        if entry is Entry.CLOSE:
            # Whoever chose it has the answer first: this is looked at after it was sent.
            self._closed = True
        elif entry is Entry.PAGES:
            self._open_pages()
        else:
            threading.Thread(
                target=self._do, args=(_COMMANDS[entry],), name="doing", daemon=True
            ).start()

    def _do(self, command: str) -> None:
        """Ask the recording process for it; what it refuses shows as the state that it is in."""
        request = {"command": command, "engagement": self._engagement}
        with suppress(ControlError, NotRunningError):
            ask(self._control, request)
        self._woken.set()


def _announced(bus: dbus.Connection) -> bool:
    """Tell the watcher of the icon; False where there is no watcher."""
    try:
        bus.call(
            icon.WATCHER, icon.WATCHER_PATH,
            f"{icon.WATCHER}.RegisterStatusNotifierItem", bus.unique_name, signature="s",
        )  # fmt: skip
    except dbus.BusError:
        return False
    return True


def _signal(
    path: str, interface: str, name: str, signature: str, body: tuple[Any, ...]
) -> dbus.Message:
    return dbus.Message(dbus.Kind.SIGNAL, path, interface, name, signature=signature, body=body)
