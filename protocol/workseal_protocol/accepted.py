"""What a client accepted already: the days of timesheets that count, and of those left behind.

Rules: replacing takes no answer back. Of a day the last acceptance holds, so no day counts twice:
it counts where it was accepted last, until the newest of the timesheets that replace each other is
about it too. Whoever replaces a timesheet takes no accepted day out of the count by leaving it out,
and brings none back that was accepted elsewhere since. docs/spec/timesheets.md
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.records import SheetAnswer, SheetDay
from workseal_protocol.timesheets import SheetFinding

# Accepted timesheets that are told of one day; who makes a bundle does not choose a reader's work.
_MOST_OF_A_DAY: Final = 3
# Days of one timesheet that are told to have changed.
MOST_CHANGED: Final = 7


@dataclass(frozen=True, slots=True)
class AcceptedDays:
    """Hold days of a timesheet that were accepted in another one, too.

    `counting` are those that count there: the client would sign for them a second time.
    """

    sheet: Digest
    days: tuple[int, ...]
    counting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Hold which days of a timesheet count, and what was accepted of its days beside it.

    `left_behind` are those that count though it was replaced; `accepted_again` those that would
    count, had they not been accepted in another one later.
    """

    elsewhere: tuple[AcceptedDays, ...]
    counting: tuple[int, ...]
    left_behind: tuple[int, ...]
    accepted_again: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """Hold a day as it was accepted, None as without work, and as it is recorded by now."""

    accepted: SheetDay | None
    recorded: SheetDay


@dataclass(frozen=True, slots=True)
class ChangedDays:
    """Hold the first days of a timesheet that changed, and say how many more there are."""

    told: tuple[ChangedDay, ...]
    more: int


def acceptances_of(found: Sequence[SheetFinding]) -> Mapping[Digest, Acceptance]:
    """Find, for all timesheets of an engagement in log order, what was accepted beside each."""
    newest: dict[Digest, SheetFinding] = {}
    for one in reversed(found):
        # What replaces a timesheet stands after it.
        newest[one.digest] = one if one.replaced_by is None else newest.get(one.replaced_by, one)
    accepted = [one for one in found if _is_accepted(one)]
    counting, again = _held(accepted, newest)
    holders = _holders(accepted, counting)
    return {one.digest: _acceptance(one, holders, counting, again) for one in found}


def changed_days(
    found: Sequence[SheetFinding],
    acceptances: Mapping[Digest, Acceptance],
    recorded: Sequence[SheetDay],
) -> Mapping[Digest, ChangedDays]:
    """Find, for each accepted timesheet, its days of which the record says something else by now.

    `recorded` are the days with work, in order. One that counts in no timesheet was accepted as
    without work by those that are about it and have no row of it.
    """
    holders = {day: one.digest for one in found for day in acceptances[one.digest].counting}
    known = {row.day: row for row in recorded}
    loose = [row.day for row in recorded if row.day not in holders]
    return {one.digest: _changed(one, holders, known, loose) for one in found if _is_accepted(one)}


def _changed(
    one: SheetFinding,
    holders: Mapping[int, Digest],
    known: Mapping[int, SheetDay],
    loose: Sequence[int],
) -> ChangedDays:
    own = [
        ChangedDay(row, known[row.day])
        for row in one.record.days
        if holders.get(row.day) == one.digest and known.get(row.day, row) != row
    ]
    low = high = 0
    if one.replaced_by is None:
        low, high = bisect_left(loose, one.record.first), bisect_right(loose, one.record.last)
    # Whoever signs many timesheets of all days does not choose a reader's work.
    added = [ChangedDay(None, known[day]) for day in loose[low : min(high, low + MOST_CHANGED)]]
    told = sorted([*own[:MOST_CHANGED], *added], key=lambda each: each.recorded.day)
    told = told[:MOST_CHANGED]
    return ChangedDays(tuple(told), len(own) + high - low - len(told))


def _acceptance(
    one: SheetFinding,
    holders: Mapping[int, Sequence[Digest]],
    counting: Mapping[Digest, frozenset[int]],
    again: Mapping[Digest, frozenset[int]],
) -> Acceptance:
    own = tuple(sorted(counting.get(one.digest, ())))
    return Acceptance(
        elsewhere=_elsewhere(one, holders, counting),
        counting=own,
        left_behind=() if one.replaced_by is None else own,
        accepted_again=tuple(sorted(again.get(one.digest, ()))),
    )


def _is_accepted(one: SheetFinding) -> bool:
    return one.answer is not None and one.answer.answer is SheetAnswer.ACCEPTED


def _held(
    accepted: Sequence[SheetFinding], newest: Mapping[Digest, SheetFinding]
) -> tuple[Mapping[Digest, frozenset[int]], Mapping[Digest, frozenset[int]]]:
    """Give of accepted timesheets the days that count, and those that were accepted again."""
    counting, again = {}, {}
    taken: set[int] = set()
    for one in sorted(accepted, key=lambda one: one.answers[-1].index, reverse=True):
        kept = _not_replaced(one, newest[one.digest])
        counting[one.digest] = kept - taken
        again[one.digest] = kept & taken
        taken.update(row.day for row in one.record.days)
    return counting, again


def _not_replaced(one: SheetFinding, newest: SheetFinding) -> frozenset[int]:
    first, last = newest.record.first, newest.record.last
    return frozenset(
        row.day for row in one.record.days if newest is one or not first <= row.day <= last
    )


def _holders(
    accepted: Sequence[SheetFinding], counting: Mapping[Digest, frozenset[int]]
) -> Mapping[int, Sequence[Digest]]:
    """Give the accepted timesheets of each day, no fewer than are told to any of them.

    Where a day goes on counting is told first: that is what may not be accepted again.
    """
    counted: dict[int, list[Digest]] = {}
    left: dict[int, list[Digest]] = {}
    for one in accepted:
        for row in one.record.days:
            kept = counted if row.day in counting[one.digest] else left
            holders = kept.setdefault(row.day, [])
            # One more than are told: the one that asks is left out.
            if len(holders) <= _MOST_OF_A_DAY:
                holders.append(one.digest)
    return {day: [*counted.get(day, ()), *left.get(day, ())] for day in counted.keys() | left}


def _elsewhere(
    one: SheetFinding,
    holders: Mapping[int, Sequence[Digest]],
    counting: Mapping[Digest, frozenset[int]],
) -> tuple[AcceptedDays, ...]:
    days: dict[Digest, list[int]] = {}
    for row in one.record.days:
        found = [each for each in holders.get(row.day, ()) if each != one.digest]
        for each in found[:_MOST_OF_A_DAY]:
            days.setdefault(each, []).append(row.day)
    return tuple(
        AcceptedDays(each, tuple(own), tuple(day for day in own if day in counting[each]))
        for each, own in days.items()
    )
