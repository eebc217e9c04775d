"""Whether a timesheet says what its statements say, and what was answered: a pure fold.

Rules: a timesheet that differs is told and makes nothing fail: the record stands, and a summary of
it was wrong. The newest answer counts, the earlier ones are shown. docs/spec/timesheets.md
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from workseal_protocol.billing import Billed, billed_of
from workseal_protocol.days import DayTotal, worked_shares
from workseal_protocol.digest import Digest
from workseal_protocol.records import (
    CHAINED,
    Record,
    SheetDay,
    Timesheet,
    TimesheetAnswer,
)
from workseal_protocol.terms import Terms, WorkClass
from workseal_protocol.window import Entry

# Whoever makes a bundle does not choose how long a reader works: more than these are not checked.
MAX_CHECKED: Final = 500

_EPOCH: Final = date(1970, 1, 1)


class Agreement(StrEnum):
    """Say how a timesheet relates to the statements that it sums up."""

    AGREES = "agrees with the record"
    DIFFERS = "differs from the record"
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class SheetSums:
    """Hold what a chain says of some days: the rows of a timesheet, and what they cost."""

    days: tuple[SheetDay, ...]
    billed: Billed


@dataclass(frozen=True, slots=True)
class Answered:
    """Hold one answer of the client, the statement that gave it, and its place in the log."""

    index: int
    digest: Digest
    record: TimesheetAnswer


@dataclass(frozen=True, slots=True)
class SheetFinding:
    """Hold a timesheet of a bundle, what a fold finds of it, and its answers in log order.

    `overlaps` is the first other timesheet that has hours on a day of this one: added up, the two
    would count them twice. Timesheets that were replaced overlap with none.
    """

    digest: Digest
    record: Timesheet
    agreement: Agreement
    why: str
    answers: tuple[Answered, ...] = ()
    replaced_by: Digest | None = None
    overlaps: Digest | None = None

    @property
    def answer(self) -> TimesheetAnswer | None:
        """Give the answer that counts: the newest one."""
        return self.answers[-1].record if self.answers else None


def date_of(day: int) -> date:
    """Return the date of a day that counts from 1970-01-01."""
    return _EPOCH + timedelta(days=day)


def day_written(text: str) -> date:
    """Read a day that is written as 2026-11-23; raise `ValueError` for every other form.

    ISO 8601 has others (20261123, 2026-W48-1): who types one has mostly mistyped this one.
    """
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError("another form of a day")
    return day


def day_number(day: date) -> int:
    """Return the number of a date; `date_of` is its inverse."""
    return (day - _EPOCH).days


def sums_of(
    terms: Terms, records: Iterable[Record], zone: tzinfo, *, first: date, last: date
) -> SheetSums:
    """Fold the records of a chain into what a timesheet of the days [first, last] must say."""
    fold = _Fold(zone)
    for record in records:
        fold.add(record)
    return fold.sums(terms, first, last)


def sheet_days(days: Iterable[DayTotal]) -> tuple[SheetDay, ...]:
    """Write days as a timesheet has them: a row for each one with any worked time."""
    return tuple(
        SheetDay(day_number(day.day), *(day.worked_ms[kind] for kind in WorkClass))
        for day in days
        if any(day.worked_ms.values())
    )


def share_days(one: Timesheet, other: Timesheet) -> bool:
    """Tell whether two timesheets are about a common day, with hours or without."""
    return one.first <= other.last and other.first <= one.last


def timesheets_of(terms: Terms, entries: Sequence[Entry], zone: tzinfo) -> tuple[SheetFinding, ...]:
    """Find every timesheet among verified entries, in log order, and check it.

    `zone` must be the one that the terms name: with another, timesheets are not checked.
    """
    sheets = [(entry, entry.record) for entry in entries if isinstance(entry.record, Timesheet)]
    if not sheets:
        return ()
    known = str(zone) == terms.zone
    sums = _sums(terms, entries, zone, [record for _, record in sheets]) if known else {}
    places = {entry.digest: entry.index for entry in entries}
    answers: dict[Digest, list[Answered]] = {}
    for entry in entries:
        if isinstance(entry.record, TimesheetAnswer):
            about = entry.record.timesheet
            if places.get(about, entry.index) < entry.index:
                answers.setdefault(about, []).append(
                    Answered(entry.index, entry.digest, entry.record)
                )
    successors = _successors(sheets)
    overlaps = _overlaps([one for one in sheets if one[0].digest not in successors])
    findings = []
    for place, (entry, record) in enumerate(sheets):
        if not known:
            agreement, why = Agreement.UNCHECKED, f"this machine does not know {terms.zone}"
        elif place >= MAX_CHECKED:
            agreement, why = Agreement.UNCHECKED, f"it is not among the first {MAX_CHECKED}"
        else:
            agreement, why = _judged(record, entry.index, places, sums)
        findings.append(
            SheetFinding(
                entry.digest,
                record,
                agreement,
                why,
                tuple(answers.get(entry.digest, ())),
                successors.get(entry.digest),
                overlaps.get(entry.digest),
            )
        )
    return tuple(findings)


_Sheet = tuple[Entry, Timesheet]


def _successors(sheets: Sequence[_Sheet]) -> dict[Digest, Digest]:
    """Find by what each timesheet was replaced: by a later one with which it shares a day."""
    known: dict[Digest, Timesheet] = {}
    found = {}
    for entry, record in sheets:
        replaced = record.replaces
        earlier = None if replaced is None else known.get(replaced)
        if replaced is not None and earlier is not None and share_days(earlier, record):
            found[replaced] = entry.digest
        known[entry.digest] = record
    return found


def _overlaps(sheets: Sequence[_Sheet]) -> dict[Digest, Digest]:
    """Find for each timesheet the first other one with hours on a day that both have."""
    holders: dict[int, list[int]] = {}
    for place, (_, record) in enumerate(sheets):
        for day in record.days:
            holders.setdefault(day.day, []).append(place)
    found = {}
    for place, (entry, record) in enumerate(sheets):
        # The first two of a day are enough: one of them is another one.
        others = [one for day in record.days for one in holders[day.day][:2] if one != place]
        if others:
            found[entry.digest] = sheets[min(others)][0].digest
    return found


_Wish = tuple[Digest, int, int]


def _judged(
    record: Timesheet, index: int, places: Mapping[Digest, int], sums: Mapping[_Wish, SheetSums]
) -> tuple[Agreement, str]:
    found = sums.get((record.head, record.first, record.last))
    if found is None:
        return Agreement.UNCHECKED, "the statement that it counts up to is not in the chain here"
    if places[record.head] > index:
        return Agreement.DIFFERS, "it counts up to a statement that came after it"
    if found.days != record.days:
        return Agreement.DIFFERS, "its days are not those of the chain"
    if (found.billed.ms, found.billed.amount) != (record.billed_ms, record.amount):
        return Agreement.DIFFERS, "its days cost something else by the terms"
    return Agreement.AGREES, ""


def _sums(
    terms: Terms, entries: Iterable[Entry], zone: tzinfo, sheets: Sequence[Timesheet]
) -> dict[_Wish, SheetSums]:
    """Fold the chain once, and look at the days of each timesheet where its head stands."""
    wishes: dict[Digest, set[tuple[int, int]]] = {}
    for sheet in sheets[:MAX_CHECKED]:
        wishes.setdefault(sheet.head, set()).add((sheet.first, sheet.last))
    fold = _Fold(zone)
    found = {}
    for entry in entries:
        if entry.record.KIND not in CHAINED:
            continue
        fold.add(entry.record)
        for first, last in wishes.get(entry.digest, ()):
            sums = fold.sums(terms, date_of(first), date_of(last))
            found[entry.digest, first, last] = sums
    return found


class _Fold:
    """Add up worked time by day and class."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._worked: dict[date, Counter[WorkClass]] = {}

    def add(self, record: Record) -> None:
        for day, kind, part in worked_shares(record, self._zone):
            self._worked.setdefault(day, Counter())[kind] += part

    def sums(self, terms: Terms, first: date, last: date) -> SheetSums:
        length = (last - first).days + 1
        days = (first + timedelta(days=place) for place in range(length))
        totals = [
            DayTotal(day, {kind: self._worked[day][kind] for kind in WorkClass}, 0)
            for day in days
            if day in self._worked and self._worked[day].total()
        ]
        return SheetSums(sheet_days(totals), billed_of(terms, totals))
