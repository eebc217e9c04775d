"""What the server's own log has of errors that come again with each try."""

import logging

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
