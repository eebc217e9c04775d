"""What the operator's key is to note in a case because time has passed: one act at a time.

Rules: each is the one act that everybody computes; none is a choice. What the log was not up for is
told before what has lapsed.
"""

from dataclasses import dataclass
from typing import Any

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, draw_person
from workseal_protocol.dispute.deadlines import DAY_MS
from workseal_protocol.dispute.values import MIN_OUTAGE_MS
from workseal_protocol.records import Act
from workseal_protocol.records.acts import Delivery
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.noticing import people
from workseal_verifier.store.notices import Channel, Fate, NoticeStore
from workseal_verifier.store.presence import PresenceStore


@dataclass(frozen=True, slots=True)
class Found:
    """Hold what tells that something has passed."""

    notices: NoticeStore
    presence: PresenceStore
    beacon: Beacon


class Duties:
    """Know what is due; `grace_ms` is how long after a deadline it lapses."""

    def __init__(self, found: Found, operator: Digest, *, grace_ms: int, clock: Clock) -> None:
        self._found = found
        self._operator = operator
        self._grace_ms = grace_ms
        self._clock = clock

    def next(self, case: Case) -> dict[str, Any] | None:
        """Return the one act that is due now, by its fields; None for none."""
        now = max(self._clock.now_ms(), case.known_at)
        allowed = case.allowed(self._operator, now)
        for move, found in (
            ("notice", self._delivered),
            ("draw", self._drawn),
            ("sample", self._sampled),
            ("outage", self._was_down),
            ("lapse", self._lapsed),
            ("destroy", self._destroyed),
        ):
            fields = found(case, now) if move in allowed else None
            if fields is not None:
                return fields
        return None

    def _delivered(self, case: Case, _now: int) -> dict[str, Any] | None:
        person = people(case)[case.respondent]
        rows = self._found.notices.of_case(case.case, person)
        done = {row.channel for row in rows if row.fate is Fate.DONE}
        if Channel.PAGE in done:
            return {"act": Act.NOTICE, "code": Delivery.OPENED}
        if {Channel.MAIL, Channel.WEBHOOK} <= done:
            return {"act": Act.NOTICE, "code": Delivery.TWO_CHANNELS}
        return None

    def _drawn(self, case: Case, _now: int) -> dict[str, Any] | None:
        number = case.panel_round
        value = self._value(case, number)
        if value is None:
            return None
        person = draw_person(case.case, number, value, case.panel)
        return {"act": Act.DRAW, "round": number, "value": value, "person": person}

    def _sampled(self, case: Case, _now: int) -> dict[str, Any] | None:
        number = case.sample_round
        value = None if number is None else self._value(case, number)
        return None if value is None else {"act": Act.SAMPLE, "round": number, "value": value}

    def _value(self, case: Case, number: int) -> bytes | None:
        """Return the value of a round that has begun; None before, and where it is lost."""
        try:
            return self._found.beacon.release(case.terms.round_ms, number)
        except RefusedError:
            return None

    def _was_down(self, case: Case, now: int) -> dict[str, Any] | None:
        if case.due is None:
            return None
        until = case.due.until
        for begin, end in self.outages(until - DAY_MS, now):
            if end - begin < MIN_OUTAGE_MS or begin > until or not until - DAY_MS < end <= now:
                continue
            # One that lies over midnight touches the last day of the moved deadline as well.
            if begin > case.down_until:
                return {"act": Act.OUTAGE, "begin": begin, "end": end}
        return None

    def _lapsed(self, case: Case, now: int) -> dict[str, Any] | None:
        if case.due is None or now <= case.due.until:
            return None
        up = [one for one in self._found.presence.since(case.due.until) if one.begin_ms <= now]
        began = max([case.due.until, *(one.begin_ms for one in up)])
        return {"act": Act.LAPSE} if up and now >= began + self._grace_ms else None

    def _destroyed(self, case: Case, now: int) -> dict[str, Any] | None:
        if case.due is None or now <= case.due.until:
            return None
        return {"act": Act.DESTROY}

    def outages(self, since_ms: int, now: int) -> list[tuple[int, int]]:
        """List from when to when it was down, as far as a clock has got by now."""
        found: list[tuple[int, int]] = []
        end: int | None = None
        for one in self._found.presence.since(since_ms):
            if one.begin_ms > now:
                break
            if end is not None and one.begin_ms > end:
                found.append((end, one.begin_ms))
            # A clock that was ahead for a moment leaves a time within another one.
            end = max(end or 0, one.end_ms)
        return found
