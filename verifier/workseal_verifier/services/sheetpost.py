"""What people are told of timesheets: reminders when they are due, and the mails.

Rules: a client is reminded once of a timesheet that has no answer and was not replaced, of which
the terms' days to review are about to end; what became of it is looked at when the reminder is due
and again when it is sent. Nothing follows from silence.
"""

from collections.abc import Sequence
from typing import Final

from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.records import Offer, Timesheet, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_protocol.timesheets import date_of, share_days
from workseal_verifier.services.casedays import first_zone
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.letters import Letter, Place, mail_name
from workseal_verifier.services.noticing import About, name_of
from workseal_verifier.services.sheetletters import Told, sheet_letter
from workseal_verifier.services.sheetnotices import Hours, Review, hours_of, review_of
from workseal_verifier.store.contacts import ContactRow
from workseal_verifier.store.notices import NoticeRow, NoticeStore
from workseal_verifier.store.records import RecordStore

# Reminders that one turn looks at.
_MOST: Final = 100


class SheetPost:
    """Make reminders due, and write mails about hours."""

    def __init__(
        self,
        records: RecordStore,
        notices: NoticeStore,
        contacts: ContactBook,
        clock: Clock,
        place: Place,
    ) -> None:
        self._records = records
        self._notices = notices
        self._contacts = contacts
        self._clock = clock
        self._place = place

    def remind(self) -> None:
        """Look at the reminders whose time has come: each is told once, or never."""
        now = self._clock.now_ms()
        for row in self._notices.to_remind(now, most=_MOST):
            review = self._review(row)
            if review is None or review.remind_ms is None or now > review.until_ms:
                self._notices.pass_by(row.name, now)
            elif review.remind_ms > now:
                self._notices.look_later(row.name, review.remind_ms)
            elif self.is_settled(row):
                self._notices.pass_by(row.name, now)
            else:
                self._notices.release(row.name, now)

    def is_settled(self, row: NoticeRow) -> bool:
        """Tell whether a timesheet was answered or replaced."""
        hours = hours_of(row)
        if hours is None or hours.sheet is None:
            return True
        answer = Kind.TIMESHEET_ANSWER.value
        if self._records.about(hours.timesheet.raw, answer, hours.engagement):
            return True
        later = self._records.of_engagement_and_kinds(
            hours.engagement, [Kind.TIMESHEET.value], since=row.step + 1, below=MAX_INTEGER
        )
        return any(_replaces(read_record(Statement.parse(one.body)), hours) for one in later)

    def letter(self, rows: Sequence[NoticeRow], contact: ContactRow) -> Letter:
        """Write one mail about all of these."""
        stop = self._place.stop_link(self._contacts.stop_token(contact, digest=False))
        told = [one for one in map(self._told, rows) if one is not None]
        zone = first_zone([contact.zone] if contact.zone else [self._zone(rows[0])])
        # Of the first: what came meanwhile is told with it when it is sent again.
        return sheet_letter(told, mail_name(contact.salt, rows[0].name), self._place, zone, stop)

    def _told(self, row: NoticeRow) -> Told | None:
        hours = hours_of(row)
        sheet = None if hours is None else hours.sheet or self._sheet(hours)
        if hours is None or sheet is None:
            return None
        review = self._review(row) if hours.answer is None else None
        return Told(
            about=About(row.kind),
            engagement=hours.engagement,
            first=date_of(sheet.first),
            last=date_of(sheet.last),
            replaces=hours.replaces is not None,
            answer=hours.answer,
            until_ms=None if review is None else review.until_ms,
        )

    def _sheet(self, hours: Hours) -> Timesheet | None:
        entry = self._records.by_digest(hours.timesheet)
        record = None if entry is None else read_record(Statement.parse(entry.body))
        return record if isinstance(record, Timesheet) else None

    def _review(self, row: NoticeRow) -> Review | None:
        """Count the days to review a timesheet, from when it came."""
        hours = hours_of(row)
        terms = None if hours is None else self._terms(hours.engagement)
        came = self._notices.made_ms(name_of(None, row.step, About.TIMESHEET, row.recipient))
        return None if terms is None or came is None else review_of(terms, came)

    def _zone(self, row: NoticeRow) -> str:
        hours = hours_of(row)
        terms = None if hours is None else self._terms(hours.engagement)
        return "UTC" if terms is None else terms.zone

    def _terms(self, engagement: bytes) -> Terms | None:
        entry = self._records.first_of(engagement)
        record = None if entry is None else read_record(Statement.parse(entry.body))
        return record.terms if isinstance(record, Offer) else None


def _replaces(record: object, hours: Hours) -> bool:
    """Tell whether a timesheet replaces another one (docs/spec/timesheets.md)."""
    if not isinstance(record, Timesheet) or hours.sheet is None:
        return False
    return record.replaces == hours.timesheet and share_days(hours.sheet, record)
