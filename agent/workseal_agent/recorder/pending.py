"""Finished stretches on their way into the chain: kept in memory until the ledger has them.

Rules: in order, none dropped, none twice. A commit that reported failure may have kept its row, so
after a failure the ledger is asked before anything is signed again.
"""

from collections import deque
from collections.abc import Callable

from workseal_agent.chain import OwnChainError
from workseal_agent.language import phrase, told_of
from workseal_agent.ledger import Ledger, LedgerError
from workseal_agent.recorder.session import Draft, SessionBook


class Pending:
    """Sign and store drafts, again and again until it succeeds."""

    def __init__(self, book: SessionBook, ledger: Ledger, on_statement: Callable[[], None]) -> None:
        self._book = book
        self._ledger = ledger
        self._on_statement = on_statement
        self._drafts: deque[Draft] = deque()
        self._unsure = False
        self.trouble: str | None = None
        self.lost_ms = 0

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """Return what is not stored yet, oldest first."""
        return tuple(self._drafts)

    def add(self, draft: Draft) -> None:
        """Take a finished stretch."""
        self._drafts.append(draft)

    def flush(self, engagement: bytes, *, declare: bool) -> None:
        """Store what can be stored now; `declare` also describes finished off-screen work."""
        try:
            while self._drafts:
                draft = self._drafts[0]
                if not (self._unsure and self._is_stored(draft)):
                    self._store(draft)
                self._drafts.popleft()
                self._unsure = False
                self._on_statement()
            self.trouble = None
            if declare:
                self.declare_memo(engagement)
        except LedgerError as error:
            self._unsure = True
            self.trouble = told_of(error)

    def require_stored(self, engagement: bytes, *, declare: bool) -> None:
        """Store everything, or raise `LedgerError`."""
        self.flush(engagement, declare=declare)
        if self._drafts:
            raise LedgerError(self.trouble or phrase("the last segments are not stored yet"))

    def declare_memo(self, engagement: bytes) -> None:
        """Describe the off-screen work that a memo was written for.

        What cannot be described is told as a trouble and never holds up segments, start or stop.
        """
        while (memo := self._ledger.memo(engagement)) is not None:
            try:
                self._book.declare(memo)
            except OwnChainError as error:
                self.trouble = phrase(
                    "the memo of off-screen work is not recorded: {error}", error=told_of(error)
                )
                return
            self._on_statement()

    def _is_stored(self, draft: Draft) -> bool:
        return self._ledger.has_segment(draft.session, draft.begin_ms, draft.end_ms)

    def _store(self, draft: Draft) -> None:
        try:
            self._book.segment(draft)
        except OwnChainError:
            # Signing it would void the whole chain: it is lost, and the next segment says so.
            self.lost_ms += draft.worked_ms
