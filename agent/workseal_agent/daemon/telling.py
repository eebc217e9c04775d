"""What a recording process tells the person by itself: little, rarely, and never of a capture.

Rules: only what would be lost or missed in silence: time that is not stored, sending that has
stopped, a refused statement, a full disk, missing frames, an unread case, an arbitrator's request,
the offline limit. One notice in ten minutes; the same one again only after it had ended, and not
within six hours. Nothing depends on it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workseal_agent.bus import BusError
from workseal_agent.clock import Clock
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, short_name
from workseal_agent.notices import Notice
from workseal_agent.uplink import Uplink

_LOOK_SECONDS = 60.0
_NS = 1_000_000_000
# A trouble that passes by itself is none.
_LASTS_NS = 60 * _NS
_BETWEEN_NS = 600 * _NS
_AGAIN_NS = 6 * 3_600 * _NS
# Requests and the limit of a week change slowly, and cost a look at the week.
_SLOW_NS = 3_600 * _NS
_SOON_MS = 24 * 3_600_000
_NEAR_PERCENT = 80
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Need:
    """Hold a notice under a name that stays the same while its reason lasts."""

    name: str
    notice: Notice


class Telling:
    """Look every minute whether there is something to tell, and have it shown."""

    def __init__(  # noqa: PLR0913 - what it looks at
        self,
        engagement: Engagement,
        ledger: Ledger,
        uplink: Uplink,
        clock: Clock,
        show: Callable[[Notice], None],
        *,
        missing: Callable[[], bool] = lambda: False,
        unread: Callable[[], bool] = lambda: False,
        cramped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engagement = engagement
        self._ledger = ledger
        self._uplink = uplink
        self._clock = clock
        self._show = show
        self._missing = missing
        self._unread = unread
        self._cramped = cramped
        self._of = short_name(engagement.id)
        self._told: dict[str, int] = {}
        self._last_ns: int | None = None
        self._troubled_ns: int | None = None
        self._slow: tuple[int, tuple[Need, ...]] | None = None

    def run(self, stop: threading.Event, trouble: Callable[[], str | None]) -> None:
        """Look again and again until `stop` is set; `trouble` says why time is not stored."""
        while not stop.wait(_LOOK_SECONDS):
            with suppress(Exception):  # whatever fails here costs a notice
                self.look(trouble())

    def look(self, trouble: str | None) -> None:
        """Show at most one notice."""
        now = self._clock.boottime_ns()
        needs = (*self._urgent(trouble, now), *self._seen_slowly(now))
        lasting = {need.name for need in needs}
        self._told = {
            name: at for name, at in self._told.items() if name in lasting or now - at < _AGAIN_NS
        }
        if self._last_ns is not None and now - self._last_ns < _BETWEEN_NS:
            return
        for need in needs:
            if need.name not in self._told:
                self._last_ns = now
                with suppress(BusError):  # nobody shows notices now: tried again later
                    self._show(need.notice)
                    self._told[need.name] = now
                return

    def _urgent(self, trouble: str | None, now: int) -> Iterator[Need]:
        if trouble is None:
            self._troubled_ns = None
        elif self._troubled_ns is None:
            self._troubled_ns = now
        elif now - self._troubled_ns >= _LASTS_NS:
            yield self._need(
                "trouble",
                phrase("time is not being stored"),
                phrase("what is worked now waits in memory. `workseal-agent status` says why."),
            )
        if self._uplink.halted:
            yield self._need(
                "halted",
                phrase("sending has stopped"),
                phrase("the log contradicts itself. `workseal-agent status` has the evidence."),
            )
        if self._ledger.counts(self._engagement.id).parked:
            yield self._need(
                "parked",
                phrase("a statement was refused"),
                phrase("later ones wait behind it. `workseal-agent status` shows why."),
            )
        if self._cramped():
            yield self._need(
                "full disk",
                phrase("the disk is full"),
                phrase("time is stored, and no picture. `workseal-agent status` says more."),
            )
        if self._missing():
            yield self._need(
                "missing frames",
                phrase("frames are missing"),
                phrase(
                    "the weekly proof drew them. `workseal-agent status` says what can be done."
                ),
            )
        if self._unread():
            yield self._need(
                "unread case",
                phrase("a case runs that you have not read"),
                phrase("no old frame is destroyed before `workseal-agent case list` has read it."),
            )

    def _seen_slowly(self, now: int) -> tuple[Need, ...]:
        if self._slow is None or now - self._slow[0] >= _SLOW_NS:
            self._slow = now, (*self._requests(), *self._offline())
        return self._slow[1]

    def _requests(self) -> Iterator[Need]:
        """Tell of unanswered requests that this home has: when they come, and a day before."""
        from workseal_agent import disclose  # noqa: PLC0415 - few recordings meet a dispute

        now_ms = self._clock.wall_ms()
        done = disclose.answered(self._ledger, self._engagement)
        for request in disclose.received(self._ledger, self._engagement):
            digest, by_ms = request.statement.digest, request.record.answer_by
            if digest in done or now_ms > by_ms:
                continue
            when = "soon" if by_ms - now_ms < _SOON_MS else "new"
            yield self._need(
                f"request {when} {digest}",
                phrase("an arbitrator's request waits"),
                phrase(
                    "an answer is asked for by {day}. `workseal-agent open` shows it.",
                    day=self._day(by_ms),
                ),
            )

    def _offline(self) -> Iterator[Need]:
        """Tell that this week's offline limit of the terms is near, by the client's own count."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - once an hour

        from workseal_agent.day import bounds, day_at, entries_of  # noqa: PLC0415
        from workseal_protocol.totals import totals_of  # noqa: PLC0415

        terms = self._engagement.terms
        zone = ZoneInfo(terms.zone)
        today = day_at(self._clock.wall_ms(), zone)
        monday = today - timedelta(days=today.weekday())
        begin, end = bounds(monday, zone)[0], bounds(today, zone)[1]
        entries = entries_of(self._ledger, self._engagement, begin, end)
        days = totals_of(terms, entries, zone).days
        found = sum(one.offline_ms for one in days if one.day >= monday)
        if found and found * 100 >= terms.max_offline_ms_per_week * _NEAR_PERCENT:
            yield self._need(
                f"offline {monday}",
                phrase("the offline limit is near"),
                phrase(
                    "{hours:.1f} of {most:.1f} hours that the terms allow in a week were recorded"
                    " offline.",
                    hours=found / _HOUR_MS,
                    most=terms.max_offline_ms_per_week / _HOUR_MS,
                ),
            )

    def _day(self, at_ms: int) -> str:
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        zone = ZoneInfo(self._engagement.terms.zone)
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).date().isoformat()

    def _need(self, name: str, summary: str, sentence: str) -> Need:
        told = phrase("Engagement {name}: {sentence}", name=self._of, sentence=sentence)
        return Need(name, Notice(phrase("Workseal: {summary}", summary=summary), told))
