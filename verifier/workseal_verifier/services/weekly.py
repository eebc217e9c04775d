"""The weekly digest: who is told of a finished week, and what they are told.

Rules: only who asked for it, by mail, once a week, after nine on Monday morning where they are, and
not before the week is over in the zone of each of their agreements; who asks on a Wednesday is told
of the week in which they asked. The figures are those of the diary's
week, folded anew when the mail is written: no text, title, project or name of anybody is in it, and
an agreement goes by the first digits of its number.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.terms import WorkClass
from workseal_protocol.totals import billed_of
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.access import Who
from workseal_verifier.services.casedays import first_zone
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.diaries import Agreed, Reach
from workseal_verifier.services.letters import Letter, Place, mail_name, signed
from workseal_verifier.services.noticing import weekly
from workseal_verifier.services.sheetreview import SheetReview
from workseal_verifier.services.standing import MOST_CASES, Listed, Standings
from workseal_verifier.services.weekfold import DAYS, Week, bounds, monday_of
from workseal_verifier.store.contacts import ContactRow
from workseal_verifier.store.logrows import Tie
from workseal_verifier.store.notices import NoticeRow, NoticeStore

_EPOCH: Final = date(1970, 1, 1)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MORNING: Final = time(9)
# Read from the store at once.
_PAGE: Final = 200
_TOLD: Final = frozenset({Who.CLIENT, Who.FREELANCER})


class Digests:
    """Make digests due, and write them."""

    def __init__(
        self,
        notices: NoticeStore,
        contacts: ContactBook,
        sheets: SheetReview,
        standings: Standings,
        clock: Clock,
        place: Place,
    ) -> None:
        self._notices = notices
        self._contacts = contacts
        self._diaries = sheets.diaries
        self._standings = standings
        self._sheets = sheets
        self._clock = clock
        self._place = place
        # The newest week that each key was told of by this process: the outbox is not asked again.
        self._made: dict[Digest, date] = {}
        # When the week is over everywhere, for who waits for that on a Monday morning.
        self._over: dict[Digest, tuple[date, int]] = {}

    def make(self) -> None:
        """Put into the outbox what is due; what is there already stays as it is."""
        now_ms = self._clock.now_ms()
        for row in self._contacts.wanting_digests(_PAGE):
            monday, told_ms = newest_week(now_ms, _zone(row))
            if self._made.get(row.thumbprint) == monday:
                continue
            if self._over_ms(row.thumbprint, monday) > now_ms:
                continue
            if row.changed_ms < told_ms and self._contacts.counts(row.thumbprint):
                self._notices.add([weekly(row.thumbprint, number_of(monday), now_ms)])
            self._made[row.thumbprint] = monday

    def _over_ms(self, key: Digest, monday: date) -> int:
        """Return when a week is over in the zones of all agreements of a key."""
        known = self._over.get(key)
        if known is None or known[0] != monday:
            zones = {
                self._diaries.agreed(engagement).zone
                for engagement, _ in self._own(key).engagements
            }
            ends = (bounds(monday, zone, days=DAYS)[1] for zone in zones)
            known = self._over[key] = monday, max(ends, default=0)
        return known[1]

    def letter(self, row: NoticeRow, contact: ContactRow) -> Letter | None:
        """Write a digest; None when there is nothing to tell, or it is not asked for any more.

        Raises `OSError` when the diaries are too busy to be asked just now.
        """
        if not contact.digest:
            return None
        monday = _EPOCH + timedelta(days=row.step)
        lines = list(self._lines(contact.thumbprint, monday))
        if not lines:
            return None
        stop = self._place.stop_link(self._contacts.stop_token(contact, digest=True))
        sunday = monday + timedelta(days=DAYS - 1)
        text = [
            f"{monday:%d %b} to {sunday:%d %b %Y}, in the days of each agreement:",
            "",
            *lines,
            f"The same figures, and why: {self._place.url}/",
            f"Log: {self._place.origin}. What they do not prove stands beside them there.",
        ]
        subject = f"Hours of the week from {monday:%d %b %Y}"
        return Letter(
            mail_name(contact.salt, row.name),
            subject,
            signed(text, "no weekly mail from here any more", stop),
            stop,
        )

    def _lines(self, key: Digest, monday: date) -> Iterator[str]:
        reach = self._diaries.reach()
        own = self._own(key)
        for engagement, standing in own.engagements:
            # A key that waits before it reads is told nothing by mail either.
            if standing.who not in _TOLD or standing.from_ms > self._clock.now_ms():
                continue
            agreed = self._diaries.agreed(engagement)
            found = self._week(agreed, monday, reach)
            if isinstance(found, str):
                yield f"Agreement {engagement.hex()[:8]}: {found}"
                yield ""
            elif found.days:
                yield f"Agreement {engagement.hex()[:8]}, you are the {standing.who.value}"
                yield from (f"  {line}" for line in figures(agreed, found))
                sheets = self._sheets.listed(agreed, reach).sheets
                waiting = sum(one.answer is None and one.replaced_by is None for one in sheets)
                if waiting:
                    yield f"  timesheets without an answer of the client: {waiting}"
                yield ""

        if own.following is not None:
            yield f"Only your newest {MOST_CASES} agreements are told of here, the page has all."
            yield ""

    def _own(self, key: Digest) -> Listed:
        """List what a key signed: of what others offer there are no hours, however many do."""
        return self._standings.engagements(key, ties=(Tie.SIGNED,))

    def _week(self, agreed: Agreed, monday: date, reach: Reach) -> Week | str:
        try:
            return self._diaries.week(agreed, monday, reach)
        except RefusedError as error:
            if error.reason is Reason.BUSY:
                raise OSError("the diaries are busy") from error
            return "not counted here: more statements than one question may read"


def figures(agreed: Agreed, week: Week) -> Iterator[str]:
    """Write what a week's page sums up."""
    late = sum(day.worked_ms[WorkClass.LATE_DECLARED] for day in week.days)
    recorded = sum(sum(day.worked_ms.values()) for day in week.days) - late
    billed = billed_of(agreed.terms, week.days)
    yield f"recorded {hours(recorded)}" + (f", declared late {hours(late)}" if late else "")
    yield f"billed {hours(billed.ms)}"
    offline = sum(day.offline_ms for day in week.days)
    if offline:
        yield f"of it recorded offline or proved late: {hours(offline)}"
    if week.exceeded:
        yield f"limits of the agreement passed: {len(week.exceeded)}"


def newest_week(now_ms: int, zone: tzinfo) -> tuple[date, int]:
    """Return the Monday of the newest week that may be told of, and since when it may."""
    local = (_START + timedelta(milliseconds=now_ms)).astimezone(zone)
    told = monday_of(local.date())
    at = datetime.combine(told, _MORNING, zone)
    if local < at:
        told -= timedelta(days=DAYS)
        at = datetime.combine(told, _MORNING, zone)
    return told - timedelta(days=DAYS), int(at.timestamp() * 1000)


def number_of(monday: date) -> int:
    """Count a Monday's days from 1 January 1970: the step of its notice."""
    return (monday - _EPOCH).days


def hours(ms: int) -> str:
    """Write a duration as the pages do, to the second."""
    seconds = ms // 1_000
    return f"{seconds // 3_600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} h"


def _zone(row: ContactRow) -> tzinfo:
    return first_zone([row.zone or "UTC"])
