"""Work that a server does again and again beside its requests, each kind in a thread of its own.

Rule: a loop ends with the server and with nothing else.
"""

import threading
from collections.abc import Callable
from typing import Final

from workseal_verifier.services.health import Health
from workseal_verifier.services.outage import Outage

# How soon work that failed is tried again.
RETRY_S: Final = 2.0
# For work that waits for somebody else's server.
_END_S: Final = 30.0


class Loops:
    """Start loops, and end them all."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._outages: dict[str, Outage] = {}

    @property
    def are_ending(self) -> bool:
        """Tell whether `end` was called."""
        return self._stop.is_set()

    def start(self, name: str, work: Callable[[], float], wait_s: float) -> None:
        """Do some work again and again, each time after as many seconds as it said before."""

        def loop() -> None:
            wait = wait_s
            while not self._stop.wait(wait):
                wait = self.attempt(name, work)

        thread = threading.Thread(target=loop, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def attempt(self, name: str, work: Callable[[], float]) -> float:
        """Do it once; whatever fails is told by its kind alone, once, and tried again soon."""
        outage = self._outages.setdefault(name, Outage(f"{name} goes on"))
        try:
            wait = work()
        except Exception as error:  # noqa: BLE001 - a loop that ends is a beacon that ends
            outage.goes_on(error, f"{name} waits: {type(error).__name__}")
            self._health.failed(name)
            return RETRY_S
        outage.ends()
        return wait

    def end(self) -> None:
        """Begin no more work."""
        self._stop.set()

    def join(self) -> None:
        """Wait for the work that runs, so long as an answer from outside may take."""
        for thread in reversed(self._threads):
            thread.join(_END_S)
