"""What ties a statement to its case: the case, the statement before, the deadline it opens.

docs/spec/dispute.md, docs/spec/deadlines.md.
"""

from dataclasses import dataclass
from typing import Final, Self

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Fields, Value
from workseal_protocol.records.bounds import MAX_TIME, check_text, check_uint
from workseal_protocol.terms import CALENDAR_FORM, ZONE_FORM

MAX_DUE_DAYS: Final = 99
MAX_SOURCE: Final = 64
MAX_DAYS_OFF: Final = 10
# Day numbers since 1 January 1970 that a time of this format can have.
MAX_DAY: Final = MAX_TIME // 86_400_000
# The widest offsets from UTC that any zone has had in living memory, in minutes.
MAX_OFFSET: Final = 16 * 60


def _check_calendar(name: str, zone: str, weekend: int) -> None:
    if CALENDAR_FORM.fullmatch(name) is None:
        raise ValueError("calendar: expected two capital letters and maybe a subdivision")
    # As in the terms: a name that means another zone on another machine is counted by nobody.
    if len(zone) > 64 or ZONE_FORM.fullmatch(zone) is None:
        raise ValueError("zone: expected the name of a time zone")
    # Two or three days: with one, a week would have six working days.
    if not 0 < weekend < 128 or weekend.bit_count() not in {2, 3}:
        raise ValueError("weekend: expected two or three days of the week")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Hold a deadline as it was counted: the last millisecond of a day in a zone.

    `days` are the working days it was counted by, `source` the table of holidays with its version,
    `offset` the minutes east of UTC at the deadline, and bit 0 of `weekend` is Monday.
    """

    until: int
    days: int
    calendar: str
    source: str
    zone: str
    offset: int
    weekend: int

    def __post_init__(self) -> None:
        check_uint("until", self.until, maximum=MAX_TIME)
        check_uint("days", self.days, minimum=1, maximum=MAX_DUE_DAYS)
        _check_calendar(self.calendar, self.zone, self.weekend)
        check_text("source", self.source, maximum=MAX_SOURCE)
        check_uint("offset", self.offset, minimum=-MAX_OFFSET, maximum=MAX_OFFSET)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `to_value` writes; a value out of bounds is a `ValueError`."""
        due = cls(
            until=fields.uint(1, "until"),
            days=fields.uint(2, "days"),
            calendar=fields.text(3, "calendar", maximum=6),
            source=fields.text(4, "source", maximum=MAX_SOURCE),
            zone=fields.text(5, "zone", maximum=64),
            offset=fields.integer(6, "offset", minimum=-MAX_OFFSET, maximum=MAX_OFFSET),
            weekend=fields.uint(7, "weekend"),
        )
        fields.close()
        return due

    def to_value(self) -> dict[int, Value]:
        """Return the map of key 9."""
        return {
            1: self.until,
            2: self.days,
            3: self.calendar,
            4: self.source,
            5: self.zone,
            6: self.offset,
            7: self.weekend,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCalendar:
    """Announce the days on which a party does not work; `days_off` count from 1 January 1970."""

    name: str
    zone: str
    weekend: int
    days_off: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_calendar(self.name, self.zone, self.weekend)
        if len(self.days_off) > MAX_DAYS_OFF:
            raise ValueError(f"days off: expected at most {MAX_DAYS_OFF}")
        if list(self.days_off) != sorted(set(self.days_off)):
            raise ValueError("days off: expected an ascending order, each once")
        for day in self.days_off:
            check_uint("day off", day, maximum=MAX_DAY)

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `to_value` writes; a value out of bounds is a `ValueError`."""
        days = fields.array(4, "days off", maximum=MAX_DAYS_OFF)
        calendar = cls(
            name=fields.text(1, "name", maximum=6),
            zone=fields.text(2, "zone", maximum=64),
            weekend=fields.uint(3, "weekend"),
            days_off=tuple(day if isinstance(day, int) else -1 for day in days),
        )
        fields.close()
        return calendar

    def to_value(self) -> dict[int, Value]:
        """Return the map of key 22."""
        return {1: self.name, 2: self.zone, 3: self.weekend, 4: list(self.days_off)}


@dataclass(frozen=True, slots=True)
class CasePlace:
    """Name the case and the statement before, and hold the deadline that this statement opens."""

    case: Digest
    prev: Digest
    due: Due | None = None

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Take keys 4, 8 and 9."""
        due = fields.optional_fields(9, "due")
        return cls(
            case=fields.digest(8, "case"),
            prev=fields.digest(4, "prev"),
            due=None if due is None else Due.read(due),
        )

    @classmethod
    def take_optional(cls, fields: Fields) -> Self | None:
        """Take keys 4, 8 and 9 if key 8 is there; without it, 4 and 9 are unknown keys."""
        case = fields.optional_digest(8, "case")
        if case is None:
            return None
        due = fields.optional_fields(9, "due")
        prev = fields.digest(4, "prev")
        return cls(case, prev, None if due is None else Due.read(due))

    def to_value(self) -> dict[int, Value]:
        """Return keys 4, 8 and 9."""
        value: dict[int, Value] = {4: self.prev.raw, 8: self.case.raw}
        return value if self.due is None else value | {9: self.due.to_value()}
