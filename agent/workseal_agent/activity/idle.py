"""Presence by idle time, where nobody may count input: seconds with input, and no counts.

Rule: a second counts when the system says that there was input within it. While the system does not
tell, nothing was observed, and the record says so.
"""

import threading
import time
from typing import Protocol

from workseal_agent.activity.counts import Counts, Tally
from workseal_agent.errors import NoScreenError
from workseal_protocol.commitment import ActivitySource

_LOOK_SECONDS = 1.0


class IdleSource(Protocol):
    """Tell how long there was no input."""

    def idle_ms(self) -> int | None:
        """Return the milliseconds since the last input; None while the system does not tell."""
        ...

    def close(self) -> None:
        """Release what the source holds; safe to repeat."""
        ...


class IdleActivity:
    """Ask an idle source each second, in a thread of its own."""

    def __init__(self, source: IdleSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._tally = Tally()
        self._observed = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="idle", daemon=True)
        self._thread.start()

    def take(self) -> Counts:
        """Return the seconds with input since the last take; none of any source after a loss."""
        with self._lock:
            if self._observed:
                return self._tally.take(ActivitySource.IDLE)
            self._tally = Tally()
            return self._tally.take(ActivitySource.NONE)

    def idle_ms(self) -> int | None:
        """Return what the source tells."""
        return self._source.idle_ms()

    def close(self) -> None:
        """Stop asking, and close the source."""
        self._stop.set()
        self._thread.join()
        self._source.close()

    def look(self, second: int) -> None:
        """Ask once, in a second of the monotonic clock."""
        idle = self._source.idle_ms()
        with self._lock:
            self._observed = idle is not None
            if idle is not None and idle < 1_000 * _LOOK_SECONDS:
                self._tally.moved(second)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            self.look(int(time.monotonic()))


def told(source: IdleSource, patience: float) -> IdleSource:
    """Return a source that told once, or close it and raise `NoScreenError`."""
    deadline = time.monotonic() + patience
    while source.idle_ms() is None:
        if time.monotonic() > deadline:
            source.close()
            raise NoScreenError("it does not tell how long there was no input")
        time.sleep(0.05)
    return source
