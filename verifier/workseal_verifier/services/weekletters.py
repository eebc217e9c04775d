"""The words of the weekly digest: the figures of one week of each agreement.

Rules: no amount, name, title or project, and of an agreement the first digits of its number. In
English, and below it in German, for no key says what it reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from workseal_verifier.services.letters import Letter, Place, signed
from workseal_verifier.services.weekfold import DAYS

# As many as the mails about timesheets show.
_DIGITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Hold what a week's page sums up."""

    recorded_ms: int
    late_ms: int
    billed_ms: int
    offline_ms: int
    exceeded: int
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Say what a mail tells of one agreement; `figures` is None where they were not counted."""

    engagement: bytes
    is_client: bool
    figures: Figures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Hold the texts of one language, and how it writes days."""

    subject: str
    days: str
    client: str
    freelancer: str
    uncounted: str
    recorded: str
    late: str
    billed: str
    offline: str
    exceeded: str
    unanswered: str
    more: str
    last: Sequence[str]
    day: str


_ENGLISH: Final = _Words(
    subject="Hours of the week from {first}",
    days="{first} to {last}, in the days of each agreement:",
    client="Agreement {agreement}, you are the client",
    freelancer="Agreement {agreement}, you are the freelancer",
    uncounted=(
        "Agreement {agreement}: not counted here: more statements than one question may read"
    ),
    recorded="  recorded {time}",
    late=", declared late {time}",
    billed="  billed {time}",
    offline="  of it recorded offline or proved late: {time}",
    exceeded="  limits of the agreement passed: {count}",
    unanswered="  timesheets without an answer of the client: {count}",
    more="Only your newest {count} agreements are told of here, the page has all.",
    last=(
        "The same figures, and why: {url}/",
        "Log: {origin}. What they do not prove stands beside them there.",
    ),
    day="%d %b %Y",
)
_GERMAN: Final = _Words(
    subject="Stunden der Woche ab {first}",
    days="{first} bis {last}, in den Tagen jeder Vereinbarung:",
    client="Vereinbarung {agreement}, Sie sind der Auftraggeber",
    freelancer="Vereinbarung {agreement}, Sie sind der Freiberufler",
    uncounted=(
        "Vereinbarung {agreement}: hier nicht gezählt: mehr Einträge, als eine Frage lesen darf"
    ),
    recorded="  aufgezeichnet {time}",
    late=", nachträglich erklärt {time}",
    billed="  abgerechnet {time}",
    offline="  davon offline aufgezeichnet oder spät belegt: {time}",
    exceeded="  überschrittene Grenzen der Vereinbarung: {count}",
    unanswered="  Stundenzettel ohne Antwort des Auftraggebers: {count}",
    more="Nur Ihre neuesten {count} Vereinbarungen stehen hier, auf der Seite alle.",
    last=(
        "Dieselben Zahlen, und warum: {url}/",
        "Log: {origin}. Was sie nicht beweisen, steht dort neben ihnen.",
    ),
    day="%d.%m.%Y",
)


def week_letter(
    told: Sequence[Told], monday: date, name: str, place: Place, stop: str, *, newest: int | None
) -> Letter:
    """Write a digest in both languages; `newest` is how many are told of where there are more."""
    lines = [
        *_lines(_ENGLISH, told, monday, place, newest),
        "",
        "--- Deutsch ---",
        "",
        *_lines(_GERMAN, told, monday, place, newest),
        "",
        f"Um von hier keine Wochenmails mehr zu erhalten: {stop}",
    ]
    subject = " / ".join(
        words.subject.format(first=monday.strftime(words.day)) for words in (_ENGLISH, _GERMAN)
    )
    return Letter(name, subject, signed(lines, "no weekly mail from here any more", stop), stop)


def hours(ms: int) -> str:
    """Write a duration as the pages do, to the second."""
    seconds = ms // 1_000
    return f"{seconds // 3_600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} h"


def _lines(
    words: _Words, told: Sequence[Told], monday: date, place: Place, newest: int | None
) -> Iterator[str]:
    first, last = (day.strftime(words.day) for day in (monday, monday + timedelta(days=DAYS - 1)))
    yield words.days.format(first=first, last=last)
    yield ""
    for one in told:
        head = words.client if one.is_client else words.freelancer
        if one.figures is None:
            head = words.uncounted
        yield head.format(agreement=one.engagement.hex()[:_DIGITS])
        if one.figures is not None:
            yield from _figures(words, one.figures)
        yield ""
    if newest is not None:
        yield words.more.format(count=newest)
        yield ""
    yield from (line.format(url=place.url, origin=place.origin) for line in words.last)


def _figures(words: _Words, one: Figures) -> Iterator[str]:
    late = words.late.format(time=hours(one.late_ms)) if one.late_ms else ""
    yield words.recorded.format(time=hours(one.recorded_ms)) + late
    yield words.billed.format(time=hours(one.billed_ms))
    if one.offline_ms:
        yield words.offline.format(time=hours(one.offline_ms))
    if one.exceeded:
        yield words.exceeded.format(count=one.exceeded)
    if one.unanswered:
        yield words.unanswered.format(count=one.unanswered)
