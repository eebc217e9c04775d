"""Idle time of a GNOME session, by its window manager's IdleMonitor over D-Bus.

Rule: one connection is kept and asked once a second, in a thread of its own; an answer that is
older than some seconds is none.
"""

import threading
import time
from contextlib import suppress

from workseal_agent import bus

_NAME = "org.gnome.Mutter.IdleMonitor"
_PATH = "/org/gnome/Mutter/IdleMonitor/Core"
_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 5.0
_STALE_SECONDS = 3.0


class MutterIdle:
    """Ask the window manager of one session bus until closed."""

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._told: tuple[int, float] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mutter", daemon=True)
        self._thread.start()

    def idle_ms(self) -> int | None:
        """Return the time since the last input; None while nothing fresh is known."""
        told = self._told
        if told is None:
            return None
        idle, at = told
        age = time.monotonic() - at
        return int(idle + 1_000 * age) if age < _STALE_SECONDS else None

    def close(self) -> None:
        """Stop asking."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(bus.BusError):
                self._follow()
            self._told = None
            self._stop.wait(_AGAIN_SECONDS)

    def _follow(self) -> None:
        with bus.connected(self._address) as connection:
            while not self._stop.is_set():
                self._told = _idle_time(connection), time.monotonic()
                self._stop.wait(_LOOK_SECONDS)


def ask(address: str) -> int:
    """Ask once, or raise `BusError`: whether there is anybody to follow."""
    with bus.connected(address) as connection:
        return _idle_time(connection)


def _idle_time(connection: bus.Connection) -> int:
    answer = connection.call(_NAME, _PATH, f"{_NAME}.GetIdletime")
    match answer.body:
        case [int(idle)]:
            return idle
    raise bus.BusError("the window manager's answer is no time")
