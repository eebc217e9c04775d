"""What the server's own log has of store errors that come again with each tick."""

import logging

from workseal_verifier.errors import StoreError

_logger = logging.getLogger(__name__)


class Outage:
    """Store errors in a row: the server's log has the first of each kind, and when they end.

    Each tick would be told else, and the lines would fill a disk that is full already.
    """

    def __init__(self) -> None:
        self._told: set[type[StoreError]] = set()

    def goes_on(self, error: StoreError, text: str) -> None:
        """Note an error."""
        if type(error) not in self._told:
            self._told.add(type(error))
            _logger.error("%s", text)

    def ends(self) -> None:
        """Note that something was written."""
        if self._told:
            self._told.clear()
            _logger.warning("the log is written again")
