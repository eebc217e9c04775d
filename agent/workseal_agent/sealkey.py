"""One key that seals, and opens again, wherever its owner is on an X11 desktop.

Rules: of all keys the server tells this connection one, the one that was named; what else is
pressed never comes here. A key that another program holds is not taken from it, and said. On
Wayland no program may hold a key: its desktop can run `workseal-agent seal` for one.
"""

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, combinations

from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import BadAccess, CatchError
from Xlib.protocol.rq import Event

from workseal_agent.keychord import KeyChord
from workseal_agent.language import phrase
from workseal_agent.xserver import SERVER_ERRORS, close_display, is_waylands, open_display

_MASKS = {"ctrl": X.ControlMask, "alt": X.Mod1Mask, "shift": X.ShiftMask, "super": X.Mod4Mask}
# A key is the same key with Caps Lock or Num Lock on.
_LOCKS = (X.LockMask, X.Mod2Mask)
_ANY_LOCKS = [sum(some) for some in chain.from_iterable(combinations(_LOCKS, n) for n in range(3))]
# A key that stays down is told as released and pressed at one instant, again and again.
_REPEAT_MS = 2
_AGAIN_SECONDS = 10.0
_STOP_SECONDS = 5.0


class SealKey:
    """Hold the key on a thread of its own, and call `pressed` each time it goes down."""

    def __init__(self, display: str | None, chord: KeyChord, pressed: Callable[[], None]) -> None:
        self._display = display
        self._chord = chord
        self._pressed = pressed
        self._wake, self._waker = os.pipe()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealkey", daemon=True)
        self._problem: str | None = phrase("it is not held yet")
        self._released_at = -_REPEAT_MS

    @property
    def trouble(self) -> str | None:
        """Say why the key does nothing, in one sentence; None while it is held."""
        problem = self._problem
        return (
            None
            if problem is None
            else phrase(
                "the key {chord} does not seal: {problem}", chord=self._chord, problem=problem
            )
        )

    def start(self) -> None:
        """Begin to hold the key; a server that does not answer is asked again."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of the key."""
        self._stopped.set()
        os.write(self._waker, b"x")
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                connection = open_display(self._display)
            except SERVER_ERRORS:
                self._problem = phrase("no X11 display answers")
            else:
                try:
                    self._hold(connection)
                except SERVER_ERRORS:
                    self._problem = phrase("the display is gone")
                except Exception as error:  # noqa: BLE001 - a key that is dead must say so
                    self._problem = phrase("it failed ({kind})", kind=type(error).__name__)
                close_display(connection)
                self._problem = self._problem or phrase("the display is gone")
            self._stopped.wait(_AGAIN_SECONDS)

    def _hold(self, connection: Display) -> None:
        if is_waylands(connection):
            self._problem = phrase(
                "on Wayland, have your desktop run `workseal-agent seal` for a key"
            )
            self._stopped.wait()
            return
        self._problem = self._grab(connection)
        if self._problem is not None:
            return
        while not self._stopped.is_set():
            while connection.pending_events():
                self._see(connection, connection.next_event())
            if self.trouble is not None:
                return
            select.select([connection.fileno(), self._wake], [], [])

    def _grab(self, connection: Display) -> str | None:
        """Ask for the key; returns why it cannot be had."""
        code = connection.keysym_to_keycode(XK.string_to_keysym(_symbol(self._chord.key)))
        if not code:
            return phrase("this keyboard has no such key")
        mask = sum(_MASKS[one] for one in self._chord.modifiers)
        refused = CatchError(BadAccess)
        root = connection.screen().root
        for locks in _ANY_LOCKS:
            root.grab_key(
                code,
                mask | locks,
                owner_events=False,
                pointer_mode=X.GrabModeAsync,
                keyboard_mode=X.GrabModeAsync,
                onerror=refused,
            )
        connection.sync()
        return phrase("another program has it") if refused.get_error() else None

    def _see(self, connection: Display, event: Event) -> None:
        if event.type == X.MappingNotify:
            connection.refresh_keyboard_mapping(event)
            connection.screen().root.ungrab_key(X.AnyKey, X.AnyModifier)
            self._problem = self._grab(connection)
        elif event.type == X.KeyRelease:
            self._released_at = event.time
        elif event.type == X.KeyPress and event.time - self._released_at > _REPEAT_MS:
            with suppress(Exception):  # whoever records keeps its own troubles
                self._pressed()


def _symbol(key: str) -> str:
    """Name a key as X11 does."""
    return key if len(key) == 1 else key.title() if "_" in key else key.capitalize()
