"""What the steps of one examination know so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from workseal_protocol.bundle import Bundle
from workseal_protocol.diary import Span
from workseal_protocol.digest import Digest
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Check, check_at_once
from workseal_protocol.policy import TrustPolicy, VerifiedCheckpoint
from workseal_protocol.possession import HeldReport
from workseal_protocol.records import (
    ChainedRecord,
    Record,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_protocol.timesheets import SheetFinding
from workseal_protocol.totals import Totals
from workseal_protocol.verify.work import Work
from workseal_protocol.window import Entry, Window


class NotReachedError(Exception):
    """Say why a step has nothing to examine; never leaves this package."""


@dataclass(slots=True)
class Case:
    """Collect what each step finds for those after it; made for one examination."""

    data: bytes
    policy: TrustPolicy
    zone: tzinfo = UTC
    check: Check = check_at_once
    parsed: Bundle | None = None
    records: tuple[Record, ...] = ()
    checkpoint: VerifiedCheckpoint | None = None
    earlier: tuple[VerifiedCheckpoint, ...] = ()
    keys: KeyHistory | None = None
    engagement: bytes | None = None
    agreed: Terms | None = None
    acceptance: Digest | None = None
    agreed_at: int = 0
    agreed_index: int | None = None
    chain_problems: dict[int, str] = field(default_factory=dict)
    work: Work = field(default_factory=Work)
    withdrawn: dict[Digest, int] = field(default_factory=dict)
    beacons: dict[int, int] = field(default_factory=dict)
    stamps: dict[int, int] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    entries: tuple[Entry, ...] = ()
    totals: Totals | None = None
    diary: tuple[Span, ...] = ()
    timesheets: tuple[SheetFinding, ...] = ()
    possessions: HeldReport = field(default_factory=HeldReport)
    # Made once: nearly every step goes through them, some several times.
    _items: tuple[tuple[int, int, Statement, Record], ...] | None = None

    @property
    def bundle(self) -> Bundle:
        """Give the bundle that step 1 read."""
        if self.parsed is None:
            raise ValueError("step 1 did not hold")
        return self.parsed

    @property
    def terms(self) -> Terms:
        """Give the terms that step 6 found."""
        if self.agreed is None:
            raise ValueError("step 6 did not hold")
        return self.agreed

    def items(self) -> tuple[tuple[int, int, Statement, Record], ...]:
        """Give (place in the bundle, index in the log, statement, what it says)."""
        if self._items is None:
            contents = self.bundle.contents
            places = range(len(self.records))
            rows = zip(places, contents.indices, contents.statements, self.records, strict=True)
            self._items = tuple(rows)
        return self._items

    def chained(self) -> Iterator[tuple[int, int, Statement, ChainedRecord]]:
        """Give the items of the freelancer's chain."""
        for place, index, statement, record in self.items():
            if isinstance(record, ChainedRecord):
                yield place, index, statement, record


def named(place: int, statement: Statement) -> str:
    """Name a statement in a reason: by its place in the bundle and its kind."""
    return f"statement {place} ({statement.kind})"
