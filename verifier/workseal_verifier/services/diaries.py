"""The diary of an engagement, as its parties' pages show it: weeks, minutes, timesheets.

Rules: only what a signed checkpoint covers is told, and up to which one is told with it. What is
folded is bounded for each question, and one is folded at a time; a week is kept until a statement
comes that is about it. Nothing here is about more than one engagement.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workseal_protocol.chain import LONGEST_DECLARATION
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.records import Declaration, DeclarationForm, Offer, Record, Segment
from workseal_protocol.records import read_record as read
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_protocol.totals import nearby_ms
from workseal_protocol.window import Entry
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.diarynews import spans_of
from workseal_verifier.services.publication import Published
from workseal_verifier.services.weekfold import (
    DAYS,
    Week,
    bounds,
    entries_of,
    fold_week,
    monday_of,
    read_records,
    reads_of,
)
from workseal_verifier.store.diaryrows import DiaryRowStore, Whose
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Entry as Stored
from workseal_verifier.store.records import RecordStore

# A week has 20,160 rounds of 30 seconds.
MOST_IN_WEEK = 40_000
# Statements that one question may have folded anew, but for the week that passes this: some 0.4 ms
# each, most of it for the signatures of a checkpoint of its own. The next question goes on.
MOST_ANEW = 10_000
_BOOKS = 64
# Who folds and who waits for that; each holds a thread that other requests need too.
_WAITING = 4
# Weeks and their spans, of all engagements together.
_KEPT = 100_000
_MINUTE_MS = 60_000
_FIRST_DAY, _LAST_DAY = date(1970, 1, 12), date(9_000, 1, 1)

_Told = list[tuple[Stored, Record]]
# Hears what was read for a week that is folded anew, by its Monday.
Heard = Callable[[date, Sequence[tuple[Stored, Record]]], None]


@dataclass(frozen=True, slots=True)
class Reach:
    """Say up to where the log is told of, and when that was signed."""

    size: int
    signed_ms: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """Hold an engagement's terms, and the zone in which its days are cut.

    `known` is False where this machine does not know the zone of the terms, and UTC stands for it.
    """

    engagement: bytes
    terms: Terms
    zone: tzinfo
    known: bool

    @property
    def whose(self) -> Whose:
        """Return what the store finds the work by."""
        return Whose(self.engagement, self.terms.freelancer.thumbprint.raw)


@dataclass(frozen=True, slots=True)
class Course:
    """Hold the weeks of an engagement in which work is told of, and those not counted yet."""

    weeks: tuple[Week, ...]
    uncounted: tuple[date, ...]


@dataclass(slots=True)
class _Book:
    """What is kept of one engagement, and up to where it was looked at."""

    seen: int = 0
    weeks: dict[date, Week] = field(default_factory=dict)
    live: list[tuple[Stored, Record]] | None = None

    @property
    def weight(self) -> int:
        spans = (span for week in self.weeks.values() for span in week.spans)
        held = len(self.weeks) + sum(1 + len(span.course) for span in spans)
        return held + len(self.live or ())


class Diaries:
    """Answer from the published log."""

    def __init__(
        self,
        *,
        log: LogStore,
        records: RecordStore,
        current: Callable[[], Published],
    ) -> None:
        self._log = log
        self._records = records
        self._rows = DiaryRowStore(records.database)
        self._current = current
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_WAITING)
        self._books: OrderedDict[bytes, _Book] = OrderedDict()

    def reach(self) -> Reach:
        """Tell up to where everything is told."""
        size = self._current().size
        signed = self._log.committed(size)
        at = None if signed is None else signed.signed_at
        return Reach(size, (at or 0) * 1000)

    def agreed(self, engagement: bytes) -> Agreed:
        """Return what an engagement agreed on."""
        offer = self._records.first_of(engagement)
        if offer is None:
            raise RefusedError(Reason.NOT_FOUND, "no such engagement")
        record = read(Statement.parse(offer.body))
        if not isinstance(record, Offer):
            raise RefusedError(Reason.NOT_FOUND, "no such engagement")
        try:
            return Agreed(engagement, record.terms, ZoneInfo(record.terms.zone), known=True)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return Agreed(engagement, record.terms, UTC, known=False)

    def days(self, agreed: Agreed, reach: Reach) -> tuple[date, date] | None:
        """Return the first and the last day of which work is told; None when there is none."""
        found = self._rows.reach(agreed.whose, below=reach.size)
        if found is None:
            return None
        first, last = _days_of(*found, agreed.zone)
        return max(first, _FIRST_DAY), min(last, _LAST_DAY)

    def told_until(self, agreed: Agreed, reach: Reach) -> int:
        """Return the end of the last work that is told of, in Unix milliseconds; 0 for none."""
        found = self._rows.reach(agreed.whose, below=reach.size)
        return 0 if found is None else found[1]

    def course(
        self,
        agreed: Agreed,
        reach: Reach,
        *,
        between: tuple[date, date] | None = None,
        heard: Heard | None = None,
    ) -> Course:
        """Fold all weeks, or those of some days, the newest first.

        What is too much for one question waits. `heard` is told what a week was folded from, so
        that who needs the same statements reads them once.
        """
        days = self.days(agreed, reach)
        if days is not None and between is not None:
            days = max(days[0], between[0]), min(days[1], between[1])
        if days is None or days[0] > days[1]:
            return Course((), ())
        weeks, uncounted, anew = [], [], 0
        with self.turn():
            book = self._book(agreed, reach)
            for monday in _mondays(*days):
                week = book.weeks.get(monday)
                if week is None and anew < MOST_ANEW:
                    week, told = self._folded(book, agreed, monday, reach)
                    anew += len(told)
                    if heard is not None and week is not None:
                        heard(monday, told)
                if week is None:
                    uncounted.append(monday)
                elif week.days:
                    weeks.append(week)
            self._keep(agreed.engagement, book)
        return Course(tuple(weeks), tuple(uncounted))

    def week(self, agreed: Agreed, day: date, reach: Reach) -> Week:
        """Fold the week of a day."""
        monday = monday_of(day)
        with self.turn():
            book = self._book(agreed, reach)
            week = book.weeks.get(monday)
            if week is None:
                week, _ = self._folded(book, agreed, monday, reach)
            self._keep(agreed.engagement, book)
        if week is None:
            raise RefusedError(
                Reason.TOO_LARGE,
                f"more than {MOST_IN_WEEK} statements tell of this week: `workseal hours` counts"
                " them on your own machine",
            )
        return week

    def minute(self, agreed: Agreed, at_ms: int, reach: Reach) -> tuple[Entry, ...]:
        """Return the statements that claim time of a minute, and their withdrawals."""
        with self.turn():
            stored = self._work(agreed, at_ms, at_ms + _MINUTE_MS, reach, most=MOST_IN_WEEK)
            return self._entries(agreed, [], read_records(stored), reach)[0]

    def work_of_days(
        self, agreed: Agreed, first: date, last: date, below: int
    ) -> list[Stored] | None:
        """Return what claims time of some days; None when it is more than one week may have."""
        begin, end = bounds(first, agreed.zone, days=(last - first).days + 1)
        stored = self._work(agreed, begin, end, Reach(below, 0), most=MOST_IN_WEEK + 1)
        return stored if len(stored) <= MOST_IN_WEEK else None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Fold alone; who would wait behind several others is told to come back."""
        if not self._waiting.acquire(blocking=False):
            raise RefusedError(Reason.BUSY, "several diaries are being counted", retry_after=5)
        try:
            with self._lock:
                yield
        finally:
            self._waiting.release()

    def _book(self, agreed: Agreed, reach: Reach) -> _Book:
        """Return what is kept, without what has been told of since."""
        book = self._books.get(agreed.engagement)
        if book is None or reach.size < book.seen:
            return _Book(reach.size)
        came = self._rows.came(
            agreed.engagement, since=book.seen, below=reach.size, most=MOST_IN_WEEK + 1
        )
        book.seen = reach.size
        if len(came) > MOST_IN_WEEK:
            return _Book(reach.size)
        spans = spans_of(self._records, came)
        if spans is None:
            return _Book(reach.size)
        # A week is folded from what stands around it, too.
        near = nearby_ms(agreed.terms)
        for begin_ms, end_ms in spans:
            for monday in _mondays(*_days_of(begin_ms - near, end_ms + near, agreed.zone)):
                book.weeks.pop(monday, None)
        if any(one.kind == Kind.DECLARATION for one in came):
            book.live = None
        return book

    def _folded(
        self, book: _Book, agreed: Agreed, monday: date, reach: Reach
    ) -> tuple[Week | None, _Told]:
        begin, end = reads_of(agreed.terms, monday, agreed.zone)
        stored = self._work(agreed, begin, end, reach, most=MOST_IN_WEEK + 1)
        if len(stored) > MOST_IN_WEEK:
            return None, []
        if book.live is None:
            book.live = self._live(agreed, reach)
        told = read_records(stored)
        entries, contradicted = self._entries(agreed, book.live, told, reach)
        week = fold_week(agreed.terms, agreed.zone, monday, entries, contradicted=contradicted)
        book.weeks[monday] = week
        return week, told

    def _work(
        self, agreed: Agreed, begin_ms: int, end_ms: int, reach: Reach, *, most: int
    ) -> list[Stored]:
        return self._rows.work(
            agreed.whose,
            begin_ms,
            end_ms,
            longest_ms=LONGEST_DECLARATION + 1,
            below=reach.size,
            most=most,
        )

    def _live(self, agreed: Agreed, reach: Reach) -> _Told:
        """Read the declarations that describe recorded time; they are few, and about any week."""
        kinds = (Kind.DECLARATION.value,)
        stored = self._records.of_engagement_and_kinds(
            agreed.engagement, kinds, since=0, below=reach.size
        )
        return [
            (one, record)
            for one, record in read_records(stored)
            if isinstance(record, Declaration) and record.form is DeclarationForm.LIVE
        ]

    def _entries(
        self,
        agreed: Agreed,
        live: Sequence[tuple[Stored, Record]],
        work: _Told,
        reach: Reach,
    ) -> tuple[tuple[Entry, ...], bool]:
        frames = [
            frame.raw
            for _, record in work
            if isinstance(record, Segment)
            for frame in record.frames
        ]
        gone = self._rows.withdrawals(agreed.engagement, frames, below=reach.size)
        told = sorted([*work, *live, *read_records(gone)], key=lambda pair: pair[0].position)
        signed: Sequence[bytes] = ()
        # Without a quorum in the terms a checkpoint tells no time.
        if TlogPolicy.parse(agreed.terms.log_policy).quorum is not None:
            signed = self._rows.covering([one.position for one, _ in told])
        return entries_of(agreed.terms, told, signed)

    def _keep(self, engagement: bytes, book: _Book) -> None:
        self._books[engagement] = book
        self._books.move_to_end(engagement)
        weight = sum(one.weight for one in self._books.values())
        while len(self._books) > _BOOKS or (weight > _KEPT and self._books):
            _, gone = self._books.popitem(last=False)
            weight -= gone.weight


def _days_of(begin_ms: int, end_ms: int, zone: tzinfo) -> tuple[date, date]:
    """Return the first and the last day of [begin, end); a moment has its own day."""
    last_ms = max(begin_ms, end_ms - 1)
    first, last = (datetime.fromtimestamp(ms // 1000, zone).date() for ms in (begin_ms, last_ms))
    return first, last


def _mondays(first: date, last: date) -> Iterator[date]:
    monday = monday_of(last)
    while monday >= monday_of(first):
        yield monday
        monday -= timedelta(days=DAYS)
