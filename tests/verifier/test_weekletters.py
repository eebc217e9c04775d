"""The words of the weekly digest, in two languages."""

from datetime import date

from workseal_verifier.services.letters import Place
from workseal_verifier.services.weekletters import Figures, Told, hours, week_letter

PLACE = Place("office.workseal.example/2026", "https://office.workseal.example")
FIGURES = Figures(
    recorded_ms=36_000_999,
    late_ms=60_000,
    billed_ms=35_000_000,
    offline_ms=1_000,
    exceeded=2,
    unanswered=3,
)


def test_a_duration_is_never_rounded_up() -> None:
    assert [hours(one) for one in (0, 59_999, 3_599_999, 36_000_000)] == [
        "0:00:00 h", "0:00:59 h", "0:59:59 h", "10:00:00 h",
    ]  # fmt: skip


def test_says_the_same_in_both_languages() -> None:
    told = [
        Told(engagement=b"\xab" * 16, is_client=True, figures=FIGURES),
        Told(engagement=b"\xcd" * 16, is_client=False, figures=None),
    ]
    stop = f"{PLACE.url}/stop/token"
    letter = week_letter(told, date(2026, 12, 28), "name", PLACE, stop, newest=50)
    assert letter.subject == (
        "Hours of the week from 28 Dec 2026 / Stunden der Woche ab 28.12.2026"
    )
    english, german = letter.text.split("--- Deutsch ---")
    for line in (
        "28 Dec 2026 to 03 Jan 2027, in the days of each agreement:",
        "Agreement abababab, you are the client",
        "  recorded 10:00:00 h, declared late 0:01:00 h",
        "  billed 9:43:20 h",
        "  of it recorded offline or proved late: 0:00:01 h",
        "  limits of the agreement passed: 2",
        "  timesheets without an answer of the client: 3",
        "Agreement cdcdcdcd: not counted here: more statements than one question may read",
        "Only your newest 50 agreements are told of here, the page has all.",
    ):
        assert f"{line}\n" in english, line
    for line in (
        "28.12.2026 bis 03.01.2027, in den Tagen jeder Vereinbarung:",
        "Vereinbarung abababab, Sie sind der Auftraggeber",
        "  aufgezeichnet 10:00:00 h, nachträglich erklärt 0:01:00 h",
        "  abgerechnet 9:43:20 h",
        "  davon offline aufgezeichnet oder spät belegt: 0:00:01 h",
        "  überschrittene Grenzen der Vereinbarung: 2",
        "  Stundenzettel ohne Antwort des Auftraggebers: 3",
        "Vereinbarung cdcdcdcd: hier nicht gezählt: mehr Einträge, als eine Frage lesen darf",
        "Nur Ihre neuesten 50 Vereinbarungen stehen hier, auf der Seite alle.",
        f"Um von hier keine Wochenmails mehr zu erhalten: {stop}",
    ):
        assert f"{line}\n" in german, line
    assert letter.text.count(stop) == 2


def test_leaves_out_what_there_is_none_of() -> None:
    figures = Figures(
        recorded_ms=1_000, late_ms=0, billed_ms=0, offline_ms=0, exceeded=0, unanswered=0
    )
    told = [Told(engagement=bytes(16), is_client=False, figures=figures)]
    text = week_letter(told, date(2026, 3, 2), "name", PLACE, "stop", newest=None).text
    for word in ("late", "offline", "limits", "timesheets", "newest", "nachträglich", "Grenzen"):
        assert word not in text, word
    assert text.count("0:00:01 h") == text.count("0:00:00 h") == 2
