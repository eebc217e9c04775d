"""The values that a case was drawn by, against what the operator had committed to.

Rule: a commitment binds by when it was made. One that no log shows before the round was set that it
draws by could have been made to fit: secrets are out before that round begins. So it is used, and
the value counted. Of a log's commitments that cover a round the first counts, as of a bundle's
draws: with a rule that fails for two, an operator could undo a case by committing once more. What a
value takes to check is counted before it is hashed; where the committed value of a round is known,
another one is false at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from workseal_protocol.errors import VerificationError
from workseal_protocol.lottery import covers, is_committed
from workseal_protocol.records import BeaconCommitment

# As for a bundle: the values of ninety draws under chains of two days of one-second rounds.
MAX_HASHES: Final = 1 << 24


class WorkError(VerificationError):
    """Say that the values of a case take too many hashes together."""


def any_value(number: int, value: bytes) -> bool:
    """Take any value for the committed one, where it matters to nobody who was drawn."""
    del number, value
    return True


@dataclass(slots=True)
class Beacon:
    """Check values; `shown` are logged commitments in the log's order, each with its upper bound.

    `unverified` counts the values that nothing covers, `unshown` those whose commitment is not
    shown to be older than the instant that set the round, `set_at`, which comes with each value.
    """

    period_ms: int
    commitments: list[BeaconCommitment] = field(default_factory=list)
    shown: Sequence[tuple[BeaconCommitment, int | None]] = ()
    unverified: int = 0
    unshown: int = 0
    set_at: int = 0
    hashes: int = 0
    # The committed values that were hashed back, by their rounds.
    _known: dict[int, bytes] = field(default_factory=dict, init=False, repr=False)

    def released(self, number: int, value: bytes) -> bool:
        """Say whether the value is the committed one, as far as that can be told.

        Raises `WorkError` where the values of a case take too many hashes together.
        """
        known = self._known.get(number)
        found = self._is_committed(number, value) if known is None else value == known
        if found is None:
            self.unverified += 1
        elif found and not self._is_shown(number):
            self.unshown += 1
        return found is not False

    def _is_committed(self, number: int, value: bytes) -> bool | None:
        covering = self._covering(number)
        self._spend(max((number - one.first_round + 1 for one in covering), default=0))
        found = is_committed(covering, self.period_ms, number, value)
        if found:
            self._known[number] = value
        return found

    def _spend(self, hashes: int) -> None:
        self.hashes += hashes
        if self.hashes > MAX_HASHES:
            raise WorkError(f"the values take more than {MAX_HASHES} hashes to check")

    def _covering(self, number: int) -> Sequence[BeaconCommitment]:
        """Give the one that counts; where no log orders them all, so that nobody chooses."""
        first = self._first(number)
        if first is not None:
            return (first[0],)
        return [one for one in self.commitments if covers(one, self.period_ms, number)]

    def _first(self, number: int) -> tuple[BeaconCommitment, int | None] | None:
        covering = (one for one in self.shown if covers(one[0], self.period_ms, number))
        return next(covering, None)

    def _is_shown(self, number: int) -> bool:
        first = self._first(number)
        return first is not None and first[1] is not None and first[1] <= self.set_at
