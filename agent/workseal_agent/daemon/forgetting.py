"""Withdrawing frames whose days are over, by the process that records.

Rules: one frame at a time, between two things that are due, and nothing waits for it. That the days
are over is believed when this machine's clock says so and the verifier's newest value, which nobody
has before its round, says so too: a clock that was set ahead destroys nothing. Nor is anything
destroyed while a case runs that this home has not read, or while nobody says whether one does.
"""

import threading
from collections.abc import Callable

from workseal_agent.chain import OwnChain
from workseal_agent.clock import Clock
from workseal_agent.daemon.control import told
from workseal_agent.daemon.unread import UnreadCaseError, UnreadCases, UntoldError
from workseal_agent.evidence import Destroyer, bury, finish_withdrawals
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger
from workseal_agent.recorder import Recorder
from workseal_agent.retention import kept_frames
from workseal_protocol.records import WithdrawalReason

# Frames grow old by the day; a restart after months has some hundred of them.
_LOOK_SECONDS = 3_600.0
_FIRST_SECONDS = 20.0
_NEXT_SECONDS = 1.0
# Signing and storing a tombstone takes some hundredths of a second. In a short round a quarter.
_QUIET_SECONDS = 1.0
_TROUBLED_SECONDS = 300.0
_UNTOLD_SECONDS = 1_800.0


class Forgetting:
    """Withdraw what is due, in a thread of its own."""

    def __init__(  # noqa: PLR0913 - what withdrawing takes
        self,
        engagement: Engagement,
        chain: OwnChain,
        ledger: Ledger,
        vault: Destroyer,
        clock: Clock,
        recorder: Recorder,
        *,
        unread: UnreadCases,
        proven_ms: Callable[[], int | None],
        on_statement: Callable[[], None],
    ) -> None:
        self._engagement = engagement
        self._chain = chain
        self._ledger = ledger
        self._vault = vault
        self._clock = clock
        self._recorder = recorder
        self._unread = unread
        self._proven_ms = proven_ms
        self._on_statement = on_statement
        self._quiet_seconds = min(_QUIET_SECONDS, engagement.terms.round_ms / 4_000)
        self.trouble: str | None = None
        # Whether a case runs that its owner has to read.
        self.unread = False

    def run(self, stop: threading.Event) -> None:
        """Do it again and again until `stop` is set."""
        wait = _FIRST_SECONDS
        while not stop.wait(wait):
            try:
                wait = self.step()
                self.trouble, self.unread = None, False
            except Exception as error:  # noqa: BLE001 - it is tried again, and recording goes on
                wait = self._troubled(error)

    def _troubled(self, error: Exception) -> float:
        """Keep what is to be told of a failure; returns when to look again."""
        self.unread = isinstance(error, UnreadCaseError)
        passing = isinstance(error, UntoldError) and not error.lasts
        self.trouble = (
            None
            if passing
            else phrase("old frames are not withdrawn: {reason}", reason=told(error))
        )
        return _UNTOLD_SECONDS if isinstance(error, UntoldError) else _TROUBLED_SECONDS

    def step(self) -> float:
        """Withdraw one frame if one is due and now is a quiet moment; returns when to look again.

        What this or another program left half done is finished first.
        """
        finish_withdrawals(self._ledger, self._vault)
        due = kept_frames(self._ledger, self._engagement, self._now_ms()).due
        if not due:
            return _LOOK_SECONDS
        self._unread.require_none()
        if self._recorder.quiet_seconds() < self._quiet_seconds:
            return _NEXT_SECONDS
        now_ms = self._clock.wall_ms()
        self._recorder.between(
            lambda: bury(self._chain, due[0], WithdrawalReason.RETENTION, now_ms=now_ms)
        )
        self._on_statement()
        # Outside of the recorder's turn: the disk may take its time.
        finish_withdrawals(self._ledger, self._vault)
        return _NEXT_SECONDS if len(due) > 1 else _LOOK_SECONDS

    def _now_ms(self) -> int | None:
        proven = self._proven_ms()
        return None if proven is None else min(proven, self._clock.wall_ms())
