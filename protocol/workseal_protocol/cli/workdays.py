"""The day until which a party may answer: working days, Monday to Friday, of the terms' zone.

Rules (a deadline may be longer, never shorter): the day of the notice does not count, and the
deadline is the end of its day. Public holidays are not known here; whoever asks adds them by
naming a later day.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

_SATURDAY: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def last_day(now_ms: int, working_days: int, zone: tzinfo) -> date:
    """Return the day on which so many working days after now's day have passed."""
    day = datetime.fromtimestamp(now_ms / 1000, tz=zone).date()
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return day


def end_of_day(day: date, zone: tzinfo) -> int:
    """Return the last millisecond of a day, as Unix milliseconds."""
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return (midnight - _EPOCH) // timedelta(milliseconds=1) - 1
