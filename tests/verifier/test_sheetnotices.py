"""Who is told of hours, what a notice of them tells, and until when a client has to review."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from support.builders import make_sheet_answer, make_terms, make_timesheet
from support.office import Office
from support.scripted import ScriptedAgent
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import SheetAnswer, Timesheet, TimesheetAnswer
from workseal_verifier.services.noticing import roles_in
from workseal_verifier.services.sheetnotices import hours_of, members_of, review_of, sheet_notices
from workseal_verifier.store.notices import Fate, Notice

TERMS = make_terms()


def ms(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return int(moment.timestamp() * 1000)


def caused(record: Timesheet | TimesheetAnswer) -> list[tuple[str, Digest, tuple[Role, ...], Fate]]:
    made: tuple[Notice, ...] = sheet_notices(record, TERMS, 41, ms("2026-03-02T10:00"))
    assert {(one.filing, one.step) for one in made} == {(None, 41)}
    return [(one.kind, one.recipient, roles_in(one.waiting), one.fate) for one in made]


def test_the_client_is_told_of_a_timesheet_and_later_reminded() -> None:
    client = TERMS.client.thumbprint
    assert caused(make_timesheet()) == [
        ("timesheet", client, (Role.CLIENT,), Fate.WAITING),
        ("review", client, (Role.CLIENT,), Fate.LATER),
    ]


@pytest.mark.parametrize("answer", list(SheetAnswer))
def test_the_freelancer_is_told_of_an_answer(answer: SheetAnswer) -> None:
    said = make_sheet_answer(answer=answer, text="the secret project")
    waits = () if answer is SheetAnswer.ACCEPTED else (Role.FREELANCER,)
    assert caused(said) == [("answer", TERMS.freelancer.thumbprint, waits, Fate.WAITING)]


def test_a_notice_tells_which_timesheet_and_what_was_answered_and_no_word(office: Office) -> None:
    agent = ScriptedAgent(office, terms=office.terms())
    agent.open_session()
    agent.work(2 * agent.terms.round_ms)
    day = date(2026, 3, 2)
    first = agent.sum_up(day, day)
    second = agent.sum_up(day, day, replaces=first.digest)
    agent.reply(second, SheetAnswer.OBJECTION, "the secret project")
    people = [office.people.client.public_key, office.people.freelancer.public_key]
    rows = office.verifier.notices.board(
        [one.thumbprint for one in people], below=2**53, before=2**53, most=9
    )
    about = {"engagement": agent.engagement.hex(), "replaces": None, "answer": None}
    assert [members_of(hours_of(row)) for row in rows] == [
        about | {"timesheet": str(second.digest), "answer": "objection"},
        about | {"timesheet": str(second.digest), "replaces": str(first.digest)},
        about | {"timesheet": str(first.digest)},
    ]
    other = hours_of(replace(rows[0], statement=None))
    assert set(members_of(other).values()) == {None}


@pytest.mark.parametrize(
    ("came", "days", "until", "remind"),
    [
        pytest.param("2026-03-02T10:00", 5, "2026-03-09", "2026-03-06", id="over a weekend"),
        # Friday 3 and Monday 6 April are holidays in Bavaria, and not in the United States.
        pytest.param("2026-03-30T10:00", 5, "2026-04-08", "2026-04-07", id="the later of both"),
        # Friday 19 June is a holiday of the client's.
        pytest.param("2026-06-15T10:00", 5, "2026-06-23", "2026-06-22", id="the client's holiday"),
        pytest.param("2026-03-02T10:00", 2, "2026-03-04", "2026-03-03", id="two days"),
        pytest.param("2026-03-06T10:00", 1, "2026-03-09", None, id="no working day between"),
        pytest.param("2026-03-06T23:59", 2, "2026-03-10", "2026-03-09", id="late in the evening"),
    ],
)
def test_the_days_to_review_are_counted_by_both_calendars(
    came: str, days: int, until: str, remind: str | None
) -> None:
    found = review_of(replace(TERMS, review_days=days), ms(came))
    assert found is not None
    assert found.until_ms == ms(f"{until}T23:59:59.999")
    assert found.remind_ms == (None if remind is None else ms(f"{remind}T09:00"))


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param(replace(TERMS, client_calendar="XX"), id="no such country"),
        pytest.param(replace(TERMS, zone="Nowhere/Land"), id="no such zone"),
        pytest.param(replace(TERMS, review_days=3_650, client_calendar="CN"), id="no table"),
    ],
)
def test_what_cannot_be_counted_is_not_guessed(terms: object) -> None:
    assert review_of(terms, ms("2026-03-02T10:00")) is None  # type: ignore[arg-type]
