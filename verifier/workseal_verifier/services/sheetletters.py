"""The words of mails about hours: a timesheet came, it was answered, it has no answer yet.

Rules: as of a case (`letters`): no hours, no sum, nothing of what was said, and of an agreement the
first digits of its number. In English, and below it in German, for no key says what it reads.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Final

from workseal_protocol.records import SheetAnswer
from workseal_verifier.services.letters import Letter, Place, in_zone, moment, signed
from workseal_verifier.services.noticing import About

# As many as the weekly mail shows.
_DIGITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Say what a mail tells of one timesheet; `first` and `last` are its days.

    `until_ms` is when the days to review it end, None where nobody can count that.
    """

    about: About
    engagement: bytes
    first: date
    last: date
    replaces: bool = False
    answer: SheetAnswer | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Hold the texts of one language, and how it writes days and moments."""

    subjects: Mapping[About, str]
    many: str
    came: str
    replaces: str
    answers: Mapping[SheetAnswer, str]
    unanswered: str
    days: str
    until: str
    read: str
    last: Sequence[str]
    day: str
    moment: Callable[[int, tzinfo], str]


_ENGLISH: Final = _Words(
    subjects={
        About.TIMESHEET: "A timesheet waits for your review",
        About.ANSWER: "Your timesheet was answered",
        About.REVIEW: "Reminder: a timesheet has no answer yet",
    },
    many="News of timesheets",
    came="Agreement {agreement}: a timesheet of {days} came.",
    replaces="  It replaces one that came before.",
    answers={
        SheetAnswer.ACCEPTED: "Agreement {agreement}: your timesheet of {days} was accepted.",
        SheetAnswer.QUESTION: "Agreement {agreement}: a question about your timesheet of {days}.",
        SheetAnswer.OBJECTION: "Agreement {agreement}: an objection to your timesheet of {days}.",
    },
    unanswered="Agreement {agreement}: the timesheet of {days} has no answer yet.",
    days="{first} to {last}",
    until="  The days to review it end: {until}",
    read="Sign in to read more: {link}",
    last=(
        "No hours, no sum and nothing of what was said are in this mail. Silence accepts nothing",
        "and forfeits nothing.",
    ),
    day="%d %b %Y",
    moment=moment,
)
_GERMAN: Final = _Words(
    subjects={
        About.TIMESHEET: "Ein Stundenzettel wartet auf Ihre Prüfung",
        About.ANSWER: "Ihr Stundenzettel wurde beantwortet",
        About.REVIEW: "Erinnerung: Ein Stundenzettel ist noch nicht beantwortet",
    },
    many="Neues zu Stundenzetteln",
    came="Vereinbarung {agreement}: Ein Stundenzettel für {days} ist eingegangen.",
    replaces="  Er ersetzt einen früheren.",
    answers={
        SheetAnswer.ACCEPTED: (
            "Vereinbarung {agreement}: Ihr Stundenzettel für {days} wurde angenommen."
        ),
        SheetAnswer.QUESTION: (
            "Vereinbarung {agreement}: Zu Ihrem Stundenzettel für {days} gibt es eine Frage."
        ),
        SheetAnswer.OBJECTION: (
            "Vereinbarung {agreement}: Gegen Ihren Stundenzettel für {days} gibt es einen Einwand."
        ),
    },
    unanswered=(
        "Vereinbarung {agreement}: Der Stundenzettel für {days} ist noch nicht beantwortet."
    ),
    days="{first} bis {last}",
    until="  Die Frist für Ihre Prüfung endet: {until}",
    read="Melden Sie sich an, um mehr zu lesen: {link}",
    last=(
        "Diese Mail enthält keine Stunden, keinen Betrag und nichts von dem, was gesagt wurde.",
        "Schweigen nimmt nichts an und verwirkt nichts.",
    ),
    day="%d.%m.%Y",
    moment=lambda ms, zone: in_zone(ms, zone).strftime("%d.%m.%Y, %H:%M:%S Uhr (UTC%z)"),
)


def sheet_letter(told: Sequence[Told], name: str, place: Place, zone: tzinfo, stop: str) -> Letter:
    """Write one mail about timesheets, in both languages; `name` stays if it comes again."""
    lines = [
        *_lines(_ENGLISH, told, place, zone),
        "",
        f"Log: {place.origin}",
        "",
        "--- Deutsch ---",
        "",
        *_lines(_GERMAN, told, place, zone),
        "",
        f"Um von hier keine solchen Mails mehr zu erhalten: {stop}",
    ]
    subject = f"{_subject(_ENGLISH, told)} / {_subject(_GERMAN, told)}"
    return Letter(name, subject, signed(lines, "no such mail from here any more", stop), stop)


def _subject(words: _Words, told: Sequence[Told]) -> str:
    return words.subjects[told[0].about] if len(told) == 1 else words.many


def _lines(words: _Words, told: Sequence[Told], place: Place, zone: tzinfo) -> Iterator[str]:
    for one in told:
        yield _sentence(words, one).format(
            agreement=one.engagement.hex()[:_DIGITS], days=_days(words, one)
        )
        if one.replaces:
            yield words.replaces
        if one.until_ms is not None:
            yield words.until.format(until=words.moment(one.until_ms, zone))
    yield ""
    yield words.read.format(link=f"{place.url}/notices")
    yield ""
    yield from words.last


def _sentence(words: _Words, one: Told) -> str:
    if one.answer is not None:
        return words.answers[one.answer]
    return words.unanswered if one.about is About.REVIEW else words.came


def _days(words: _Words, one: Told) -> str:
    first, last = one.first.strftime(words.day), one.last.strftime(words.day)
    return first if first == last else words.days.format(first=first, last=last)
