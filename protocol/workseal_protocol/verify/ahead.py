"""Signatures that are checked elsewhere while an examination goes on as if they held.

Rules: what an examination finds does not depend on where or when a signature is checked. If each
one that was put off holds, the report is the one that checking them in turn would have given. If
one does not, or nobody can tell, the examination begins again and checks them in turn: so only a
bundle that fails costs twice.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from workseal_protocol.keys import PublicKey

# A key, the signature, and what it is over.
PutOff: TypeAlias = tuple[PublicKey, bytes, bytes]

# Enough that handing them over costs little, few enough that the last ones do not wait alone.
BATCH = 256


class Checker(Protocol):
    """Check signatures beside the examination: in other processes, say."""

    def begin(self, batch: Sequence[PutOff]) -> None:
        """See to it that these are checked; need not wait for it."""

    def all_held(self) -> bool:
        """Wait for what was begun, and say whether every signature of it held.

        False where that cannot be told.
        """


class Ahead:
    """Take signatures in the place of checking them, and hand them over in batches."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._batch: list[PutOff] = []

    def check(self, key: PublicKey, signature: bytes, message: bytes, /) -> None:
        """Put one check off."""
        self._batch.append((key, signature, message))
        if len(self._batch) == BATCH:
            self._hand_over()

    def all_held(self) -> bool:
        """Say whether everything that was put off held."""
        self._hand_over()
        return self._checker.all_held()

    def _hand_over(self) -> None:
        batch, self._batch = self._batch, []
        if batch:
            self._checker.begin(batch)
