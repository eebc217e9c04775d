"""The weekly digest, from a finished week to a mail in a real box."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest

from support.crowd import crowd
from support.office import LiveServer, Office, new_home
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
from workseal_protocol.records import DeclarationForm, KeyRotate, sign
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import standing, weekly
from workseal_verifier.services.contacts import Contact
from workseal_verifier.services.diaries import Diaries
from workseal_verifier.services.noticing import About, name_of
from workseal_verifier.services.weekletters import hours
from workseal_verifier.services.weekly import newest_week, number_of
from workseal_verifier.store.notices import Fate, NoticeRow
from workseal_verifier.web.agreements import sums_of

DAY_MS = 86_400_000
MONDAY = date(2026, 3, 2)
# Nine in the morning in Berlin is eight in UTC, an hour before what the tests begin with.
NEXT = START + 7 * DAY_MS - 3_600_000
MAIL = "freelancer@example.com"


def ms(day: date, at: str, zone: str = "UTC") -> int:
    moment = datetime.combine(day, time.fromisoformat(at), ZoneInfo(zone))
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "zone", "monday"),
    [
        (ms(date(2026, 3, 9), "08:59:59"), "UTC", date(2026, 2, 23)),
        (ms(date(2026, 3, 9), "09:00"), "UTC", MONDAY),
        (ms(date(2026, 3, 15), "23:00"), "UTC", MONDAY),
        (ms(date(2026, 3, 9), "09:00", "Asia/Kathmandu"), "Asia/Kathmandu", MONDAY),
        # Where it is Monday morning while it is Sunday in UTC.
        (ms(date(2026, 3, 9), "09:00", "Pacific/Auckland"), "Pacific/Auckland", MONDAY),
        (ms(date(2026, 3, 9), "08:59", "America/Lima"), "America/Lima", date(2026, 2, 23)),
        # Clocks go forward on 29 March in Berlin: the Monday after it, nine is seven in UTC.
        (ms(date(2026, 3, 30), "07:00"), "Europe/Berlin", date(2026, 3, 23)),
        (ms(date(2026, 3, 30), "06:59"), "Europe/Berlin", date(2026, 3, 16)),
        (ms(date(2027, 1, 4), "09:00"), "UTC", date(2026, 12, 28)),
    ],
)
def test_a_week_is_told_of_from_nine_on_the_monday_after_it(
    now: int, zone: str, monday: date
) -> None:
    told, at = newest_week(now, ZoneInfo(zone))
    assert told == monday
    since = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone))
    assert (since.hour, since.weekday(), (since.date() - monday).days) == (9, 0, 7)


class Post:
    """A verifier that sends by a mail server, and a day of work in it."""

    def __init__(self, office: Office, box: PostOffice, **terms: Any) -> None:
        self.office = office
        self.box = box
        self.agent = ScriptedAgent(office, terms=office.terms(**terms))
        self.agent.open_session()
        self.agent.work(25 * self.agent.terms.round_ms)
        self.agent.send()

    def wants(self, signer: SeedSigner | None = None, **fields: Any) -> None:
        asker = (signer or self.office.people.freelancer).public_key.thumbprint
        wanted: dict[str, Any] = {"mail": MAIL, "zone": "Europe/Berlin", "digest": True} | fields
        gives(self.office, asker, Contact(**wanted))

    def turn(self, now: int) -> int:
        """Do what the loop does, and count what was tried."""
        self.office.now = now
        self.office.verifier.digests.make()
        return self.office.verifier.delivery.run()

    def rows(self) -> list[NoticeRow]:
        return self.office.verifier.outbox.unsent(most=9)


@contextmanager
def posting(folder: Path, certificate: tuple[Path, Path], **terms: Any) -> Iterator[Post]:
    with post_office(server_context(*certificate)) as box:
        office = Office(new_home(folder, smtp=smtp_to(box, certificate[0]))).open()
        office.now = START
        yield Post(office, box, **terms)
        office.close()


@pytest.fixture
def post(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[Post]:
    with posting(tmp_path, certificate) as made:
        yield made


def test_who_asked_is_told_once_with_the_figures_of_the_page(post: Post) -> None:
    post.wants()
    assert post.turn(NEXT - 1) == 0
    assert post.turn(NEXT) == 1
    assert post.turn(NEXT + 6 * DAY_MS) == 0
    (mail,) = post.box.mails
    assert mail["Subject"].startswith("Hours of the week from 02 Mar 2026 / ")
    text = mail.get_content()
    diaries = post.office.verifier.services.diaries
    agreed = diaries.agreed(post.agent.engagement)
    week = diaries.week(agreed, MONDAY, diaries.reach())
    sums = sums_of(agreed.terms, week.days)
    assert sums.recorded_ms == 25 * post.agent.terms.round_ms
    assert f"recorded {hours(sums.recorded_ms)}" in text
    assert f"billed {hours(sums.billed.ms)}" in text
    assert f"Agreement {post.agent.engagement.hex()[:8]}, you are the freelancer" in text
    # Neither an amount nor a name nor the whole number of an agreement.
    assert post.agent.engagement.hex() not in text
    assert sums.billed.currency not in text


def test_a_week_is_not_told_of_before_it_is_over_where_it_is_counted(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    """Monday morning in Tokyo is Sunday evening in New York: work of that week is still to come."""
    over = ms(date(2026, 3, 9), "00:00", "America/New_York")
    assert ms(date(2026, 3, 9), "09:00", "Asia/Tokyo") == over - 4 * 3_600_000
    with posting(tmp_path, certificate, zone="America/New_York") as post:
        post.wants(zone="Asia/Tokyo")
        assert [post.turn(at) for at in (over - 4 * 3_600_000, over - 1, over)] == [0, 0, 1]
        (mail,) = post.box.mails
        assert mail["Subject"].startswith("Hours of the week from 02 Mar 2026 / ")


def test_a_mail_server_that_knows_keys_learns_no_key_of_a_mailbox(post: Post) -> None:
    """The name of a notice follows from its reader's key: a mail has another one."""
    post.wants()
    post.turn(NEXT)
    (wire,) = post.box.wires
    thumbprint = post.office.people.freelancer.public_key.thumbprint
    guessed = name_of(None, number_of(MONDAY), About.WEEK, thumbprint)
    assert str(guessed).encode() not in wire
    assert str(thumbprint).encode() not in wire


def test_late_time_is_not_told_as_offline_and_what_waits_for_an_answer_is(post: Post) -> None:
    post.agent.close_session()
    post.agent.sum_up(MONDAY, date(2026, 3, 8))
    post.wants()
    post.turn(NEXT)
    text = post.box.mails[0].get_content()
    # Sent after the minute that online work has: the verifier's values are in it all the same.
    assert "of it recorded offline or proved late: " in text
    assert "verifier's values" not in text
    assert "timesheets without an answer of the client: 1" in text


def test_another_process_sends_no_second_one(post: Post) -> None:
    post.wants()
    assert post.turn(NEXT) == 1
    # As after a restart: nothing is remembered.
    post.office.verifier.digests._made.clear()
    assert post.turn(NEXT + 1) == 0


def test_who_asks_after_the_week_is_told_of_the_next_one(post: Post) -> None:
    post.office.now = NEXT + 1
    post.wants()
    assert post.turn(NEXT + 2) == 0
    assert post.turn(NEXT + 7 * DAY_MS) == 1
    # Nothing was worked in that one.
    assert post.box.mails == []


def test_the_client_is_told_as_the_client_and_an_arbitrator_of_nothing(post: Post) -> None:
    post.wants(post.office.people.client, mail="client@example.com")
    post.wants(post.office.people.arbitrator, mail="arbitrator@example.com")
    post.turn(NEXT)
    (mail,) = post.box.mails
    assert post.box.receivers == ["client@example.com"]
    assert "you are the client" in mail.get_content()


def test_what_strangers_offer_keeps_no_hours_out_and_what_is_left_out_is_said(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MOST_CASES", 1)
    crowd(post.office, 3)
    post.wants()
    post.turn(NEXT)
    (mail,) = post.box.mails
    text = mail.get_content()
    assert f"Agreement {post.agent.engagement.hex()[:8]}, you are the freelancer" in text
    assert "Only your newest" not in text
    # A newer one that was accepted, without any work.
    ScriptedAgent(post.office, terms=post.agent.terms, engagement=b"\xff" * 16)
    monkeypatch.setattr(weekly, "MOST_CASES", 1)
    thumbprint = post.office.people.freelancer.public_key.thumbprint
    assert post.office.verifier.digests._told(thumbprint, MONDAY) == ([], 1)


def test_its_link_stops_the_digest_and_no_other_mail(post: Post) -> None:
    post.wants()
    post.turn(NEXT)
    (mail,) = post.box.mails
    link = mail["List-Unsubscribe"].strip("<>")
    with LiveServer(post.office) as live, httpx.Client(base_url=live.url) as client:
        assert client.post(urlsplit(link).path).status_code == 200
    own = post.office.people.freelancer.public_key.thumbprint
    found = post.office.verifier.services.contacts.own(own)
    assert (found.mail, found.digest) == (MAIL, False)
    post.office.now = NEXT
    assert post.turn(NEXT + 7 * DAY_MS) == 0


def test_what_was_stopped_before_it_was_sent_is_not_sent(post: Post) -> None:
    post.wants()
    post.office.now = NEXT
    post.office.verifier.digests.make()
    post.wants(digest=False)
    assert post.office.verifier.delivery.run() == 1
    assert post.box.mails == []


def test_busy_diaries_put_it_off_and_lose_nothing(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.wants()

    def busy(*_: object) -> None:
        raise RefusedError(Reason.BUSY, "several diaries are being counted", retry_after=5)

    with monkeypatch.context() as patch:
        patch.setattr(Diaries, "week", busy)
        assert post.turn(NEXT) == 1
    assert [row.fate for row in post.rows()] == [Fate.WAITING]
    assert post.turn(NEXT + 60_000) == 1
    assert len(post.box.mails) == 1


def test_a_week_that_is_not_counted_here_is_said_to_be(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError(Reason.TOO_LARGE, "more than one question may read")

    monkeypatch.setattr(Diaries, "week", refuse)
    post.wants()
    post.turn(NEXT)
    assert "not counted here" in post.box.mails[0].get_content()


def test_a_key_that_replaced_another_is_told_nothing_while_it_waits(post: Post) -> None:
    own, new = post.office.people.freelancer, SeedSigner(bytes([7]) * 32)
    post.office.now = NEXT - 3_600_000
    rotate = KeyRotate.make(claimed_at=post.office.now, old=own.public_key, new=new)
    post.office.post([sign(rotate, own)])
    post.wants(new)
    assert post.turn(NEXT) == 1
    assert post.box.mails == []


def test_a_person_with_two_keys_that_asked_is_told_once(post: Post) -> None:
    own, new = post.office.people.freelancer, SeedSigner(bytes([7]) * 32)
    post.wants()
    post.office.now += DAY_MS
    rotate = KeyRotate.make(claimed_at=post.office.now, old=own.public_key, new=new)
    post.office.post([sign(rotate, own)])
    post.wants(new, mail="new@example.com")
    assert post.turn(NEXT) == 1
    assert post.box.receivers == ["new@example.com"]


def test_late_declared_time_stands_beside_what_was_recorded(post: Post) -> None:
    post.agent.close_session()
    post.office.now += 3_600_000
    now = post.office.now
    post.agent.declare(DeclarationForm.LATE, now - 1_200_000, now - 200_000, 900_000)
    post.agent.send()
    post.wants()
    post.turn(NEXT)
    recorded = hours(25 * post.agent.terms.round_ms)
    said = f"recorded {recorded}, declared late 0:15:00 h"
    assert said in post.box.mails[0].get_content()


def test_by_hand_beside_the_server_it_stays_in_the_outbox(post: Post) -> None:
    post.wants()
    post.office.now = NEXT
    post.office.verifier.digests.make()
    post.office.verifier.delivery._weekly = None
    assert post.office.verifier.delivery.run() == 1
    (row,) = post.rows()
    assert (row.fate, row.step) == (Fate.WAITING, number_of(MONDAY))
    assert post.box.mails == []


def test_who_wants_it_is_read_page_by_page(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weekly, "_PAGE", 1)
    post.wants()
    post.wants(post.office.people.client, mail="client@example.com")
    post.turn(NEXT)
    assert sorted(post.box.receivers) == ["client@example.com", MAIL]
