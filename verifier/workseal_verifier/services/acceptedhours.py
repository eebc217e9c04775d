"""How much of some recorded days was accepted: rows of timesheets beside the days of the log.

Rules: which rows count is said by the protocol alone. A row is held against its day as it is
recorded now, class by class: what came later was accepted by nobody, and what was never recorded is
told. Late-declared time stands beside recorded time. docs/spec/timesheets.md
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from workseal_protocol.billing import billed_of
from workseal_protocol.days import DayTotal
from workseal_protocol.digest import Digest
from workseal_protocol.records import SheetAnswer, SheetDay, Timesheet
from workseal_protocol.terms import Terms, WorkClass
from workseal_protocol.timesheets import SheetFinding, date_of
from workseal_verifier.services.sheetreview import Reviewed


@dataclass(frozen=True, slots=True)
class AcceptedDay:
    """Hold a day as it was accepted, and where; `priced` says that the terms make that price."""

    sheet: Digest
    total: DayTotal
    priced: bool


@dataclass(frozen=True, slots=True)
class DayBeside:
    """Hold a day as it was accepted beside the day as it is recorded."""

    accepted: DayTotal
    recorded: DayTotal

    @property
    def agrees(self) -> bool:
        """Tell whether all of the day was accepted, and nothing else."""
        return self.accepted.worked_ms == self.recorded.worked_ms

    @property
    def exceeds(self) -> bool:
        """Tell whether more was accepted than is recorded, in any class."""
        return any(
            ms > self.recorded.worked_ms[kind] for kind, ms in self.accepted.worked_ms.items()
        )


@dataclass(frozen=True, slots=True)
class Share:
    """Hold some days that were accepted or worked; `priced` as of each day that was accepted."""

    days: tuple[DayBeside, ...]
    priced: bool

    @property
    def is_whole(self) -> bool:
        """Tell whether all of these days was accepted, and nothing else."""
        return self.priced and all(one.agrees for one in self.days)

    @property
    def is_part(self) -> bool:
        """Tell whether what was accepted is recorded, and was not all."""
        return self.priced and not any(one.exceeds for one in self.days) and not self.is_whole


def is_accepted(sheet: SheetFinding) -> bool:
    """Tell whether the client accepted a timesheet, by the answer that counts."""
    return sheet.answer is not None and sheet.answer.answer is SheetAnswer.ACCEPTED


def accepted_days(terms: Terms, review: Reviewed) -> Mapping[date, AcceptedDay]:
    """Find the days of timesheets that count as accepted; each counts in one of them."""
    found = {}
    for one in review.sheets:
        counting = frozenset(review.acceptances[one.digest].counting)
        if not counting:
            continue
        totals = {row.day: _total(row) for row in one.record.days}
        priced = _is_priced(terms, one.record, totals.values())
        for day in counting & totals.keys():
            found[date_of(day)] = AcceptedDay(one.digest, totals[day], priced)
    return found


def share_of(
    accepted: Mapping[date, AcceptedDay], days: Iterable[DayTotal], first: date, last: date
) -> Share | None:
    """Hold what was accepted of [first, last] against its recorded days; None if nothing was."""
    length = (last - first).days + 1
    wanted = (first + timedelta(days=place) for place in range(length))
    own = {day: accepted[day] for day in wanted if day in accepted}
    if not own:
        return None
    recorded = {one.day: one for one in days}
    pairs = (
        DayBeside(own[day].total if day in own else _nothing(day), recorded.get(day, _nothing(day)))
        for day in sorted(own.keys() | recorded.keys())
    )
    return Share(tuple(pairs), all(one.priced for one in own.values()))


def changed_since(
    sheet: SheetFinding, accepted: Mapping[date, AcceptedDay], days: Iterable[DayTotal]
) -> Iterator[DayBeside]:
    """Give the recorded days that an accepted timesheet is about, and says otherwise of.

    Days that count in no other timesheet, and are not in this one, were accepted as without work.
    """
    if not is_accepted(sheet):
        return
    about = date_of(sheet.record.first), date_of(sheet.record.last)
    for day in days:
        one = accepted.get(day.day)
        beside = DayBeside(_nothing(day.day) if one is None else one.total, day)
        own = sheet.replaced_by is None if one is None else one.sheet == sheet.digest
        if own and about[0] <= day.day <= about[1] and not beside.agrees:
            yield beside


def _is_priced(terms: Terms, sheet: Timesheet, days: Iterable[DayTotal]) -> bool:
    billed = billed_of(terms, tuple(days))
    return (billed.ms, billed.amount) == (sheet.billed_ms, sheet.amount)


def _total(row: SheetDay) -> DayTotal:
    worked = (row.working, row.off_screen, row.sealed, row.late_declared)
    return DayTotal(date_of(row.day), dict(zip(WorkClass, worked, strict=True)), 0)


def _nothing(day: date) -> DayTotal:
    return DayTotal(day, dict.fromkeys(WorkClass, 0), 0)
