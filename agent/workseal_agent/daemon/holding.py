"""Saying each week which frames are still held, by the process that records.

Rules: in a thread and with a connection of its own; nothing waits for it, and it waits for nothing
of the recording. It works in small pieces with pauses between. What fails is told by `status` and
tried again; what it finds costs no hour.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from workseal_agent.clock import Clock
from workseal_agent.connection import BeaconChain, RefusedError, UnreachableError
from workseal_agent.daemon.control import told
from workseal_agent.language import phrase, told_of
from workseal_agent.ledger import Engagement, Ledger
from workseal_agent.possession import (
    Blocks,
    MissingFramesError,
    NotYetError,
    say,
)
from workseal_agent.possessionweeks import next_week_ms, said_of
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Signer
from workseal_protocol.lottery import ChainSide, verify_value

# A recording that begins has other things to do.
_FIRST_SECONDS = 30.0
_LOOK_SECONDS = 3_600.0
_SOON_SECONDS = 60.0
_TROUBLED_SECONDS = 300.0
# Between two pieces of work, each of a millisecond or a few.
_PAUSE_SECONDS = 0.005
# The verifier was away when it should have committed to this round: nobody ever has its value.
_UNKNOWN = 404


class Values(Protocol):
    """What is asked of the verifier."""

    def beacon(self, period_ms: int, round_: int | None = None) -> BeaconChain:
        """Return the commitment that covers a round, not yet verified."""
        ...

    def beacon_value(self, period_ms: int, round_: int) -> bytes:
        """Return the value of a round, not yet verified."""
        ...


class Holding:
    """Make each week's statement of possession, in a thread of its own."""

    def __init__(  # noqa: PLR0913 - what saying it takes
        self,
        engagement: Engagement,
        ledger: Ledger,
        signer: Signer,
        vault: Blocks,
        values: Values,
        clock: Clock,
        *,
        on_statement: Callable[[], None],
    ) -> None:
        self._engagement = engagement
        self._ledger = ledger
        self._signer = signer
        self._vault = vault
        self._values = values
        self._clock = clock
        self._on_statement = on_statement
        self.trouble: str | None = None
        # Whether drawn frames are missing that their owner can still bring back.
        self.missing = False

    def run(self, stop: threading.Event) -> None:
        """Look again and again until `stop` is set."""
        wait, failures = _FIRST_SECONDS, 0
        while not stop.wait(wait):
            try:
                wait = self.step(rest_until(stop))
                self.trouble, self.missing, failures = None, False, -1
            except StoppedError:
                return
            except NotYetError:
                wait = _longer(_SOON_SECONDS, failures)
            except MissingFramesError as error:
                self.trouble, self.missing = told_of(error), True
                wait = _LOOK_SECONDS
            except Exception as error:  # noqa: BLE001 - it is tried again, and recording goes on
                self.trouble = phrase(
                    "the weekly proof of your frames waits: {reason}", reason=told(error)
                )
                wait = _longer(_TROUBLED_SECONDS, failures)
            failures += 1

    def step(self, rest: Callable[[], None] = lambda: None) -> float:
        """Make one statement if one is due; returns when to look again."""
        return _SOON_SECONDS if self.say(rest) else self._until_due()

    def say(self, rest: Callable[[], None] = lambda: None) -> bool:
        """Make the oldest statement that is due; False when none can be. Raises what `say` does."""
        statement = say(
            self._ledger,
            self._engagement,
            self._signer,
            self._vault,
            value_of=self._value,
            now_ms=self._clock.wall_ms(),
            rest=rest,
        )
        if statement is None:
            return False
        self._on_statement()
        return True

    def _until_due(self) -> float:
        now_ms = self._clock.wall_ms()
        if said_of(self._ledger, self._engagement, now_ms).due is not None:
            return _LOOK_SECONDS
        next_ms = next_week_ms(self._ledger, self._engagement, now_ms)
        if next_ms is None:
            return _LOOK_SECONDS
        return min(_LOOK_SECONDS, max(1.0, (next_ms - now_ms) / 1_000))

    def _value(self, number: int) -> bytes | None:
        """Fetch a round's value, and believe it only as that which was committed to."""
        period_ms = self._engagement.terms.round_ms
        try:
            chain = self._values.beacon(period_ms, number)
            value = self._values.beacon_value(period_ms, number)
        except RefusedError as error:
            if error.status == _UNKNOWN:
                return None
            raise
        try:
            verify_value(
                ChainSide.VERIFIER,
                head=chain.head,
                first_round=chain.first_round,
                count=chain.count,
                round=number,
                value=value,
            )
        except VerificationError as error:
            raise UnreachableError(
                phrase(
                    "the verifier's value of the week is not the committed one: {error}",
                    error=error,
                )
            ) from error
        return value


def _longer(seconds: float, failures: int) -> float:
    """Wait twice as long each time, an hour at most: each try may read the whole chain."""
    return min(_LOOK_SECONDS, seconds * float(2 ** min(failures, 10)))


class StoppedError(Exception):
    """End a piece of work that was begun: nothing of it is stored."""


def rest_until(stop: threading.Event) -> Callable[[], None]:
    """Return what rests between pieces of work, and raises `StoppedError` once `stop` is set."""

    def rest() -> None:
        if stop.wait(_PAUSE_SECONDS):
            raise StoppedError

    return rest
