"""The words of mails about hours, in two languages."""

from dataclasses import replace
from datetime import UTC, date

import pytest

from workseal_protocol.records import SheetAnswer
from workseal_verifier.services.letters import Place
from workseal_verifier.services.noticing import About
from workseal_verifier.services.sheetletters import Told, sheet_letter

PLACE = Place("office.workseal.example/2026", "https://office.workseal.example")
CAME = Told(
    about=About.TIMESHEET,
    engagement=b"\xab" * 16,
    first=date(2026, 3, 2),
    last=date(2026, 3, 2),
)


def written(*told: Told) -> tuple[str, str]:
    letter = sheet_letter(told, "name", PLACE, UTC, f"{PLACE.url}/stop/token")
    return letter.subject, letter.text


def test_one_day_is_one_day_and_a_deadline_that_nobody_can_count_is_left_out() -> None:
    subject, text = written(CAME)
    assert subject == (
        "A timesheet waits for your review / Ein Stundenzettel wartet auf Ihre Prüfung"
    )
    assert "Agreement abababab: a timesheet of 02 Mar 2026 came.\n" in text
    assert "Vereinbarung abababab: Ein Stundenzettel für 02.03.2026 ist eingegangen.\n" in text
    assert "end" not in text.replace("Vereinbarung", "").partition("Sign in")[0]
    assert text.count("https://office.workseal.example/notices") == 2
    assert text.count("/stop/token") == 2


@pytest.mark.parametrize(
    ("one", "english", "german"),
    [
        (replace(CAME, replaces=True), "It replaces one", "Er ersetzt einen früheren."),
        (replace(CAME, about=About.REVIEW), "has no answer yet.", "ist noch nicht beantwortet."),
        (
            replace(CAME, about=About.ANSWER, answer=SheetAnswer.ACCEPTED),
            "your timesheet of 02 Mar 2026 was accepted.",
            "Ihr Stundenzettel für 02.03.2026 wurde angenommen.",
        ),
        (
            replace(CAME, about=About.ANSWER, answer=SheetAnswer.QUESTION),
            "a question about your timesheet of 02 Mar 2026.",
            "Zu Ihrem Stundenzettel für 02.03.2026 gibt es eine Frage.",
        ),
        (
            replace(CAME, about=About.ANSWER, answer=SheetAnswer.OBJECTION),
            "an objection to your timesheet of 02 Mar 2026.",
            "Gegen Ihren Stundenzettel für 02.03.2026 gibt es einen Einwand.",
        ),
    ],
)  # fmt: skip
def test_each_thing_is_said_in_both_languages(one: Told, english: str, german: str) -> None:
    _, text = written(one)
    first, second = text.split("--- Deutsch ---")
    assert english in first
    assert german in second


def test_several_are_told_in_one_mail_in_their_order() -> None:
    other = replace(CAME, first=date(2026, 3, 9), last=date(2026, 3, 15), until_ms=0)
    subject, text = written(CAME, other)
    assert subject == "News of timesheets / Neues zu Stundenzetteln"
    first, second = text.index("02 Mar 2026"), text.index("09 Mar 2026 to 15 Mar 2026")
    assert first < second < text.index("end: Thu 01 Jan 1970, 00:00:00 (UTC+0000)")
    assert "endet: 01.01.1970, 00:00:00 Uhr (UTC+0000)" in text
