"""The verifier's side of the capture lottery: chains committed ahead, one value a round released.

Rules: a chain is a 24-hour window of a period's grid; the log commits to its head before its first
round begins, at least a day ahead for all but the first. The secret (the last value) is durable
before its commitment is logged. The value of a round leaves this process when the round begins,
never before. A value that was released stays available, whatever the clock does, and no second
chain ever covers its round.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from workseal_protocol.lottery import (
    ChainSide,
    build_chain,
    chain_head,
    round_at,
    round_start,
    was_released,
)
from workseal_protocol.records import BeaconCommitment, sign
from workseal_protocol.statement import Statement
from workseal_verifier.errors import ConfigError, Reason, RefusedError
from workseal_verifier.keyfiles import create_secret, read_secret
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.identity import Identity
from workseal_verifier.store.logrows import BeaconRow
from workseal_verifier.store.records import RecordStore

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
        signed_at: Callable[[], int | None],
    ) -> None:
        """Take the periods, the folder of secrets and `signed_at`: the newest signature's time."""
        self._periods = tuple(periods_ms)
        self._keys = keys
        self._identity = identity
        self._clock = clock
        self._records = records
        self._signed_at = signed_at
        self._rows: tuple[BeaconRow, ...] = ()
        # By period, the newest round whose value left: it gives all earlier ones.
        self._released: dict[int, int] = {}
        self._lock = threading.Lock()
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
                # After a step back of the clock a window may begin before its own chain does.
                if not self.covering(period, first, end - 1)
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

    def chain_of(self, period_ms: int, number: int) -> BeaconRow:
        """Return the chain that covers a round, over or still to come."""
        row = self._row(period_ms, number)
        if row is None:
            raise RefusedError(Reason.NOT_FOUND, "no beacon is committed for this round")
        return row

    def release(self, period_ms: int, number: int) -> bytes:
        """Return the value of a round that has begun."""
        row = self._row(period_ms, number)
        if row is None:
            raise RefusedError(Reason.NOT_FOUND, "no beacon is committed for this round")
        wait = round_start(number, period_ms) - self._clock.now_ms()
        if wait > 0 and not self._is_out(period_ms, number):
            raise RefusedError(
                Reason.TOO_EARLY, "the round has not begun", retry_after=-(-wait // 1000)
            )
        values = self._values(row)
        if values is None:
            raise RefusedError(Reason.NOT_FOUND, "the value of this round was lost")
        with self._lock:
            self._released[period_ms] = max(number, self._released.get(period_ms, number))
        return values[number - row.first_round]

    def is_committed(self, period_ms: int, number: int, value: bytes) -> bool:
        """Tell whether a value is that of a round, begun or not."""
        row = self._row(period_ms, number)
        if row is None:
            return False
        values = self._values(row)
        if values is not None:
            return values[number - row.first_round] == value
        # Its secret is lost; what had been released before still leads to the head.
        return was_released([row], period_ms, number, value)

    def lost(self) -> list[str]:
        """Name the rounds whose values cannot be released: their secret is missing or another."""
        runs: list[tuple[int, int, int]] = []
        for row in sorted(filter(self._is_lost, self._rows), key=_place):
            end = row.first_round + row.count
            if runs and runs[-1][0::2] == (row.period_ms, row.first_round):
                runs[-1] = (row.period_ms, runs[-1][1], end)
            else:
                runs.append((row.period_ms, row.first_round, end))
        return [
            f"rounds {first} to {end - 1} of {period} ms, from {_utc(round_start(first, period))}"
            f" to {_utc(round_start(end, period))}"
            for period, first, end in runs
        ]

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

    def _is_out(self, period_ms: int, number: int) -> bool:
        """Tell whether a round has begun for others, though this clock went back behind it."""
        if number <= self._released.get(period_ms, -1):
            return True
        signed_at = self._signed_at()
        return signed_at is not None and round_start(number, period_ms) <= signed_at * 1000

    def _is_lost(self, row: BeaconRow) -> bool:
        if not self._secret_path(row.period_ms, row.first_round).exists():
            return True
        # Not for the days that are over: each would have to be hashed through.
        running = self._clock.now_ms() < round_start(row.first_round + row.count, row.period_ms)
        return running and self._values(row) is None

    def _values(self, row: BeaconRow) -> tuple[bytes, ...] | None:
        """Return a chain's values; None when its secret is missing or another one."""
        try:
            return self._chain(row)
        except ConfigError:
            return None

    def _load_chain(self, row: BeaconRow) -> tuple[bytes, ...]:
        path = self._secret_path(row.period_ms, row.first_round)
        values = build_chain(ChainSide.VERIFIER, read_secret(path), row.count)
        if chain_head(ChainSide.VERIFIER, values[0]) != row.head:
            raise ConfigError(f"{path} is not the secret that was committed to")
        return values

    def _secret_path(self, period: int, first: int) -> Path:
        return self._keys / f"beacon-{period}-{first}.secret"


def _place(row: BeaconRow) -> tuple[int, int]:
    return row.period_ms, row.first_round


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _windows(now_ms: int, period: int) -> list[tuple[int, int]]:
    """Return (first round, end) of the rest of the current window and of the next one."""
    day = now_ms // WINDOW_MS
    edges = [-(-(day + n) * WINDOW_MS // period) for n in range(3)]
    # No value precedes its commitment: the first round is one that has not begun.
    soonest = max(edges[0], -(-(now_ms + LEAD_MS) // period))
    windows = [(soonest, edges[1])] if soonest < edges[1] else []
    return [*windows, (edges[1], edges[2])]
