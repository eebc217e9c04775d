"""One day of an engagement: what every minute was, why, and what the client can see of it.

Rules: the functions of the client's and the arbitrator's own tools fold the same signed statements
here; nothing is counted by another rule. What is not signed yet, or not proved yet, is told as such
and never left out. A minute of which nothing was recorded says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from workseal_agent.ledger import CaptureRow, Engagement, Ledger, SendState, StoredStatement
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.commitment import Note, Opening, ValueKind, parse_notes
from workseal_protocol.diary import DiaryState, Span, diary_of
from workseal_protocol.errors import VerificationError
from workseal_protocol.labels import Labelled, labelled_of
from workseal_protocol.policy import TlogPolicy, VerifiedCheckpoint, verify_checkpoint
from workseal_protocol.records import Evidence, Record, Segment, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_protocol.totals import DayTotal, Totals, totals_of
from workseal_protocol.window import Entry, Grade, Window, WindowError, grade, windows_of

_STATES = {
    "working": DiaryState.WORKING,
    "off-screen": DiaryState.OFF_SCREEN,
    "sealed": DiaryState.SEALED,
}
# How long after a gap the recording that tells of it is looked for.
_NEXT_MS = 12 * 3_600_000
_UNSENT = {
    SendState.UNSENT: "waiting",
    SendState.HELD: "waiting",
    SendState.PARKED: "parked",
}


class Way(StrEnum):
    """Say how far the record of a stretch came on its way to the log."""

    NOTHING = "nothing"
    RUNNING = "running"
    WAITING = "waiting"
    PARKED = "parked"
    LOGGED = "logged"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hold a part of the day in which state, reason and way are one: [begin, end) in Unix ms."""

    begin_ms: int
    end_ms: int
    state: DiaryState
    way: Way
    worked_ms: int = 0
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """Hold a day in its zone, up to now: `seen` is what stands in the log, for the client.

    The stretches cover every moment from `begin_ms` to `until_ms`.
    """

    day: date
    zone: ZoneInfo
    begin_ms: int
    end_ms: int
    until_ms: int
    stretches: tuple[Stretch, ...]
    signed: Totals
    seen: Totals
    running_ms: int
    captures: tuple[CaptureRow, ...]

    @property
    def worked_ms(self) -> int:
        """Give the true total of the day, with what is counted and not signed yet."""
        total = self.total(self.signed)
        return self.running_ms + (sum(total.worked_ms.values()) if total else 0)

    def total(self, totals: Totals) -> DayTotal | None:
        """Return this day of some totals; None when nothing of it is in them."""
        return next((one for one in totals.days if one.day == self.day), None)

    def at(self, instant_ms: int) -> Stretch | None:
        """Return the stretch that holds a moment."""
        return next(
            (one for one in self.stretches if one.begin_ms <= instant_ms < one.end_ms), None
        )


def bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Return when a day begins and ends; it may have 23 or 25 hours."""
    midnights = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    begin, end = (int(one.timestamp() * 1000) for one in midnights)
    return begin, end


def day_at(now_ms: int, zone: ZoneInfo) -> date:
    """Return the day of a moment."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()


def worked_today(
    ledger: Ledger,
    engagement: Engagement,
    running: dict[str, Any] | None,
    now_ms: int,
    zone: ZoneInfo,
) -> int:
    """Add up the worked time of today in a zone, what is not signed yet included."""
    begin, end = bounds(day_at(now_ms, zone), zone)
    signed = sum(row.worked_ms for row in ledger.segments(engagement.id, begin, end))
    unsigned = (running or {}).get("running", [])
    return signed + sum(int(worked) for at, worked in unsigned if begin <= at < end)


def read_day(
    ledger: Ledger,
    engagement: Engagement,
    running: dict[str, Any] | None,
    day: date,
    now_ms: int,
    zone: ZoneInfo,
) -> Day:
    """Read a day of a zone; `running` is what this engagement's recording says of itself."""
    terms = engagement.terms
    begin, end = bounds(day, zone)
    stored = ledger.told_of(engagement.id, begin, end)
    entries = _entries(ledger, engagement.id, terms, stored)
    logged = [entry for entry, one in entries if one.state is SendState.RECEIPTED]
    every = [entry for entry, _ in entries]
    counted = _running(running, begin, end, now_ms)
    until = max(begin, min(end, now_ms))
    spans = [_logged(span, begin, end) for span in diary_of(every)]
    told = [one for one in spans if one.begin_ms < one.end_ms]
    marked = _marked(told, [(entry, one) for entry, one in entries])
    return Day(
        day=day,
        zone=zone,
        begin_ms=begin,
        end_ms=end,
        until_ms=until,
        stretches=tuple(_filled([*marked, *counted], begin, until)),
        signed=totals_of(terms, every, zone),
        seen=totals_of(terms, logged, zone),
        running_ms=sum(one.worked_ms for one in counted),
        captures=tuple(
            row for row in ledger.captures(engagement.id) if begin <= row.captured_ms < end
        ),
    )


def entries_of(ledger: Ledger, engagement: Engagement, begin_ms: int, end_ms: int) -> list[Entry]:
    """Return what tells of a stretch of time, for the functions that fold a diary."""
    stored = ledger.told_of(engagement.id, begin_ms, end_ms)
    return [entry for entry, _ in _entries(ledger, engagement.id, engagement.terms, stored)]


def notes_of(
    ledger: Ledger, engagement: Engagement, begin_ms: int, end_ms: int
) -> tuple[Note, ...]:
    """Return the agent's remarks about a stretch; the ledger must have been opened with its key.

    What interrupted the recording stands in the first segment after the gap, so that one belongs
    to a stretch in which nothing was recorded.
    """
    stored = ledger.told_of(engagement.id, begin_ms, end_ms + _NEXT_MS)
    segments = sorted(
        (
            (record.begin, one.digest)
            for one in stored
            if isinstance(record := read_record(Statement.parse(one.body)), Segment)
        ),
        key=lambda pair: pair[0],
    )
    inside = [digest for begin, digest in segments if begin < end_ms]
    following = [digest for begin, digest in segments if begin >= end_ms]
    return tuple(
        note
        for digest in inside or following[:1]
        for value in ledger.private_values(digest)
        if value.kind == ValueKind.NOTES
        for note in parse_notes(value.value)
    )


def labels_over(
    ledger: Ledger, engagement: Engagement, entries: Sequence[Entry], zone: ZoneInfo
) -> Labelled:
    """Fold every label of an engagement over the time that entries tell, as a client does.

    The ledger must have been opened with its key. A label may have come long after its time.
    """
    stored = ledger.of_kind(engagement.id, Evidence.KIND.value)
    labelling = [
        Entry(one.number, one.digest, read_record(Statement.parse(one.body)), Window(), None)
        for one in stored
    ]
    openings = [
        Opening(one.digest, ValueKind.EVIDENCE, value.salt, value.value)
        for one in stored
        for value in ledger.private_values(one.digest)
        if value.kind == ValueKind.EVIDENCE
    ]
    return labelled_of([*entries, *labelling], openings, zone)


def _entries(
    ledger: Ledger, engagement: bytes, terms: Terms, stored: Sequence[StoredStatement]
) -> list[tuple[Entry, StoredStatement]]:
    """Join statements with what is known of their time; those in the log first, in its order."""
    last = max((one.log_index or 0 for one in stored), default=0) + 1
    placed = sorted(stored, key=lambda one: (one.log_index is None, one.log_index or one.number))
    records = [read_record(Statement.parse(one.body)) for one in placed]
    logged = [
        (one.log_index, record)
        for one, record in zip(placed, records, strict=True)
        if one.log_index is not None
    ]
    windows = _windows(ledger, engagement, terms, logged)
    entries = []
    for number, (one, record) in enumerate(zip(placed, records, strict=True)):
        window = windows[number] if number < len(windows) else Window()
        index = one.log_index if one.log_index is not None else last + number
        known = grade(record, window, terms.round_ms)
        entries.append((Entry(index, one.digest, record, window, known), one))
    return entries


def _windows(
    ledger: Ledger, engagement: bytes, terms: Terms, logged: Sequence[tuple[int, Record]]
) -> tuple[Window, ...]:
    if not logged:
        return ()
    checkpoints = _checkpoints(ledger, engagement, terms, logged[0][0], logged[-1][0])
    try:
        return windows_of(logged, checkpoints, round_ms=terms.round_ms)
    except WindowError:
        # The bundle's own examination names the contradiction; here no time is claimed as proved.
        return tuple(Window() for _ in logged)


def _checkpoints(
    ledger: Ledger, engagement: bytes, terms: Terms, first: int, last: int
) -> list[VerifiedCheckpoint]:
    policy = TlogPolicy.parse(terms.log_policy)
    verified = []
    for body in ledger.checkpoints_over(engagement, first, last):
        try:
            verified.append(verify_checkpoint(SignedCheckpoint.parse(body), policy))
        except VerificationError:
            continue  # a changed row proves nothing; the rest may
    return verified


def _logged(span: Span, begin: int, end: int) -> Stretch:
    """Cut a span to the day; its worked time in proportion, as the totals cut it."""
    low, high = max(span.begin, begin), min(span.end, end)
    length = span.end - span.begin
    worked = span.worked_ms * max(0, high - low) // length
    gap = span.state in {DiaryState.PAUSED, DiaryState.NO_SESSION}
    way = Way.NOTHING if gap else Way.LOGGED
    return Stretch(low, high, span.state, way, worked, span.grade)


def _marked(
    stretches: Iterable[Stretch], entries: Iterable[tuple[Entry, StoredStatement]]
) -> Iterator[Stretch]:
    """Say of each part whether it is in the log: what is not is cut out of what the diary joins."""
    unsent: list[tuple[int, int, Way]] = []
    for entry, one in sorted(
        ((entry, one) for entry, one in entries if one.state is not SendState.RECEIPTED),
        key=lambda pair: getattr(pair[0].record, "begin", 0),
    ):
        record = entry.record
        if not isinstance(record, Segment):
            continue
        way = Way(_UNSENT[one.state])
        if unsent and unsent[-1][1] == record.begin and unsent[-1][2] is way:
            unsent[-1] = (unsent[-1][0], record.end, way)
        else:
            unsent.append((record.begin, record.end, way))
    for stretch in stretches:
        if stretch.way is Way.NOTHING:
            yield stretch
        else:
            yield from _cut(stretch, unsent)


def _cut(stretch: Stretch, unsent: Iterable[tuple[int, int, Way]]) -> Iterator[Stretch]:
    at = stretch.begin_ms
    for begin, end, way in unsent:
        low, high = max(begin, at), min(end, stretch.end_ms)
        if low >= high:
            continue
        if at < low:
            yield _part(stretch, at, low, stretch.way)
        yield _part(stretch, low, high, way)
        at = high
    if at < stretch.end_ms:
        yield _part(stretch, at, stretch.end_ms, stretch.way)


def _part(stretch: Stretch, begin: int, end: int, way: Way) -> Stretch:
    length = stretch.end_ms - stretch.begin_ms
    worked = stretch.worked_ms * (end - begin) // length
    known = stretch.grade if way is Way.LOGGED or stretch.grade is not Grade.LATE else None
    return replace(stretch, begin_ms=begin, end_ms=end, way=way, worked_ms=worked, grade=known)


def _running(
    running: dict[str, Any] | None, begin: int, end: int, now_ms: int
) -> tuple[Stretch, ...]:
    told = (running or {}).get("running", [])
    state = _STATES.get((running or {}).get("state", ""), DiaryState.WORKING)
    stretches = []
    for at, worked in told:
        low, high = max(int(at), begin), min(int(at) + int(worked), end, now_ms)
        if low < high:
            stretches.append(Stretch(low, high, state, Way.RUNNING, high - low))
    return tuple(stretches)


def _filled(stretches: Sequence[Stretch], begin: int, until: int) -> Iterator[Stretch]:
    """Put the day in order, with every moment that nothing tells of named as such."""
    at = begin
    for stretch in sorted(stretches, key=lambda one: (one.begin_ms, one.end_ms)):
        if at < stretch.begin_ms:
            yield Stretch(at, stretch.begin_ms, DiaryState.NO_SESSION, Way.NOTHING)
        if stretch.end_ms > at:
            # Time told of twice (recorded, and declared late) is shown once, as it was recorded.
            yield replace(stretch, begin_ms=max(at, stretch.begin_ms))
            at = stretch.end_ms
    if at < until:
        yield Stretch(at, until, DiaryState.NO_SESSION, Way.NOTHING)
