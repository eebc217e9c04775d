"""A state that is lent out, so that what others logged of it is read while the log is free.

Rule: whoever has it is the only one who moves it on: its memory grows in place. What cannot be read
comes back as it was lent.
"""

from collections.abc import Callable
from typing import TypeAlias

from workseal_verifier.services.engagement import Engagement

# Follows a state from one size of the log up to another.
Follow: TypeAlias = Callable[[Engagement, int, int], Engagement]


class Loan:
    """An engagement as it stood at a size of the log, its `reach`, which `read` moves on."""

    def __init__(self, state: Engagement, reach: int, size: int, follow: Follow) -> None:
        self.state = state
        self.reach = reach
        self._size = size
        self._follow = follow

    @property
    def is_read(self) -> bool:
        """Tell whether nothing is missing of what the log held when it was lent."""
        return self.reach >= self._size

    def read(self) -> None:
        """Read what is missing, once; in whatever thread, but in one at a time."""
        if not self.is_read:
            self.state = self._follow(self.state, self.reach, self._size)
            self.reach = self._size
