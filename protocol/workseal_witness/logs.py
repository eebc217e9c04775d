"""What a witness that runs by itself says of its own work: one line a message, in UTC.

Rules: no traces, and of a library's message its first line alone, for the rest quotes what came.
The same is told once a minute: whoever repeats a request must not fill the disk.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

REPEATED_S = 60.0
# Different messages that are remembered; there are few.
_REMEMBERED = 64


class Line(logging.Formatter):
    """Write a record as one line without its trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the time, who says it, and the first line of what."""
        told = record.getMessage().partition("\n")[0]
        at = datetime.fromtimestamp(int(record.created), tz=UTC)
        return f"{at:%Y-%m-%dT%H:%M:%SZ} {record.name}: {told}"


class Seldom(logging.Filter):
    """Let the same message pass once in a while."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether this was not said within the last minute."""
        now, text = self._now_s(), f"{record.name}: {record.getMessage()}"
        if now - self._told.get(text, -REPEATED_S) < REPEATED_S:
            return False
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[text] = now
        return True


def begin() -> None:
    """Write warnings and errors of this process to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Line())
    handler.addFilter(Seldom())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
