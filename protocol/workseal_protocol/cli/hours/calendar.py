"""Hours as an iCalendar file (RFC 5545): events that a calendar program shows.

Rule: the same hours give the same identifiers, so that a second import replaces the first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from icalendar import Calendar, Event

from workseal_protocol.cli.hours.sheet import Sheet, recorded_of
from workseal_protocol.cli.text import exact
from workseal_protocol.terms import WorkClass

_PRODUCT = "-//Workseal//hours//EN"


def as_calendar(sheet: Sheet, *, spans: bool) -> bytes:
    """Write an event for each interval, or for each day one that lasts it."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    for event in _spans(sheet) if spans else _days(sheet):
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _spans(sheet: Sheet) -> Iterator[Event]:
    for span in sheet.spans:
        said = f"{span.state}, {exact(span.worked_ms)}"
        event = _event(sheet, f"{span.begin} {span.state}", said, span.reason)
        event.add("dtstart", _utc(span.begin))
        # An event ends after it begins, however short it is.
        event.add("dtend", max(_utc(span.end), _utc(span.begin + 1_000)))
        yield event


def _days(sheet: Sheet) -> Iterator[Event]:
    for day in sheet.days:
        late = day.worked_ms[WorkClass.LATE_DECLARED]
        beside = f", and {exact(late)} declared late" if late else ""
        event = _event(sheet, day.day.isoformat(), f"{exact(recorded_of(day))} recorded{beside}")
        event.add("dtstart", day.day)
        event.add("dtend", _following(day.day))
        yield event


def _event(sheet: Sheet, name: str, said: str, more: str = "") -> Event:
    event = Event()
    event.add("uid", str(uuid5(UUID(bytes=sheet.engagement), name)))
    event.add("dtstamp", _known_by(sheet))
    event.add("summary", said)
    if more:
        event.add("description", more)
    event.add("transp", "TRANSPARENT")
    return event


def _known_by(sheet: Sheet) -> datetime:
    # No clock: the same bundle gives the same file. Where the policy bounds nothing, the days with
    # hours are the last thing that is known; until when hours were asked for tells nothing.
    if sheet.known_by_ms is not None:
        return _utc(sheet.known_by_ms)
    end = datetime.combine(_following(sheet.days[-1].day), time(), tzinfo=sheet.zone)
    return end.astimezone(UTC)


def _utc(ms: int) -> datetime:
    # Calendars know whole seconds.
    return datetime.fromtimestamp(ms // 1000, tz=UTC)


def _following(day: date) -> date:
    return day + timedelta(days=1)
