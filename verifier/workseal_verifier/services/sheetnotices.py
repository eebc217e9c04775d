"""Who is told of a timesheet and of its answer, and until when a client has to review: pure.

Rules: whoever did not sign it is told. With a timesheet goes its one reminder, which is shown when
the terms' days to review are about to end: a working day of the client before the last one. Nothing
follows from silence, so a deadline that nobody can count reminds nobody. docs/spec/notices.md
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from workseal_protocol.cli.calendars import holiday_days
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Span, WorkingDays, count_due
from workseal_protocol.dispute.deadlines import day_in
from workseal_protocol.keys import Role
from workseal_protocol.records import SheetAnswer, Timesheet, TimesheetAnswer, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.noticing import About, name_of
from workseal_verifier.store.notices import Fate, Notice, NoticeRow

_MORNING: Final = time(9)
_DAY: Final = timedelta(days=1)


def sheet_notices(
    record: Timesheet | TimesheetAnswer, terms: Terms, place: int, made_ms: int
) -> tuple[Notice, ...]:
    """List what a statement at this place of the log causes."""
    if isinstance(record, Timesheet):
        client = terms.client.thumbprint
        return (
            _notice(About.TIMESHEET, client, place, made_ms, waits=Role.CLIENT),
            _notice(About.REVIEW, client, place, made_ms, waits=Role.CLIENT, fate=Fate.LATER),
        )
    waits = None if record.answer is SheetAnswer.ACCEPTED else Role.FREELANCER
    return (_notice(About.ANSWER, terms.freelancer.thumbprint, place, made_ms, waits=waits),)


def _notice(
    about: About,
    person: Digest,
    place: int,
    made_ms: int,
    *,
    waits: Role | None,
    fate: Fate = Fate.WAITING,
) -> Notice:
    return Notice(
        name=name_of(None, place, about, person),
        kind=about.value,
        filing=None,
        step=place,
        recipient=person,
        waiting=0 if waits is None else 1 << waits,
        made_ms=made_ms,
        fate=fate,
    )


@dataclass(frozen=True, slots=True)
class Hours:
    """Say what a notice of hours tells of: a timesheet, and the answer if it tells of that.

    `sheet` is the record of the timesheet where the notice tells of no answer.
    """

    engagement: bytes
    timesheet: Digest
    sheet: Timesheet | None
    answer: SheetAnswer | None

    @property
    def replaces(self) -> Digest | None:
        """Name the timesheet in whose place it stands."""
        return None if self.sheet is None else self.sheet.replaces


def hours_of(row: NoticeRow) -> Hours | None:
    """Read what a notice tells of; None for one that tells of no hours."""
    if row.statement is None:
        return None
    statement = Statement.parse(row.statement)
    record = read_record(statement)
    if isinstance(record, Timesheet):
        return Hours(record.engagement, statement.digest, record, None)
    if isinstance(record, TimesheetAnswer):
        return Hours(record.engagement, record.timesheet, None, record.answer)
    return None


def members_of(hours: Hours | None) -> dict[str, str | None]:
    """Write for programs what a notice tells of hours; nulls for one that tells of none."""
    answer = None if hours is None else hours.answer
    replaces = None if hours is None else hours.replaces
    return {
        "engagement": None if hours is None else hours.engagement.hex(),
        "timesheet": None if hours is None else str(hours.timesheet),
        "replaces": None if replaces is None else str(replaces),
        "answer": None if answer is None else answer.name.lower(),
    }


# --- the days to review ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Review:
    """Say until when a timesheet is to be reviewed, and when its client is reminded, if ever."""

    until_ms: int
    remind_ms: int | None


def review_of(terms: Terms, came_ms: int) -> Review | None:
    """Count the days to review by both calendars, the later end counts; None where none can."""
    try:
        client = holiday_days(terms.client_calendar, terms.zone)
        freelancer = holiday_days(terms.freelancer_calendar, terms.zone)
        span = Span(came_ms, terms.review_days)
        until = max(count_due(span, each).until for each in (client, freelancer))
        return Review(until, _eve(client, came_ms, until))
    except (ValueError, OverflowError):
        # No table of such holidays, or none that reaches so far: never guessed.
        return None


def _eve(calendar: WorkingDays, came_ms: int, until_ms: int) -> int | None:
    """Return nine on the last working day between both, if there is one."""
    first = day_in(came_ms, calendar.zone)
    day = day_in(until_ms, calendar.zone) - _DAY
    while day > first:
        if calendar.works(day):
            return int(datetime.combine(day, _MORNING, calendar.zone).timestamp() * 1000)
        day -= _DAY
    return None
