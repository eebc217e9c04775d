"""The timesheets of some days, what the record says to them, and what the client answered.

Rules: the protocol's fold judges, over the statements that the timesheet itself counts up to. A
judgement never changes, so it is kept; answers are read each time. Of very many the newest are
read, and it is said that there are older ones. The server answers nothing in anybody's name.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from workseal_protocol.accepted import Acceptance, acceptances_of
from workseal_protocol.digest import Digest
from workseal_protocol.records import Record, Timesheet
from workseal_protocol.statement import Kind
from workseal_protocol.timesheets import Agreement, SheetFinding, date_of, day_number, timesheets_of
from workseal_protocol.window import Entry, Window
from workseal_verifier.services.diaries import Agreed, Diaries, Reach
from workseal_verifier.services.weekfold import read_records
from workseal_verifier.store.logrows import Entry as Stored
from workseal_verifier.store.records import RecordStore

# Timesheets and answers of one engagement that are read for a page: the newest.
MOST_SHEETS = 1_000
# Timesheets that one page judges.
MOST_JUDGED = 20
_KEPT = 4_096
_KINDS = (Kind.TIMESHEET.value, Kind.TIMESHEET_ANSWER.value)

_Judged = tuple[Agreement, str]
_TOO_LONG: _Judged = (
    Agreement.UNCHECKED,
    "too many statements tell of its days for this page; `workseal verify` checks it",
)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Hold timesheets in log order; `older` says that earlier ones were not read.

    `acceptances` says of each what was accepted beside it, also in timesheets of other days.
    """

    sheets: tuple[SheetFinding, ...]
    older: bool
    acceptances: Mapping[Digest, Acceptance]


class SheetReview:
    """Find timesheets, and judge them."""

    def __init__(self, records: RecordStore, diaries: Diaries) -> None:
        self._records = records
        self.diaries = diaries
        self._lock = threading.Lock()
        self._judged: OrderedDict[Digest, _Judged] = OrderedDict()

    def of_days(self, agreed: Agreed, first: date, last: date, reach: Reach) -> Reviewed:
        """Return the timesheets with days of [first, last], and what the record says to them."""
        entries, older = self._read(agreed, reach)
        low, high = day_number(first), day_number(last)
        every = timesheets_of(agreed.terms, entries, agreed.zone)
        found = [one for one in every if one.record.first <= high and low <= one.record.last]
        places = {entry.digest: entry.index for entry in entries}
        judged = [
            self._judge(agreed, one.digest, one.record, places[one.digest])
            for one in found[-MOST_JUDGED:]
        ]
        unjudged = [
            replace(one, agreement=Agreement.UNCHECKED, why="several newer ones are")
            for one in found[:-MOST_JUDGED]
        ]
        checked = (
            replace(one, agreement=agreement, why=why)
            for one, (agreement, why) in zip(found[-MOST_JUDGED:], judged, strict=True)
        )
        return Reviewed((*unjudged, *checked), older, acceptances_of(every))

    def listed(self, agreed: Agreed, reach: Reach) -> Reviewed:
        """Return all timesheets with what was answered, without looking at the record."""
        entries, older = self._read(agreed, reach)
        found = timesheets_of(agreed.terms, entries, agreed.zone)
        unjudged = (replace(one, agreement=Agreement.UNCHECKED, why="") for one in found)
        return Reviewed(tuple(unjudged), older, acceptances_of(found))

    def _read(self, agreed: Agreed, reach: Reach) -> tuple[list[Entry], bool]:
        stored = self._records.of_engagement_and_kinds(
            agreed.engagement, _KINDS, since=0, below=reach.size
        )
        newest: deque[Stored] = deque(maxlen=MOST_SHEETS + 1)
        newest.extend(stored)
        older = len(newest) > MOST_SHEETS
        if older:
            newest.popleft()
        return [_entry(*told) for told in read_records(newest)], older

    def _judge(self, agreed: Agreed, digest: Digest, sheet: Timesheet, index: int) -> _Judged:
        with self._lock:
            known = self._judged.get(digest)
        if known is not None:
            return known
        # As much as a week: no more than one question does that at a time.
        with self.diaries.turn():
            days = date_of(sheet.first), date_of(sheet.last)
            work = self.diaries.work_of_days(agreed, *days, index)
            found = _TOO_LONG
            if work is not None:
                found = _found(agreed, digest, sheet, index, self._with_head(agreed, sheet, work))
        with self._lock:
            self._judged[digest] = found
            if len(self._judged) > _KEPT:
                self._judged.popitem(last=False)
        return found

    def _with_head(
        self, agreed: Agreed, sheet: Timesheet, work: Sequence[Stored]
    ) -> list[tuple[Stored, Record]]:
        """Add the statement that a timesheet counts up to, which may tell of another day."""
        head = self._records.by_digest(sheet.head)
        own = head is not None and head.engagement == agreed.engagement
        rows = {one.position: one for one in work}
        if own and head is not None:
            rows[head.position] = head
        return read_records(rows[place] for place in sorted(rows))


def _found(
    agreed: Agreed,
    digest: Digest,
    sheet: Timesheet,
    index: int,
    told: Sequence[tuple[Stored, Record]],
) -> _Judged:
    own = Entry(index, digest, sheet, Window(), None)
    entries = sorted([*(_entry(*pair) for pair in told), own], key=lambda entry: entry.index)
    (finding,) = timesheets_of(agreed.terms, entries, agreed.zone)
    return finding.agreement, finding.why


def _entry(one: Stored, record: Record) -> Entry:
    return Entry(one.position, one.digest, record, Window(), None)
