"""The verifier's side of the capture lottery: chains committed ahead, one value a round released.

Rules: a chain is a 24-hour window of a period's grid; the log commits to its head before its first
round begins, at least a day ahead for all but the first. The secret (the last value) is durable
before its commitment is logged. The value of a round leaves this process when the round begins,
never before. A value that was released stays available.
"""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from workseal_protocol.lottery import (
    ChainSide,
    build_chain,
    chain_head,
    round_at,
    round_start,
)
from workseal_protocol.records import BeaconCommitment, sign
from workseal_protocol.statement import Statement
from workseal_verifier.errors import ConfigError, Reason, RefusedError
from workseal_verifier.keyfiles import create_secret, read_secret
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.identity import Identity
from workseal_verifier.store.log import BeaconRow
from workseal_verifier.store.records import RecordStore

_logger = logging.getLogger(__name__)

WINDOW_MS = 86_400_000
# The first chain of a new log begins this long after its commitment is made.
LEAD_MS = 1_000
_CACHED_CHAINS = 8

Log = Callable[[Sequence[Statement]], None]


class Beacon:
    """Commit to chains, release their values."""

    def __init__(
        self,
        *,
        periods_ms: Sequence[int],
        keys: Path,
        identity: Identity,
        clock: Clock,
        records: RecordStore,
    ) -> None:
        self._periods = tuple(periods_ms)
        self._keys = keys
        self._identity = identity
        self._clock = clock
        self._records = records
        self._rows: tuple[BeaconRow, ...] = ()
        self._chain = lru_cache(maxsize=_CACHED_CHAINS)(self._load_chain)

    @property
    def periods_ms(self) -> tuple[int, ...]:
        """The round lengths that terms may name here."""
        return self._periods

    def refresh(self) -> None:
        """Read which chains the log has committed to."""
        self._rows = tuple(self._records.beacons())

    def commit_ahead(self, log: Log) -> None:
        """Log the missing commitments: the current window and the next, for each period."""
        self.refresh()
        for period in self._periods:
            statements = [
                self._commitment(period, first, end)
                for first, end in _windows(self._clock.now_ms(), period)
                if self._row(period, first) is None
            ]
            if statements:
                try:
                    log(statements)
                except RefusedError as refusal:
                    # Another process was first: its commitment is the one.
                    if refusal.reason is not Reason.CONFLICT:
                        raise
                self.refresh()

    def in_force(self, period_ms: int) -> BeaconRow:
        """Return the chain of the current round, or of the next one if that comes first."""
        now = round_at(self._clock.now_ms(), period_ms) if period_ms in self._periods else -1
        self._row(period_ms, now)
        rows = [row for row in self._rows if row.period_ms == period_ms]
        ahead = [row for row in rows if now < row.first_round + row.count]
        if now < 0 or not ahead:
            raise RefusedError(Reason.NOT_FOUND, "no beacon runs with this period")
        return min(ahead, key=lambda row: row.first_round)

    def release(self, period_ms: int, number: int) -> bytes:
        """Return the value of a round that has begun."""
        row = self._row(period_ms, number)
        if row is None:
            raise RefusedError(Reason.NOT_FOUND, "no beacon is committed for this round")
        wait = round_start(number, period_ms) - self._clock.now_ms()
        if wait > 0:
            raise RefusedError(
                Reason.TOO_EARLY, "the round has not begun", retry_after=-(-wait // 1000)
            )
        return self._chain(row)[number - row.first_round]

    def value_of(self, period_ms: int, number: int) -> bytes | None:
        """Return the committed value of a round, begun or not; never leaves the process."""
        row = self._row(period_ms, number)
        return None if row is None else self._chain(row)[number - row.first_round]

    def covering(self, period_ms: int, first: int, last: int) -> list[BeaconRow]:
        """Return the chains that have a round from `first` to `last`, in log order."""
        return [
            row
            for row in self._rows
            if row.period_ms == period_ms
            and row.first_round <= last
            and first < row.first_round + row.count
        ]

    def _row(self, period_ms: int, number: int) -> BeaconRow | None:
        found = self._known_row(period_ms, number)
        if found is None and self._records.database.shared:
            # Another process may have committed since.
            self.refresh()
            found = self._known_row(period_ms, number)
        return found

    def _known_row(self, period_ms: int, number: int) -> BeaconRow | None:
        # The newest chains are the ones that are asked for.
        for row in reversed(self._rows):
            if row.period_ms == period_ms and 0 <= number - row.first_round < row.count:
                return row
        return None

    def _commitment(self, period: int, first: int, end: int) -> Statement:
        last = create_secret(self._secret_path(period, first))
        values = build_chain(ChainSide.VERIFIER, last, end - first)
        record = BeaconCommitment(
            claimed_at=self._clock.now_ms(),
            period_ms=period,
            first_round=first,
            count=end - first,
            head=chain_head(ChainSide.VERIFIER, values[0]),
        )
        return sign(record, self._identity.operator)

    def _load_chain(self, row: BeaconRow) -> tuple[bytes, ...]:
        try:
            last = read_secret(self._secret_path(row.period_ms, row.first_round))
        except ConfigError as error:
            _logger.error("a chain of the beacon has no secret here: %s", error)  # noqa: TRY400
            raise RefusedError(
                Reason.NOT_FOUND, "this server cannot release the values of these rounds"
            ) from error
        values = build_chain(ChainSide.VERIFIER, last, row.count)
        if chain_head(ChainSide.VERIFIER, values[0]) != row.head:
            raise RefusedError(Reason.INTERNAL, "the beacon's secret is not the committed one")
        return values

    def _secret_path(self, period: int, first: int) -> Path:
        return self._keys / f"beacon-{period}-{first}.secret"


def _windows(now_ms: int, period: int) -> list[tuple[int, int]]:
    """Return (first round, end) of the rest of the current window and of the next one."""
    day = now_ms // WINDOW_MS
    edges = [-(-(day + n) * WINDOW_MS // period) for n in range(3)]
    # No value precedes its commitment: the first round is one that has not begun.
    soonest = max(edges[0], -(-(now_ms + LEAD_MS) // period))
    windows = [(soonest, edges[1])] if soonest < edges[1] else []
    return [*windows, (edges[1], edges[2])]
