"""A day of an engagement in a zone, up to now."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from workseal_agent.day.stretches import (
    Stretch,
    filled,
    logged_stretch,
    marked_stretches,
    running_stretches,
)
from workseal_agent.day.told import placed_entries
from workseal_agent.ledger import CaptureRow, Engagement, Ledger, SendState
from workseal_protocol.days import DayTotal
from workseal_protocol.diary import diary_of
from workseal_protocol.totals import Totals, totals_of


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
        """Give the true total of the day, with what is counted and not signed yet.

        It is what was recorded, as the client's pages count it; `late_ms` stands beside it.
        """
        total = self.total(self.signed)
        return self.running_ms + (total.recorded_ms if total else 0)

    @property
    def late_ms(self) -> int:
        """Give what was declared afterwards of the day."""
        total = self.total(self.signed)
        return total.late_ms if total else 0

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


def signed_ms(ledger: Ledger, engagement: Engagement, day: date, zone: ZoneInfo) -> int:
    """Add up what is signed and recorded of a day, as `read_day` does; not what is proved of it."""
    terms = engagement.terms
    stored = ledger.told_of(engagement.id, *bounds(day, zone))
    every = placed_entries(ledger, engagement.id, terms, stored, proved=False)
    days = totals_of(terms, [entry for entry, _ in every], zone).days
    return sum(one.recorded_ms for one in days if one.day == day)


def running_ms(running: dict[str, Any] | None, day: date, zone: ZoneInfo, now_ms: int) -> int:
    """Add up what is counted of a day and not signed yet."""
    begin, end = bounds(day, zone)
    return sum(one.worked_ms for one in running_stretches(running, begin, end, now_ms))


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
    entries = placed_entries(ledger, engagement.id, terms, stored)
    logged = [entry for entry, one in entries if one.state is SendState.RECEIPTED]
    every = [entry for entry, _ in entries]
    counted = running_stretches(running, begin, end, now_ms)
    until = max(begin, min(end, now_ms))
    spans = [logged_stretch(span, begin, end) for span in diary_of(every)]
    told = [one for one in spans if one.begin_ms < one.end_ms]
    marked = marked_stretches(told, [(entry, one) for entry, one in entries])
    return Day(
        day=day,
        zone=zone,
        begin_ms=begin,
        end_ms=end,
        until_ms=until,
        stretches=tuple(filled([*marked, *counted], begin, until)),
        signed=totals_of(terms, every, zone),
        seen=totals_of(terms, logged, zone),
        running_ms=sum(one.worked_ms for one in counted),
        captures=tuple(
            row for row in ledger.captures(engagement.id) if begin <= row.captured_ms < end
        ),
    )
