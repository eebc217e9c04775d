"""Whether a case runs that this home has not read, asked before frames are destroyed by their age.

Rules: an answer is good for an hour, and one that fails is none: without an answer nothing is
destroyed, for however long that lasts. What this home knows of, its ledger holds.
"""

from collections.abc import Callable

from workseal_agent.clock import Clock
from workseal_agent.connection import RefusedError, UnreachableError
from workseal_agent.daemon.control import told
from workseal_agent.errors import AgentError
from workseal_agent.knowncases import Held
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger
from workseal_protocol.digest import Digest

_HOUR_NS = 3_600 * 1_000_000_000

Running = Callable[[], frozenset[Digest]]


class UnreadCaseError(AgentError):
    """Say that a case runs which this home has not read."""


class UntoldError(AgentError):
    """Say that the verifier does not tell which cases run; `lasts` after an hour awake."""

    def __init__(self, text: str, *, lasts: bool) -> None:
        super().__init__(text)
        self.lasts = lasts


class UnreadCases:
    """Ask which cases run, at most once in an hour that is answered, and compare the ledger."""

    def __init__(
        self, engagement: Engagement, ledger: Ledger, clock: Clock, running: Running
    ) -> None:
        self._engagement = engagement
        self._ledger = ledger
        self._clock = clock
        self._ask = running
        self._running: frozenset[Digest] = frozenset()
        self._told_ns: int | None = None
        self._failing_ns: int | None = None

    def require_none(self) -> None:
        """Raise `UnreadCaseError` while one runs, and `UntoldError` while nobody says."""
        now = self._clock.boottime_ns()
        if self._told_ns is None or now - self._told_ns >= _HOUR_NS:
            self._running = self._asked()
            self._told_ns = now
        if self._running and self._running - Held.of(self._ledger, self._engagement).filings:
            raise UnreadCaseError(
                phrase("a case runs that you have not read: `workseal-agent case list`")
            )

    def _asked(self) -> frozenset[Digest]:
        try:
            running = self._ask()
        except (RefusedError, UnreachableError) as error:
            # Asleep, nobody asked.
            now = self._clock.monotonic_ns()
            if self._failing_ns is None:
                self._failing_ns = now
            raise UntoldError(
                phrase("whether a case runs is not known: {reason}", reason=told(error)),
                lasts=now - self._failing_ns >= _HOUR_NS,
            ) from error
        self._failing_ns = None
        return running
