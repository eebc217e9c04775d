"""Showing the icon for as long as it is wanted: asking how things stand, and doing what is chosen.

Rules: the recording process is asked every two seconds, in a thread, and is never waited for by the
panel. What is chosen is asked for as the command of that name would. The icon ends by its
menu, by a signal, or with the session's bus; nothing else ends it.
"""

import asyncio
import os
import signal
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
_ANSWERED_SECONDS = 0.2
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
        self._woken = asyncio.Event()
        self._appeared = False
        self._closed = asyncio.Event()
        self._waiting: set[asyncio.Task[None]] = set()

    async def run(self, address: str | None, *, say: Callable[[str], None]) -> None:
        """Show the icon until it is closed, or raise `BusError` when the session has no bus."""
        async with dbus.connected(address) as bus:
            bus.add_message_handler(self._answer)
            name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
            await dbus.call(
                bus, dbus.BUS_NAME, dbus.BUS_PATH, f"{dbus.BUS_NAME}.RequestName", name, 0,
                signature="su",
            )  # fmt: skip
            await dbus.listen(bus, _OWNER_CHANGED)
            if not await self._announced(bus):
                say(phrase("no panel shows icons here yet: it waits for one"))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.add_signal_handler(number, self._closed.set)
            gone = asyncio.create_task(bus.wait_for_disconnect())
            watching = asyncio.create_task(self._watch(bus))
            closing = asyncio.create_task(self._closed.wait())
            await asyncio.wait({gone, watching, closing}, return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            closing.cancel()
            if gone.done():
                raise dbus.BusError("D-Bus went away")

    async def _announced(self, bus: Any) -> bool:
        """Tell the watcher of the icon; False where there is no watcher."""
        try:
            await dbus.call(
                bus, icon.WATCHER, icon.WATCHER_PATH,
                f"{icon.WATCHER}.RegisterStatusNotifierItem", bus.unique_name, signature="s",
            )  # fmt: skip
        except dbus.BusError:
            return False
        return True

    def _answer(self, message: Any) -> Any:
        from dbus_fast import MessageType  # noqa: PLC0415 - see `bus`

        if message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged":
            # Whoever sends one by that name costs an announcement and no more.
            self._appeared = True
            self._woken.set()
        elif message.message_type is MessageType.METHOD_CALL and message.path in self._served:
            return self._served[message.path].answer(message)
        return None

    async def _watch(self, bus: Any) -> None:
        """Ask how things stand, again and again, and tell the panel what has changed."""
        while True:
            state = await asyncio.to_thread(self._asked)
            if state != self._state:
                self._state = state
                await self._tell(bus)
            if self._appeared:
                self._appeared = False
                await self._announced(bus)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), ASK_SECONDS)
            self._woken.clear()

    def _asked(self) -> TrayState:
        try:
            answer = ask(self._control, {"command": "status"})
        except NotRunningError:
            return NOTHING
        except ControlError:
            return UNKNOWN
        self._engagement = str(answer.get("engagement"))
        return state_of(answer)

    async def _tell(self, bus: Any) -> None:
        from dbus_fast import Message  # noqa: PLC0415 - see `bus`

        for name in icon.CHANGED:
            await bus.send(Message.new_signal(icon.PATH, icon.INTERFACE, name))
        status = Message.new_signal(
            icon.PATH, icon.INTERFACE, "NewStatus", "s", [self._item.status()]
        )
        await bus.send(status)
        layout = self._menu.changed()
        changed = Message.new_signal(entries.PATH, entries.INTERFACE, "LayoutUpdated", *layout)
        await bus.send(changed)

    def _choose(self, entry: Entry) -> None:
        if entry is Entry.CLOSE:
            # Whoever chose it is to have the answer first.
            asyncio.get_running_loop().call_later(_ANSWERED_SECONDS, self._closed.set)
        elif entry is Entry.PAGES:
            self._open_pages()
        else:
            task = asyncio.get_running_loop().create_task(self._do(_COMMANDS[entry]))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def _do(self, command: str) -> None:
        """Ask the recording process for it; what it refuses shows as the state that it is in."""
        request = {"command": command, "engagement": self._engagement}
        with suppress(ControlError, NotRunningError):
            await asyncio.to_thread(ask, self._control, request)
        self._woken.set()
