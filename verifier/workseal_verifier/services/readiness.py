"""Whether this server should be sent requests: its log is open, writable, timely, and it stays."""

import threading

from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.health import Health
from workseal_verifier.services.publication import Publisher
from workseal_verifier.services.space import Space


class Readiness:
    """Ask every part that can stand in the way."""

    def __init__(self, publisher: Publisher, health: Health, space: Space) -> None:
        self._publisher = publisher
        self._health = health
        self._space = space
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Say from now on that the server goes away."""
        self._stopping.set()

    def require(self) -> None:
        """Refuse with what stands in the way: `BUSY`, `CLOCK` or `FULL`."""
        if self._stopping.is_set():
            raise RefusedError(Reason.BUSY, "the server is stopping")
        if self._publisher.current is None:
            raise RefusedError(Reason.BUSY, "the log is not open yet", retry_after=1)
        self._publisher.check_clock()
        if self._space.look():
            raise RefusedError(Reason.FULL, "the server is low on space", retry_after=60)
        if self._health.down():
            raise RefusedError(Reason.BUSY, f"failing: {', '.join(self._health.failing())}")
