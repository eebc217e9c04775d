"""Values of drand, a beacon that many organisations run together: asked for, checked, relayed.

Rules: nothing is kept or given that does not verify under the network's key. Relays are asked only
when somebody asks here, for a round that has begun, one question at a time and one a second:
strangers must not use this server to ask others. What was checked is kept, up to a bound.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.health import DRAND, Health

_logger = logging.getLogger(__name__)

# Half a day of one value in 30 seconds, 130 KB.
MAX_KEPT: Final = 1_440
# A round's value reaches the relays so long after it began.
PUBLISHED_MS: Final = 2_000
# A newest value that is older is none.
STALE_MS: Final = 30_000
_PACE_MS: Final = 1_000
# Of those that a relay could name, the last.
_MAX_ROUND: Final = 2**53 - 1

# Returns round and signature that a relay names for a round, or for its newest; raises OSError.
Source = Callable[[int | None], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class DrandValue:
    """A value that was checked."""

    round: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Network:
    """A drand network: the hash that names it, its time grid, and its check of a signature."""

    chain: bytes
    genesis_s: int
    period_s: int
    holds: Callable[[int, bytes], bool]

    def start_ms(self, number: int) -> int:
        """Return when a round begins."""
        return (self.genesis_s + (number - 1) * self.period_s) * 1000

    def at(self, ms: int) -> int:
        """Return the round in which a moment lies; 0 before the first."""
        return max(0, (ms - self.genesis_s * 1000) // (self.period_s * 1000) + 1)


class DrandRelay:
    """Relay one network."""

    def __init__(
        self, network: Network, sources: Sequence[Source], *, clock: Clock, health: Health
    ) -> None:
        self.network = network
        self._sources = sources
        self._clock = clock
        self._health = health
        self._kept: OrderedDict[int, DrandValue] = OrderedDict()
        self._newest: DrandValue | None = None
        self._asking = threading.Lock()
        self._asked_at_ms = -_PACE_MS

    def latest(self) -> DrandValue:
        """Return the newest value; at most half a minute old, or it is refused."""
        now = self._clock.now_ms()
        newest = self._newest
        if newest is not None and newest.round >= self.network.at(now - PUBLISHED_MS):
            return newest
        try:
            asked = self._ask(None)
        except RefusedError:
            if newest is None or self._is_stale(newest.round):
                raise
            return newest
        return max(asked, newest or asked, key=lambda one: one.round)

    def value(self, number: int) -> DrandValue:
        """Return the value of a round."""
        found = self._kept.get(number)
        if found is not None:
            return found
        if number < 1:
            # To a relay, 0 is another word for the newest.
            raise RefusedError(Reason.NOT_FOUND, "the first round is 1")
        wait = self.network.start_ms(number) + PUBLISHED_MS - self._clock.now_ms()
        if wait > 0:
            raise RefusedError(
                Reason.TOO_EARLY, "the round has not begun", retry_after=-(-wait // 1000)
            )
        return self._ask(number)

    def _ask(self, number: int | None) -> DrandValue:
        if not self._asking.acquire(blocking=False):
            raise _busy("drand is being asked", 1)
        try:
            now = self._clock.now_ms()
            # A clock that went back must not make it wait for long.
            if abs(now - self._asked_at_ms) < _PACE_MS:
                raise _busy("drand was asked a moment ago", 1)
            self._asked_at_ms = now
            return self._checked(number)
        finally:
            self._asking.release()

    def _checked(self, number: int | None) -> DrandValue:
        for place, source in enumerate(self._sources, 1):
            try:
                value = self._value_of(source, number)
            except OSError as error:
                _logger.warning("no drand value by relay %s: %s", place, error)
                continue
            self._keep(value)
            self._health.worked(DRAND)
            return value
        self._health.failed(DRAND)
        raise _busy("no drand relay gave a value that verifies", self.network.period_s)

    def _value_of(self, source: Source, number: int | None) -> DrandValue:
        found, signature = source(number)
        if not 0 < found <= _MAX_ROUND or number not in {None, found}:
            raise OSError("it named another round")
        if number is None and self._is_stale(found):
            raise OSError("its newest round is long over")
        if not self.network.holds(found, signature):
            raise OSError("its value does not verify")
        return DrandValue(found, signature)

    def _is_stale(self, number: int) -> bool:
        end = self.network.start_ms(number + 1)
        return end + STALE_MS < self._clock.now_ms()

    def _keep(self, value: DrandValue) -> None:
        self._kept[value.round] = value
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        if self._newest is None or value.round > self._newest.round:
            self._newest = value


def _busy(detail: str, seconds: int) -> RefusedError:
    return RefusedError(Reason.BUSY, detail, retry_after=seconds)
