"""From a timesheet and its answer to a mail in a real box, once, whatever fails between."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from support.asking import SignedBy
from support.browser import Browser
from support.office import FlakyDatabase, LiveServer, Office, new_home
from support.postal import (
    PostOffice,
    gives,
    post_office,
    server_context,
    smtp_to,
)
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import SheetAnswer
from workseal_protocol.statement import Statement
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.contacts import Contact
from workseal_verifier.services.delivering import LEASE_MS, MOST_TOLD, QUIET_MS, WAITS_MS
from workseal_verifier.services.health import NOTICES
from workseal_verifier.store.notices import Channel, Fate, NoticeRow

DAY_MS = 86_400_000
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)
# Five working days after the Monday, the eve of it: nine in the morning in Berlin.
EVE = int(datetime(2026, 3, 6, 9, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)
CLIENT, FREELANCER = "client@example.com", "freelancer@example.com"


class Post:
    """A verifier that sends by a mail server, both parties' addresses, and a day of work in it."""

    def __init__(self, office: Office, box: PostOffice) -> None:
        self.office = office
        self.box = box
        self.agent = ScriptedAgent(office, terms=office.terms())
        self.agent.open_session()
        self.agent.work(4 * self.agent.terms.round_ms)
        self.agent.send()
        gives(office, office.people.client.public_key.thumbprint, Contact(mail=CLIENT))
        gives(office, office.people.freelancer.public_key.thumbprint, Contact(mail=FREELANCER))

    def begins_again(self) -> None:
        """End the server, and begin with another one in its home."""
        self.office.close()
        self.office = Office(self.office.verifier.settings, clock=self.office.clock).open()
        self.agent.verifier = self.office

    def sum_up(self, **changes: Any) -> Statement:
        return self.agent.sum_up(MONDAY, SUNDAY, **changes)

    def turn(self, now: int | None = None) -> int:
        """Do what the loop does, and count what was tried."""
        self.office.now = self.office.now if now is None else now
        self.office.verifier.hours.remind()
        return self.office.verifier.delivery.run(Channel.MAIL)

    def mails(self) -> list[tuple[str, str, str]]:
        """Give to whom, with which English subject and which text each mail went."""
        return [
            (to, str(mail["Subject"]).partition(" / ")[0], mail.get_content())
            for to, mail in zip(self.box.receivers, self.box.mails, strict=True)
        ]

    def told(self) -> list[tuple[str, str]]:
        return [(to, subject) for to, subject, _ in self.mails()]

    def board(self, signer: SeedSigner) -> list[NoticeRow]:
        person = signer.public_key.thumbprint
        return self.office.verifier.notices.board([person], below=2**53, before=2**53, most=99)


@pytest.fixture
def post(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[Post]:
    with post_office(server_context(*certificate)) as box:
        office = Office(new_home(tmp_path, smtp=smtp_to(box, certificate[0]))).open()
        office.now = START
        made = Post(office, box)
        yield made
        made.office.close()


def page_of(office: Office, live: LiveServer, signer: SeedSigner) -> str:
    browser = Browser(office, live)
    browser.sign_in(signer)
    text = browser.ask("GET", "/notices").text
    browser.close()
    return text


CAME = (CLIENT, "A timesheet waits for your review")
REMINDED = (CLIENT, "Reminder: a timesheet has no answer yet")
ANSWERED = (FREELANCER, "Your timesheet was answered")


def test_the_client_is_told_of_a_timesheet_in_both_languages_and_of_no_figure(post: Post) -> None:
    post.sum_up()
    assert post.turn() == 1
    assert post.told() == [CAME]
    ((_, _, text),) = post.mails()
    name = post.agent.engagement.hex()
    assert f"Agreement {name[:8]}: a timesheet of 02 Mar 2026 to 08 Mar 2026 came." in text
    assert "The days to review it end: Mon 09 Mar 2026, 23:59:59 (UTC+0100)" in text
    assert f"Vereinbarung {name[:8]}: Ein Stundenzettel für 02.03.2026 bis 08.03.2026" in text
    assert "Die Frist für Ihre Prüfung endet: 09.03.2026, 23:59:59 Uhr (UTC+0100)" in text
    assert "replaces" not in text
    assert "ersetzt" not in text
    # Neither the whole number of the agreement nor hours nor a sum, in any form.
    shown = post.box.mails[0].as_string() + text
    assert not [one for one in (name, post.agent.terms.currency, "0:02", "0.03") if one in shown]


def test_the_freelancer_is_told_what_was_answered_and_none_of_its_words(post: Post) -> None:
    sheet = post.sum_up()
    post.turn()
    for answer, words in [
        (SheetAnswer.QUESTION, "a question about your timesheet of"),
        (SheetAnswer.OBJECTION, "an objection to your timesheet of"),
        (SheetAnswer.ACCEPTED, "your timesheet of 02 Mar 2026 to 08 Mar 2026 was accepted"),
    ]:
        post.office.now += QUIET_MS
        post.agent.reply(sheet, answer, "the secret project")
        assert post.turn() == 1
        assert post.told()[-1] == ANSWERED
        text = post.mails()[-1][2]
        assert words in text
        assert "secret" not in post.box.mails[-1].as_string() + text
    assert len(post.box.mails) == 4


def test_a_timesheet_in_the_place_of_another_says_so(post: Post) -> None:
    first = post.sum_up()
    post.turn()
    post.office.now += QUIET_MS
    post.sum_up(replaces=first.digest)
    post.turn()
    text = post.mails()[-1][2]
    assert "It replaces one that came before." in text
    assert "Er ersetzt einen früheren." in text


def test_nobody_is_told_twice_also_by_a_server_that_began_again(post: Post) -> None:
    sheet = post.sum_up()
    post.turn()
    post.begins_again()
    assert post.turn() == 0
    # What is logged already is answered, and logged no second time.
    post.office.admit([sheet])
    assert post.turn() == 0
    assert post.turn(EVE) == 1
    post.begins_again()
    assert post.turn(EVE + DAY_MS) == 0
    assert post.told() == [CAME, REMINDED]


def test_what_was_not_told_when_a_server_ended_is_told_by_the_next(post: Post) -> None:
    post.sum_up()
    post.begins_again()
    assert post.turn() == 1
    assert post.told() == [CAME]


def test_a_reminder_comes_once_on_the_last_working_morning_before_the_last_day(post: Post) -> None:
    post.sum_up()
    post.turn()
    assert post.turn(EVE - 1) == 0
    assert [one.kind for one in post.board(post.office.people.client)] == ["timesheet"]
    assert post.turn(EVE) == 1
    assert post.turn(EVE + DAY_MS) == 0
    assert post.told() == [CAME, REMINDED]
    text = post.mails()[-1][2]
    assert "the timesheet of 02 Mar 2026 to 08 Mar 2026 has no answer yet" in text
    assert "The days to review it end: Mon 09 Mar 2026, 23:59:59" in text
    assert "Silence accepts nothing" in text
    assert "Schweigen nimmt nichts an und verwirkt nichts." in text
    kinds = sorted(one.kind for one in post.board(post.office.people.client))
    assert kinds == ["review", "timesheet"]


@pytest.mark.parametrize("answer", list(SheetAnswer))
def test_who_answered_is_not_reminded(post: Post, answer: SheetAnswer) -> None:
    sheet = post.sum_up()
    post.agent.reply(sheet, answer, "when?")
    post.turn()
    assert post.turn(EVE) == 0
    assert REMINDED not in post.told()


def test_of_what_was_replaced_only_what_replaces_it_is_a_reminder(post: Post) -> None:
    first = post.sum_up()
    post.office.now += 60_000
    post.sum_up(replaces=first.digest)
    post.turn()
    post.turn(EVE)
    assert post.told()[-1] == REMINDED
    assert post.turn(EVE + QUIET_MS) == 0


def test_a_timesheet_of_other_days_replaces_none(post: Post) -> None:
    first, later = post.sum_up(), date(2026, 3, 9)
    post.agent.sum_up(later, later, replaces=first.digest, days=(), billed_ms=0, amount=0)
    post.turn()
    post.turn(EVE)
    assert post.told()[-1] == (CLIENT, "News of timesheets")
    assert post.mails()[-1][2].count("has no answer yet") == 2


def test_a_reminder_of_what_was_answered_while_it_waited_is_not_sent(post: Post) -> None:
    sheet = post.sum_up()
    post.turn()
    post.office.now = EVE
    post.office.verifier.hours.remind()
    post.agent.reply(sheet, SheetAnswer.ACCEPTED)
    post.turn()
    assert post.told() == [CAME, ANSWERED]


def test_nobody_is_reminded_when_the_days_to_review_are_over(post: Post) -> None:
    """The server was down on the eve: the reminder would tell of what has passed."""
    post.sum_up()
    post.turn()
    assert post.turn(EVE + 4 * DAY_MS) == 0
    assert post.told() == [CAME]
    assert [one.kind for one in post.board(post.office.people.client)] == ["timesheet"]


def test_who_is_flooded_gets_a_mail_an_hour_and_each_timesheet_once(post: Post) -> None:
    for number in range(MOST_TOLD + 3):
        post.office.now += 1_000
        post.sum_up(amount=number)
        post.turn()
    assert post.told() == [CAME]
    post.turn(post.office.now + QUIET_MS)
    post.turn()
    assert post.told()[1:] == [(CLIENT, "News of timesheets")]
    assert post.mails()[-1][2].count(" came.") == MOST_TOLD
    post.turn(post.office.now + QUIET_MS)
    assert len(post.box.mails) == 3
    assert sum(text.count(" came.") for _, _, text in post.mails()) == MOST_TOLD + 3
    unsent = post.office.verifier.outbox.unsent(most=99)
    assert {row.channel for row in unsent} == {Channel.WEBHOOK}


def test_what_the_mail_server_refuses_comes_later_and_is_parked_and_shown(post: Post) -> None:
    post.box.answer = "451 not now"
    post.sum_up()
    for wait in (0, *WAITS_MS):
        post.office.now += wait
        post.turn()
    # The reminder's time came between: it waits for its own turn.
    parked = [row for row in post.office.verifier.outbox.unsent(most=9) if row.fate is Fate.PARKED]
    assert [(row.channel, row.kind) for row in parked] == [(Channel.MAIL, "timesheet")]
    assert NOTICES in post.office.verifier.health.failing()
    post.box.answer = None
    post.office.verifier.outbox.try_parked(post.office.now)
    post.turn()
    assert CAME in post.told() or (CLIENT, "News of timesheets") in post.told()


def test_killed_between_sending_and_marking_it_comes_again_under_the_same_name(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    post.sum_up()
    with monkeypatch.context() as patch:
        patch.setattr(type(post.office.verifier.outbox), "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            post.turn()
    assert post.turn() == 0
    # Meanwhile another one came: the mail tells of both, and has the name of the first.
    post.office.now += LEASE_MS
    post.sum_up(amount=1)
    assert post.turn() == 1
    assert post.told() == [CAME, (CLIENT, "News of timesheets")]
    first, second = post.box.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert post.mails()[1][2].count(" came.") == 2


def test_nothing_goes_to_an_address_that_nobody_confirmed(post: Post) -> None:
    contacts = post.office.verifier.services.contacts
    contacts.put(post.office.people.client.public_key.thumbprint, Contact(mail="other@example.com"))
    post.sum_up()
    post.turn()
    assert [subject for _, subject in post.told()] == ["Confirm this address"]
    assert [one.kind for one in post.board(post.office.people.client)] == ["timesheet"]


def test_the_link_of_such_a_mail_stops_mails(post: Post) -> None:
    post.sum_up()
    post.turn()
    (mail,) = post.box.mails
    link = str(mail["List-Unsubscribe"]).strip("<>")
    assert mail.get_content().count(link) == 2
    with LiveServer(post.office) as live, httpx.Client(base_url=live.url, trust_env=False) as http:
        assert http.post(httpx.URL(link).path).status_code == 200
        post.office.now += QUIET_MS
        post.sum_up(amount=1)
        assert post.turn() == 1
    assert len(post.box.mails) == 1


@pytest.mark.parametrize(("mode", "told"), [("lost", 0), ("kept", 1)])
def test_a_timesheet_and_its_notice_are_stored_together_or_not_at_all(
    tmp_path: Path, certificate: tuple[Path, Path], mode: str, told: int
) -> None:
    made: list[FlakyDatabase] = []

    def flaky(where: Any) -> FlakyDatabase:
        made.append(FlakyDatabase(where))
        return made[-1]

    with post_office(server_context(*certificate)) as box:
        home = new_home(tmp_path, smtp=smtp_to(box, certificate[0]))
        office = Office(home, database=flaky).open()
        office.now = START
        post = Post(office, box)
        (database,) = made
        database.fail_at = {database.writes: mode}
        with pytest.raises(RefusedError):
            post.sum_up()
        database.fail_at = {}
        post.begins_again()
        assert post.turn() == told
        assert len(post.box.mails) == told
        post.office.close()


def test_a_timesheet_that_is_refused_tells_nobody(post: Post) -> None:
    with pytest.raises(RefusedError):
        post.sum_up(head=post.agent.made[0][0].digest)
    assert post.turn() == 0
    assert post.board(post.office.people.client) == []


def test_the_page_and_the_api_tell_each_party_their_own(post: Post) -> None:
    sheet = post.sum_up()
    post.agent.reply(sheet, SheetAnswer.QUESTION, "the secret project")
    people = post.office.people
    name = post.agent.engagement.hex()
    with LiveServer(post.office) as live, httpx.Client(base_url=live.url, trust_env=False) as http:
        (came,) = http.get(
            "/v1/notices", auth=SignedBy(people.client, lambda: post.office.now)
        ).json()["notices"]
        (answered,) = http.get(
            "/v1/notices", auth=SignedBy(people.freelancer, lambda: post.office.now)
        ).json()["notices"]
        client, freelancer = (
            page_of(post.office, live, one) for one in (people.client, people.freelancer)
        )
    about = {"engagement": name, "timesheet": str(sheet.digest), "case": None, "state": None}
    assert about.items() <= came.items()
    assert about.items() <= answered.items()
    assert (came["kind"], came["answer"], came["waiting_for"]) == ("timesheet", None, ["client"])
    assert (answered["kind"], answered["answer"], answered["waiting_for"]) == (
        "answer", "question", ["freelancer"],
    )  # fmt: skip
    assert f'/diary/{name}/week?of=2026-03-02#review">Agreement {name[:8]}' in client
    assert "A timesheet came" in client
    assert "with a question" in freelancer
    assert "secret" not in freelancer
