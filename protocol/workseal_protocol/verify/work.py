"""How many hashes step 9 may cost: whoever makes a bundle does not choose how long a reader works.

Rule: a value costs one hash for each round between it and the nearest value, or head, that it is
compared with. Rounds pass with the clock, so that honest chains stay far below the bound.
"""

from workseal_protocol.errors import VerificationError

# Five years of ten-second rounds; some ten seconds of computing.
MAX_HASHES = 1 << 24


class Work:
    """Count the hashes of one examination."""

    def __init__(self, limit: int = MAX_HASHES) -> None:
        self._left = limit
        self._limit = limit

    def spend(self, hashes: int) -> None:
        """Take some hashes before they are computed, or raise `VerificationError`."""
        self._left -= hashes
        if self._left < 0:
            raise VerificationError(f"its values take more than {self._limit} hashes to check")
