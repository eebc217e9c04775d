"""When each running case is looked at next, so that a turn costs what is due and not what exists.

Rules: a case is looked at when it moved, when the time comes that was noted for it, when its filing
was opened or taken on a channel while it waits for that, and each when the log was down. A safety
look comes after hours, whatever was noted; what was noted by a clock that was ahead is due.
"""

from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.encoding import MAX_INTEGER
from workseal_verifier.store.logrows import CaseRow
from workseal_verifier.store.notices import NoticeStore
from workseal_verifier.store.presence import PresenceStore
from workseal_verifier.store.records import RecordStore

# The longest time in which nobody looks at a case.
SAFETY_MS: Final = 6 * 3_600_000
# What another process wrote by its own clock may be told of so late.
_LATE_MS: Final = 600_000
# Cases in one read of the store.
_PAGE: Final = 256

# By the filing: the newest step, and when the case is looked at.
Noted = dict[Digest, tuple[CaseRow, int]]


class Wakes:
    """Know the running cases, and when each is looked at; of one process, in memory."""

    def __init__(self, records: RecordStore, notices: NoticeStore, presence: PresenceStore) -> None:
        self._records = records
        self._notices = notices
        self._presence = presence
        # Before which place all steps are known, None for none; since when the log was up.
        self._below: int | None = None
        self._up_since: int | None = None
        self._looked_ms = 0
        self._at: Noted = {}

    def due(self, now_ms: int) -> list[CaseRow]:
        """List the cases to look at now, by their newest steps, the earliest deadline first."""
        self._follow()
        up_since = self._presence.newest_begin(now_ms)
        if up_since != self._up_since:
            # An outage may have moved any deadline.
            self._at = {filing: (row, 0) for filing, (row, _) in self._at.items()}
            self._up_since = up_since
        told = self._notices.ended_since(min(self._looked_ms, now_ms) - _LATE_MS)
        self._looked_ms = now_ms
        for filing in told:
            row, _ = self._at.get(filing, (None, 0))
            if row is not None and row.state == State.NOTICE.value:
                # Until somebody has looked: a turn may end before it comes to this case.
                self._at[filing] = (row, 0)
        found = [row for row, at in self._at.values() if at <= now_ms or at > now_ms + SAFETY_MS]
        return sorted(found, key=lambda row: (row.until_ms or 0, row.position))

    def note(self, row: CaseRow, at_ms: int, now_ms: int) -> None:
        """Have a case looked at at an instant, or after a safety time."""
        self._at[row.filing] = (row, min(at_ms, now_ms + SAFETY_MS))

    def _follow(self) -> None:
        """Take in what was logged since, with everything that runs the first time."""
        below = self._records.cases.end()
        rows = (
            self._running()
            if self._below is None
            else self._records.cases.moved(self._below, below=below)
        )
        for row in rows:
            if row.until_ms is None:
                self._at.pop(row.filing, None)
            else:
                self._at[row.filing] = (row, 0)
        self._below = below

    def _running(self) -> list[CaseRow]:
        found: list[CaseRow] = []
        after = (0, -1)
        while rows := self._records.cases.running(MAX_INTEGER, after=after, most=_PAGE):
            found += rows
            after = (rows[-1].until_ms or 0, rows[-1].position)
        return found
