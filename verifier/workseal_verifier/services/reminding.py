"""When somebody is reminded of a deadline: at half of their days, and a working day before.

Rules: counted by the days of whoever is reminded, told at nine in the morning in their zone, never
on the day on which the deadline began nor on its last one. Who has acted is not reminded.
"""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from workseal_protocol.dispute import Case
from workseal_protocol.dispute.deadlines import day_in
from workseal_protocol.keys import Role
from workseal_verifier.services.casedays import works, zone_of
from workseal_verifier.services.noticing import About

_MORNING: Final = time(9)
_DAY: Final = timedelta(days=1)


def reminders(case: Case, role: Role) -> dict[About, int]:
    """Return when somebody who is waited for is reminded, by kind."""
    if case.due is None or role not in case.waiting_for:
        return {}
    zone = zone_of(case, role)
    first, last = day_in(case.since, zone), day_in(case.due.until, zone)
    worked = [day for day in _between(first, last) if works(case, role, day)]
    if not worked:
        return {}
    found = {About.EVE: _at(worked[-1], zone)}
    middle = worked[(len(worked) - 1) // 2]
    if middle < worked[-1]:
        found[About.HALF] = _at(middle, zone)
    return found


def _between(first: date, last: date) -> list[date]:
    return [first + n * _DAY for n in range(1, (last - first).days)]


def _at(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, _MORNING, zone).timestamp() * 1000)
