"""How the system asks the recording process to end, by a signal.

Rule: a handler waits for no lock. Python runs it between two steps of the main thread, which may
hold the very lock that the handler would wait for, for ever. So it only puts a token in a queue
whose `put` is made for that, and a thread of its own acts.
"""

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue

_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def on_end_signals(act: Callable[[], None]) -> None:
    """Have `act` called, on another thread, each time the process is asked to end."""
    asked: SimpleQueue[int] = SimpleQueue()

    def wait() -> None:
        while True:
            asked.get()
            act()

    for number in _NUMBERS:
        signal.signal(number, lambda which, _frame: asked.put(which))
    threading.Thread(target=wait, name="ending", daemon=True).start()
