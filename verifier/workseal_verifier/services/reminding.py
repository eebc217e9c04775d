"""When somebody is reminded: at half of their days, a working day before the end, of a secret.

Rules: counted by the days of whoever is reminded, told at nine in the morning in their zone, never
on the day on which the deadline began nor on its last one. Who has acted is not reminded. Of a
secret at half of its hours, by day or night: there are twenty.
"""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from workseal_protocol.dispute import Case
from workseal_protocol.dispute.deadlines import day_in
from workseal_protocol.dispute.sampling import REVEAL_MS
from workseal_protocol.keys import Role
from workseal_verifier.services.casedays import works, zone_of
from workseal_verifier.services.noticing import About, owes_secret

_MORNING: Final = time(9)
_DAY: Final = timedelta(days=1)


def reminders(case: Case, role: Role) -> dict[About, int]:
    """Return when somebody who is waited for is reminded, by kind."""
    found = _of_secret(case, role)
    if case.due is None or role not in case.waiting_for:
        return found
    zone = zone_of(case, role)
    first, last = day_in(case.waited_since, zone), day_in(case.due.until, zone)
    worked = [day for day in _between(first, last) if works(case, role, day)]
    if not worked:
        return found
    found[About.EVE] = _at(worked[-1], zone)
    middle = worked[(len(worked) - 1) // 2]
    if middle < worked[-1] and _at(middle, zone) > case.down_until:
        # Else half had passed before an outage moved the deadline.
        found[About.HALF] = _at(middle, zone)
    return found


def _of_secret(case: Case, role: Role) -> dict[About, int]:
    """Remind where the case still stands as the ruling left it: the step is told of but once."""
    if case.sample is None or case.since != case.sample.ruled_at or not owes_secret(case, role):
        return {}
    return {About.REVEAL_HALF: case.sample.ruled_at + REVEAL_MS // 2}


def _between(first: date, last: date) -> list[date]:
    return [first + n * _DAY for n in range(1, (last - first).days)]


def _at(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, _MORNING, zone).timestamp() * 1000)
