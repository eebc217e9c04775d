"""The slowest way through a case by day numbers alone, for thousands of starts.

Rule: the days of each state are those of the machine. The order of states is held against whole
plays by `tests/protocol/cli/test_calendars.py`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from workseal_protocol.cli.calendars import holiday_days
from workseal_protocol.dispute import CLOCKS, State, Who
from workseal_protocol.dispute.table import STRIKE_DAYS
from workseal_protocol.dispute.values import (
    EXTENSION_DAYS,
    LEAST_ANSWER_CALENDAR_DAYS,
    MOST_ANSWER_DAYS,
)

ZONE = "Europe/Berlin"
_ZERO = date(1970, 1, 1)


@cache
def working_days(country: str, span: range) -> list[int]:
    """List the working days of a country by their number since 1970."""
    days = holiday_days(country, ZONE)
    return [day for day in span if days.works(_ZERO + timedelta(days=day))]


@cache
def ends(country: str, count: int, span: range, least: int = 0) -> list[int]:
    """List for each day of the span where so many working days after it end; the last is a stop."""
    days = working_days(country, span)
    found: list[int] = []
    for day in span:
        after = bisect_right(days, day) + count - 1
        place = max(after, bisect_left(days, day + least)) if least else after
        found.append(days[min(place, len(days) - 1)])
    return found


@dataclass(frozen=True)
class Way:
    """Say how long an answer takes: with an extension or a second notice, or neither."""

    answer: int = 10
    second: bool = False

    @property
    def extension(self) -> int:
        return min(EXTENSION_DAYS, MOST_ANSWER_DAYS - self.answer)

    @property
    def left(self) -> int:
        return min(CLOCKS[State.SECOND].days, MOST_ANSWER_DAYS - self.answer)


WAYS = (Way(), Way(second=True), Way(12), Way(12, second=True), Way(15))


class Pair:
    """Count in two countries at once, and in a third one if the arbitrator announced it."""

    def __init__(
        self, client: str, freelancer: str, span: range, arbitrator: str | None = None
    ) -> None:
        self._span = span
        self._of = {"client": client, "freelancer": freelancer}
        parties = [client, freelancer]
        seated = parties if arbitrator is None else [arbitrator]
        counted = {Who.ARBITRATOR: seated, Who.THREE: [*parties, *seated]}
        self._both = {
            state: self._latest(counted.get(clock.binds, parties), clock.days)
            for state, clock in CLOCKS.items()
            if clock.days
        }
        # Who declares in the last hours gives the parties a day, and has one less to look.
        self._declared = self._latest(counted[Who.THREE], STRIKE_DAYS)
        self._looked = self._latest(seated, CLOCKS[State.EVIDENCE].days - STRIKE_DAYS)

    def decided(self, start: int, way: Way, *, filer: str) -> int:
        """Return the day of the decision after a notice on a day."""
        respondent = self._of["freelancer" if filer == "client" else "client"]
        day = self._end(start, respondent, way.answer, LEAST_ANSWER_CALENDAR_DAYS)
        if way.second:
            day = self._end(day, respondent, way.left)
        else:
            day = self._end(day, respondent, way.extension) if way.extension else day
            day = self._state(day, State.NEGOTIATION)
        for state in (State.DRAW, State.SEATING):
            day = self._state(day, state)
        for days in (self._declared, self._looked):
            day = days[day - self._span.start]
        for state in (State.OBJECTION, State.RULING):
            day = self._state(day, state)
        return self._shown(day)

    def asked_again(self, start: int) -> int:
        """Return the day of the decision after a further request on a day."""
        day = start
        for state in (State.OBJECTION, State.RULING, State.NAMING):
            day = self._state(day, state)
        return self._shown(day)

    def _shown(self, day: int) -> int:
        """Go on from the ruling to the decision."""
        day = self._end(day, self._of["freelancer"], CLOCKS[State.DISCLOSURE].days)
        day = self._end(day, self._of["client"], CLOCKS[State.COMMENT].days)
        for state in (State.EVIDENCE, State.DRAFT, State.DECISION):
            day = self._state(day, state)
        return day

    def _latest(self, countries: Sequence[str], count: int) -> list[int]:
        lists = (ends(country, count, self._span) for country in countries)
        return [max(each) for each in zip(*lists, strict=True)]

    def _state(self, day: int, state: State) -> int:
        return self._both[state][day - self._span.start]

    def _end(self, day: int, country: str, count: int, least: int = 0) -> int:
        return ends(country, count, self._span, least)[day - self._span.start]
