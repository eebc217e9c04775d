"""Counts of input on Windows and macOS, by pynput (extra `input`).

Rules: pynput hands the identity of a key to whoever listens. Here it ends at the callback: what is
called takes its arguments together and looks at none but whether a click went down. Keys count when
they are let go, because a held one is pressed again and again. It tells no device, so nothing is
said of who made the input. This source was never run on those systems: its tests have a stand-in
for the library (docs/agent.md).
"""

import threading
import time
from typing import Any

from workseal_agent.activity.counts import Counts, Press, Tally
from workseal_agent.errors import NoScreenError
from workseal_agent.surroundings import Surroundings
from workseal_protocol.commitment import ActivitySource

_PRESSED = 3  # where a click tells whether it went down: after its place and which one it is


class ListenerActivity:
    """Count until closed; `NoScreenError` on another system, or without the extra."""

    def __init__(self, around: Surroundings) -> None:
        if around.system not in {"win32", "darwin"}:
            raise NoScreenError("pynput is used on Windows and macOS alone")
        try:
            from pynput import keyboard, mouse  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise NoScreenError(
                "input is counted by pynput: pip install 'workseal[input]'"
            ) from error
        self._lock = threading.Lock()
        self._tally = Tally()
        self._last = time.monotonic()
        self._listeners: tuple[Any, ...] = (
            keyboard.Listener(on_release=self._let_go),
            mouse.Listener(on_move=self._moved, on_click=self._clicked, on_scroll=self._scrolled),
        )
        for listener in self._listeners:
            listener.start()

    def take(self) -> Counts:
        """Return the counts since the last take; zeros of no source once a listener has ended."""
        with self._lock:
            if all(listener.running for listener in self._listeners):
                return self._tally.take(ActivitySource.LISTENER)
            self._tally = Tally()
            return self._tally.take(ActivitySource.NONE)

    def idle_ms(self) -> int | None:
        """Return the time since the last input that was heard."""
        return int(1_000 * (time.monotonic() - self._last))

    def close(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            listener.stop()

    def _let_go(self, *_: object) -> None:
        self._press(Press.KEY)

    def _clicked(self, *told: object) -> None:
        if told[_PRESSED]:
            self._press(Press.POINTER)

    def _scrolled(self, *_: object) -> None:
        self._press(Press.POINTER)

    def _moved(self, *_: object) -> None:
        with self._lock:
            self._tally.moved(self._now())

    def _press(self, press: Press) -> None:
        with self._lock:
            self._tally.press(press, synthetic=False, second=self._now())

    def _now(self) -> int:
        self._last = time.monotonic()
        return int(self._last)
