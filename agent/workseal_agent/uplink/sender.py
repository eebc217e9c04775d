"""Sending what is unsent, in order, until a verified receipt is stored for each statement.

Rules: retry is the default, with a capped and jittered wait. A statement that the verifier refuses
is found by sending one at a time, parked and shown; what is chained behind it waits, the rest goes
on. When the log contradicts itself, sending stops and the bodies stay.
"""

import random
from collections.abc import Callable, Sequence

from workseal_agent.connection import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    RefusedError,
    UnreachableError,
    VerifierClient,
)
from workseal_agent.language import told_of
from workseal_agent.ledger import Ledger, StoredStatement
from workseal_agent.refusal import kept_refusal
from workseal_agent.submission import Log, LogContradictionError, submit

_FIRST_WAIT = 0.5
# Short enough that a verifier that comes back finds the queue before a round turns late.
_LONGEST_WAIT = 20.0
# The same bytes will be refused again; every other refusal may pass (a wrong path, too early).
_ABOUT_CONTENT = frozenset({400, 403, 409, 413, 422})


class Uplink:
    """Send one engagement's statements. Not to be used from two threads at once."""

    def __init__(
        self,
        ledger: Ledger,
        client: VerifierClient,
        log: Log,
        *,
        wall_ms: Callable[[], int],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._log = log
        self._wall_ms = wall_ms
        self._jitter = jitter
        self._failures = 0
        self._one_by_one = 0
        self.trouble: str | None = None
        self.halted = False

    def step(self) -> float | None:
        """Send one batch; returns the seconds to wait before the next, None when none is due."""
        if self.halted:
            return None
        batch = self._batch()
        if not batch:
            # Nothing waits, so nothing that went wrong before keeps anything from the log.
            self.trouble = None
            return None
        try:
            bodies = [stored.body for stored in batch]
            submit(self._ledger, self._client, self._log, bodies, now_ms=self._wall_ms())
        except UnreachableError as error:
            return self._wait(told_of(error), error.retry_after)
        except RefusedError as error:
            return self._refused(batch, error)
        except LogContradictionError as error:
            self.halted = True
            self.trouble = told_of(error)
            return None
        self._failures = 0
        self.trouble = None
        self._one_by_one = max(0, self._one_by_one - len(batch))
        return 0.0

    def drain(self, steps: int) -> bool:
        """Send without waiting until nothing is left or something fails; True when all is sent."""
        for _ in range(steps):
            wait = self.step()
            if wait is None:
                return not self.halted and self._ledger.counts(self._log.engagement).unsent == 0
            if wait > 0:
                return False
        return False

    def _batch(self) -> Sequence[StoredStatement]:
        limit = 1 if self._one_by_one else MAX_BATCH
        batch: list[StoredStatement] = []
        size = 0
        for stored in self._ledger.sendable(self._log.engagement, limit):
            size += len(stored.body)
            if size > MAX_BATCH_BYTES:
                break
            batch.append(stored)
        return batch

    def _refused(self, batch: Sequence[StoredStatement], error: RefusedError) -> float:
        if error.status not in _ABOUT_CONTENT:
            return self._wait(told_of(error), None)
        if len(batch) > 1:
            self._one_by_one = len(batch)
            return 0.0
        self._one_by_one = max(0, self._one_by_one - 1)
        with self._ledger.write() as writing:
            writing.park(batch[0].digest, kept_refusal(error.name, error.detail))
        return 0.0

    def _wait(self, trouble: str, asked: float | None) -> float:
        self.trouble = trouble
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * (1 << self._failures))
        self._failures = min(self._failures + 1, 16)
        # Between half and all of it, so that many agents do not come back in one instant.
        wait = longest * (0.5 + self._jitter() / 2)
        return max(wait, asked or 0.0)
