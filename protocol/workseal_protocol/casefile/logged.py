"""What a verified bundle shows of a case: which of its statements the log has, and since when.

Rules: a log takes what follows in a case in its order, and each statement within a minute of the
instant that it claims (docs/adr/0057). A log that did otherwise is found out here, as far as the
bundle's bounds reach: by them a deadline that had not passed did not lapse.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, Self

from workseal_protocol.casefile.speakers import Speakers
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import AHEAD_MS, back_ms
from workseal_protocol.errors import VerificationError
from workseal_protocol.records import BeaconCommitment, KeyRotate
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.verify import Report
from workseal_protocol.window import CLOCK_TOLERANCE_MS, Entry

# What may follow a filing in its case.
FOLLOWING: Final = frozenset(
    {Kind.DISPUTE_ACT, Kind.DISPUTE_REQUEST, Kind.DISPUTE_DISCLOSURE, Kind.DISPUTE_FINDING}
)


@dataclass(frozen=True, slots=True)
class Logged:
    """Hold the places and bounds of logged statements, and whose keys spoke where."""

    entries: Mapping[Digest, Entry]
    speakers: Speakers
    _bounds: "_Bounds" = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bounds", _Bounds(self.entries.values()))

    @classmethod
    def of(cls, report: Report) -> Self:
        """Take what a bundle that holds shows; `VerificationError` for one without terms."""
        if report.terms is None or report.keys is None:
            raise VerificationError("the bundle has no terms")
        rotations = (e.record for e in report.entries if isinstance(e.record, KeyRotate))
        return cls(
            # What a log has twice it took when it took it first.
            {entry.digest: entry for entry in reversed(report.entries)},
            Speakers.of_log(report.terms, report.keys, rotations),
        )

    @classmethod
    def nothing(cls, speakers: Speakers) -> Self:
        """Know of no log."""
        return cls({}, speakers)

    @property
    def commitments(self) -> tuple[tuple[BeaconCommitment, int | None], ...]:
        """Give the operator's commitments as the log orders them, each with its upper bound."""
        return tuple(
            (entry.record, entry.window.upper)
            for entry in sorted(self.entries.values(), key=lambda one: one.index)
            if isinstance(entry.record, BeaconCommitment)
        )

    def index(self, statement: Statement) -> int | None:
        """Give a statement's place in the log; None where the bundle shows none."""
        entry = self.entries.get(statement.digest)
        return None if entry is None else entry.index

    def is_misdated(self, statement: Statement) -> bool:
        """Tell whether a statement claims another instant than its place in the log allows."""
        entry = self.entries.get(statement.digest)
        return entry is not None and self._misdated(entry, entry.record.claimed_at) is not None

    def check_instants(self, told: Iterable[tuple[Statement, int]]) -> None:
        """Check order and instants of a case's statements, or raise `VerificationError`.

        `told` has each with the instant that the case counts for it.
        """
        last = -1
        for number, (statement, at) in enumerate(told):
            entry = self.entries.get(statement.digest)
            if entry is None:
                continue
            if entry.index < last:
                raise VerificationError(
                    f"statement {number}: it stands in the log before the one that it follows"
                )
            last = entry.index
            if why := self._misdated(entry, at):
                raise VerificationError(f"statement {number}: {why}")

    def _misdated(self, entry: Entry, at: int) -> str | None:
        upper = entry.window.upper
        if upper is not None and at > upper + AHEAD_MS + CLOCK_TOLERANCE_MS:
            return f"the log had it {at - upper} ms before the instant that it claims"
        logged_after = self._bounds.after(entry.index)
        late = logged_after - entry.record.claimed_at - back_ms(entry.record)
        if late > CLOCK_TOLERANCE_MS:
            return f"the log took it {late} ms later than it may after the claimed instant"
        return None


class _Bounds:
    """Find the latest instant that something before a place of the log was signed after."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        ordered = sorted(entries, key=lambda entry: entry.index)
        self._indices = [entry.index for entry in ordered]
        self._lowers = list(accumulate((entry.window.lower or 0 for entry in ordered), max))

    def after(self, index: int) -> int:
        before = bisect_left(self._indices, index)
        return self._lowers[before - 1] if before else 0
