"""Working days by country, from the `holidays` package: what counts the deadlines of a case.

Rules (docs/spec/deadlines.md): one calendar for one country, never a sum of several; a holiday that
is marked as estimated is a holiday; a weekend day on which some country works in exchange is a
weekend day; a year that the table does not have is refused. Agent and verifier use it too; the
package is asked for when the first calendar is made, so that nothing else loads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.records import CaseCalendar

if TYPE_CHECKING:
    from holidays import HolidayBase

_SATURDAY, _SUNDAY = 5, 6
_DAY_ZERO: Final = date(1970, 1, 1)
_WITHOUT_EXTRA: Final = "working days need the calendar extra: pip install 'workseal[calendar]'"


class CalendarError(ValueError):
    """Say in one sentence why there is no such calendar, or no such day in it."""


@dataclass(frozen=True, slots=True)
class HolidayDays:
    """Know the working days of one country, or of a part of it, in one zone."""

    name: str
    zone_name: str
    zone: ZoneInfo
    source: str
    weekend: int
    days_off: frozenset[date]
    _table: "HolidayBase" = field(repr=False, compare=False)

    def works(self, day: date) -> bool:
        """Say whether the day is a working day, or raise `CalendarError`."""
        first, last = self._table.start_year, self._table.end_year
        if not first <= day.year <= last:
            raise CalendarError(
                f"the holidays of {self.name} are known from {first} to {last}, found {day.year}"
            )
        if self.weekend >> day.weekday() & 1 or day in self.days_off:
            return False
        return self._table.is_working_day(day)

    def announced(self) -> CaseCalendar:
        """Return the calendar as its owner announces it in a case."""
        off = tuple(sorted((day - _DAY_ZERO).days for day in self.days_off))
        return CaseCalendar(name=self.name, zone=self.zone_name, weekend=self.weekend, days_off=off)


def holiday_days(name: str, zone_name: str, days_off: Iterable[int] = ()) -> HolidayDays:
    """Make the calendar of a name of the terms ("DE-BY"), or raise `CalendarError`.

    `days_off` are days since 1 January 1970.
    """
    zone = zone_named(zone_name)
    if zone is None:
        raise CalendarError(f"this machine does not know the time zone {zone_name[:64]}")
    table, source = _table_of(name)
    return HolidayDays(
        name=name,
        zone_name=zone_name,
        zone=zone,
        source=source,
        weekend=_weekend_of(table.weekend),
        days_off=frozenset(_DAY_ZERO + timedelta(days=day) for day in days_off),
        _table=table,
    )


def zone_everywhere(name: str) -> ZoneInfo | None:
    """Return a zone that each program that counts knows, by the same name; None for another.

    What a machine knows beside the `tzdata` package, `localtime` or a name in small letters, is
    another zone or none on the next one.
    """
    return zone_named(name) if name in _zones() else None


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    try:
        listed = files("tzdata").joinpath("zones").read_text().split()
    except ModuleNotFoundError as error:
        raise CalendarError(_WITHOUT_EXTRA) from error
    # The package's own word for none.
    return frozenset(listed) - {"Factory"}


@lru_cache(maxsize=64)
def _table_of(name: str) -> "tuple[HolidayBase, str]":
    try:
        import holidays  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise CalendarError(_WITHOUT_EXTRA) from error
    country, _, part = name.partition("-")
    try:
        table = holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError as error:
        raise CalendarError(f"no holidays are known for {name[:6]}") from error
    return table, f"holidays {version('holidays')}"


def _weekend_of(days: Iterable[int]) -> int:
    """Return the weekend as bits; a country with one day gets a second, so weeks have five days."""
    found = set(days)
    for day in (_SATURDAY, _SUNDAY):
        if len(found) < 2:
            found.add(day)
    return sum(1 << day for day in found)
