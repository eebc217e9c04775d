"""The weekly digest: who is told of a finished week, and what they are told.

Rules: only who asked for it, by mail, once a week, after nine on Monday morning where they are, and
not before the week is over in the zone of each of their agreements; who asks on a Wednesday is told
of the week in which they asked. The figures are those of the diary's
week, folded anew when the mail is written: no text, title, project or name of anybody is in it, and
an agreement goes by the first digits of its number.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from workseal_protocol.billing import billed_of
from workseal_protocol.digest import Digest
from workseal_protocol.terms import WorkClass
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.access import Who
from workseal_verifier.services.casedays import first_zone
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.diaries import Agreed, Reach
from workseal_verifier.services.letters import Letter, Place, mail_name
from workseal_verifier.services.noticing import weekly
from workseal_verifier.services.sheetreview import SheetReview
from workseal_verifier.services.standing import MOST_CASES, Listed, Standings
from workseal_verifier.services.weekfold import DAYS, Week, bounds, monday_of
from workseal_verifier.services.weekletters import Figures, Told, week_letter
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
        told, newest = self._told(contact.thumbprint, monday)
        if not told and newest is None:
            return None
        stop = self._place.stop_link(self._contacts.stop_token(contact, digest=True))
        name = mail_name(contact.salt, row.name)
        return week_letter(told, monday, name, self._place, stop, newest=newest)

    def _told(self, key: Digest, monday: date) -> tuple[list[Told], int | None]:
        """Give what is told, and of how many agreements at most where there are more."""
        reach = self._diaries.reach()
        own = self._own(key)
        told = []
        for engagement, standing in own.engagements:
            # A key that waits before it reads is told nothing by mail either.
            if standing.who not in _TOLD or standing.from_ms > self._clock.now_ms():
                continue
            agreed = self._diaries.agreed(engagement)
            found = self._week(agreed, monday, reach)
            if found is not None and not found.days:
                continue
            figures = None if found is None else self._figures(agreed, found, reach)
            is_client = standing.who is Who.CLIENT
            told.append(Told(engagement=engagement, is_client=is_client, figures=figures))
        return told, None if own.following is None else MOST_CASES

    def _own(self, key: Digest) -> Listed:
        """List what a key signed: of what others offer there are no hours, however many do."""
        return self._standings.engagements(key, ties=(Tie.SIGNED,))

    def _week(self, agreed: Agreed, monday: date, reach: Reach) -> Week | None:
        """Return a week; None where it has more statements than one question may read."""
        try:
            return self._diaries.week(agreed, monday, reach)
        except RefusedError as error:
            if error.reason is Reason.BUSY:
                raise OSError("the diaries are busy") from error
            return None

    def _figures(self, agreed: Agreed, week: Week, reach: Reach) -> Figures:
        sheets = self._sheets.listed(agreed, reach).sheets
        late = sum(day.worked_ms[WorkClass.LATE_DECLARED] for day in week.days)
        return Figures(
            recorded_ms=sum(sum(day.worked_ms.values()) for day in week.days) - late,
            late_ms=late,
            billed_ms=billed_of(agreed.terms, week.days).ms,
            offline_ms=sum(day.offline_ms for day in week.days),
            exceeded=len(week.exceeded),
            unanswered=sum(one.answer is None and one.replaced_by is None for one in sheets),
        )


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


def _zone(row: ContactRow) -> tzinfo:
    return first_zone([row.zone or "UTC"])
