"""What the server's own log has of errors that come again with each try, or with each request."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

# So long an error of requests is told once.
SELDOM_S: Final = 60.0
# Of more kinds none is known; the one that was told longest ago would be forgotten.
_MOST_KINDS: Final = 64

_logger = logging.getLogger(__name__)


class Outage:
    """Errors in a row: the server's log has the first of each kind, and `over` when they end.

    Each try would be told else, and the lines would fill a disk that is full already.
    """

    def __init__(self, over: str) -> None:
        self._over = over
        self._told: set[type[Exception]] = set()

    def goes_on(self, error: Exception, text: str) -> None:
        """Note an error."""
        if type(error) not in self._told:
            self._told.add(type(error))
            _logger.error("%s", text)

    def ends(self) -> None:
        """Note that it went well."""
        if self._told:
            self._told.clear()
            _logger.warning("%s", self._over)


class Seldom:
    """Errors of requests, of which anybody sends many: of each kind a line a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        # When a kind was told last, and how often it came since.
        self._told: dict[str, tuple[float, int]] = {}

    def tell(self, text: str) -> None:
        """Note an error."""
        with self._lock:
            now = self._now()
            last, more = self._told.get(text, (now - SELDOM_S, 0))
            if now - last < SELDOM_S:
                self._told[text] = last, more + 1
                return
            self._told.pop(text, None)
            self._told[text] = now, 0
            if len(self._told) > _MOST_KINDS:
                del self._told[next(iter(self._told))]
        _logger.error("%s%s", text, f" ({more} times more since it was told)" if more else "")
