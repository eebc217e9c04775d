"""One week of an engagement, folded by the functions that every party's own tools fold with.

Rules: nothing is counted here by a rule of the server's own. A statement belongs to the week in
which its time begins, and a drawn capture to that in which its round's first statement does, so
that counts add up over weeks; days are cut at midnight wherever a statement began, so that a day is
whole. docs/spec/totals.md
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.days import DayTotal, days_of
from workseal_protocol.diary import DiaryState, Span, diary_of
from workseal_protocol.errors import VerificationError
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.records import Declaration, Record, Segment, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_protocol.totals import (
    LimitExceeded,
    Totals,
    nearby_ms,
    totals_between,
    weekly_limits,
    withdrawn_limit,
)
from workseal_protocol.window import Entry, Window, WindowError, grade, windows_of
from workseal_verifier.store.logrows import Entry as Stored

DAYS = 7
# Why a gap is one, where the sessions around it are not of the statements that were read.
UNSURE = "nothing was recorded: paused, or no session was open"


@dataclass(frozen=True, slots=True)
class Week:
    """Hold a week of a diary, from its Monday.

    `days` and `exceeded` are those of this week; `totals` counts what begins in it. What limits no
    week in particular is no week's to pass: `overall_limits`. `contradicted` says that bounds of
    its statements contradict each other, so that none is shown as proved.
    """

    monday: date
    days: tuple[DayTotal, ...]
    totals: Totals
    exceeded: tuple[LimitExceeded, ...]
    spans: tuple[Span, ...]
    contradicted: bool

    def total(self, day: date) -> DayTotal | None:
        """Return one day; None when nothing of it is worked."""
        return next((one for one in self.days if one.day == day), None)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def bounds(day: date, zone: tzinfo, *, days: int = 1) -> tuple[int, int]:
    """Return when so many days begin and end, in Unix milliseconds; a day may have 23 hours."""
    midnights = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=days)))
    begin, end = (int(one.timestamp() * 1000) for one in midnights)
    return begin, end


def reads_of(terms: Terms, monday: date, zone: tzinfo) -> tuple[int, int]:
    """Return of what time a week's statements are to be read: of some seconds around it, too."""
    begin, end = bounds(monday, zone, days=DAYS)
    return begin - nearby_ms(terms), end + nearby_ms(terms)


def read_records(stored: Iterable[Stored]) -> list[tuple[Stored, Record]]:
    """Read what was admitted when it was logged."""
    return [(one, read_record(Statement.parse(one.body))) for one in stored]


def entries_of(
    terms: Terms, told: Sequence[tuple[Stored, Record]], signed: Iterable[bytes]
) -> tuple[tuple[Entry, ...], bool]:
    """Join statements, in log order, with what checkpoints prove of their time.

    Time-stamps are left out: whose authority counts is for each reader to say. Also tells whether
    bounds contradict each other; then nothing is claimed as proved.
    """
    items = [(one.position, record) for one, record in told]
    proven = frozenset(
        one.position
        for one, record in told
        if isinstance(record, Segment) and record.verifier_value is not None
    )
    contradicted = False
    try:
        windows = windows_of(
            items, _verified(terms, signed), round_ms=terms.round_ms, beacon_proven=proven
        )
    except WindowError:
        # The examination of a bundle names it; here no time is told as proved.
        windows, contradicted = tuple(Window() for _ in items), True
    entries = tuple(
        Entry(one.position, one.digest, record, window, grade(record, window, terms.round_ms))
        for (one, record), window in zip(told, windows, strict=True)
    )
    return entries, contradicted


def fold_week(
    terms: Terms, zone: tzinfo, monday: date, entries: Sequence[Entry], *, contradicted: bool
) -> Week:
    """Fold what tells of a week, and of the time of `reads_of` around it.

    Entries that reach beyond it count with their part of its days.
    """
    begin, end = bounds(monday, zone, days=DAYS)
    last = monday + timedelta(days=DAYS)
    touching = [one for one in entries if not _lies_beside(one.record, begin, end)]
    days = tuple(one for one in days_of(entries, zone) if monday <= one.day < last)
    return Week(
        monday=monday,
        days=days,
        totals=totals_between(terms, entries, zone, begin, end),
        exceeded=tuple(weekly_limits(terms, days)),
        spans=tuple(one for one in _spans(touching) if one.begin < end and one.end > begin),
        contradicted=contradicted,
    )


def overall_limits(terms: Terms, weeks: Iterable[Week]) -> tuple[LimitExceeded, ...]:
    """Judge, over all weeks of an engagement, the limits of the terms that are about all of it."""
    totals = [week.totals for week in weeks]
    captured, thinned = sum(one.captured for one in totals), sum(one.thinned for one in totals)
    return tuple(withdrawn_limit(terms, captured, thinned))


def _lies_beside(record: Record, begin: int, end: int) -> bool:
    """Tell of a record of time whether all of it lies outside."""
    if not isinstance(record, Segment | Declaration):
        return False
    return record.begin >= end or record.end <= begin


def _spans(entries: Sequence[Entry]) -> Iterator[Span]:
    """Fold spans; whether the session before or after all of them went on is not known here."""
    recorded = [entry.record for entry in entries if isinstance(entry.record, Segment)]
    first = min((one.begin for one in recorded), default=0)
    last = max((one.end for one in recorded), default=0)
    for span in diary_of(entries):
        known = bool(recorded) and first <= span.begin and span.end <= last
        if span.state is DiaryState.NO_SESSION and not known:
            yield replace(span, reason=UNSURE)
        else:
            yield span


def _verified(terms: Terms, signed: Iterable[bytes]) -> list[VerifiedCheckpoint]:
    policy = TlogPolicy.parse(terms.log_policy)
    verified = []
    for body in signed:
        try:
            verified.append(verify_checkpoint(SignedCheckpoint.parse(body), policy))
        except VerificationError:
            # One without the quorum of these terms proves nothing to their parties.
            continue
    return verified
