"""The values that a case was drawn by, against what the operator had committed to.

Rule: a commitment binds by when it was made. One that no log shows before the round was set that it
draws by could have been made to fit: secrets are out before that round begins. So it is used, and
the value counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from workseal_protocol.lottery import covers, is_committed
from workseal_protocol.records import BeaconCommitment


@dataclass(slots=True)
class Beacon:
    """Check values; `shown` are logged commitments, each with the instant that bounds it above.

    `unverified` counts the values that nothing covers, `unshown` those whose commitment is not
    shown to be older than the instant that set the round, `set_at`, which comes with each value.
    """

    period_ms: int
    commitments: list[BeaconCommitment] = field(default_factory=list)
    shown: Sequence[tuple[BeaconCommitment, int | None]] = ()
    unverified: int = 0
    unshown: int = 0
    set_at: int = 0

    def released(self, number: int, value: bytes) -> bool:
        """Say whether the value is the committed one, as far as that can be told."""
        known = [*self.commitments, *(one for one, _ in self.shown)]
        found = is_committed(known, self.period_ms, number, value)
        if found is None:
            self.unverified += 1
        elif found and not self._is_shown(number):
            self.unshown += 1
        return found is not False

    def _is_shown(self, number: int) -> bool:
        return any(
            upper is not None and upper <= self.set_at and covers(one, self.period_ms, number)
            for one, upper in self.shown
        )
