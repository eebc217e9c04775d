"""The links in mails: looked at by machines without effect, pressed by people with one."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from support.hearings import Hearing
from support.office import LiveServer, Office, new_home
from support.postal import PostOffice, post_office, server_context, smtp_to
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, KeyRotate, sign
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.contacts import CONFIRM_MS, MOST_ASKED, MOST_SENT, Contact

MAIL = "freelancer@example.com"
HOUR = 3_600_000


class Post:
    """A verifier that sends by a mail server, and a case in it."""

    def __init__(self, office: Office, box: PostOffice) -> None:
        self.office = office
        self.box = box
        agent = ScriptedAgent(office, terms=office.terms())
        self.hearing = Hearing(office, agent.engagement, agent.terms)
        self.freelancer = office.people.freelancer.public_key.thumbprint
        self.contacts = office.verifier.services.contacts

    def send(self) -> int:
        return self.office.verifier.delivery.run()

    def link(self) -> str:
        """Give the path of the link that confirms, of the newest mail."""
        text = self.box.mails[-1].get_content()
        found = re.search(r"^https://\S+/confirm/\S+", text, re.MULTILINE)
        assert found is not None
        return urlsplit(found[0]).path


@pytest.fixture
def post(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[Post]:
    with post_office(server_context(*certificate)) as box:
        office = Office(new_home(tmp_path, smtp=smtp_to(box, certificate[0]))).open()
        office.now = START
        yield Post(office, box)
        office.close()


@pytest.fixture
def browser(post: Post) -> Iterator[httpx.Client]:
    with (
        LiveServer(post.office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        yield client


def test_an_address_gets_one_mail_and_nothing_else_until_somebody_pressed_its_button(
    post: Post, browser: httpx.Client
) -> None:
    post.contacts.put(post.freelancer, Contact(mail=MAIL, digest=True))
    post.hearing.file(text="the secret name", amount=70_001)
    post.send()
    (mail,) = post.box.mails
    whole = mail.as_string()
    assert mail["Subject"] == "Confirm this address"
    # Whoever reads it there learns of no case, no agreement and no key.
    assert not [
        one
        for one in (
            "secret",
            "70001",
            str(post.hearing.case.case),
            post.hearing.engagement.hex()[:8],
            str(post.freelancer),
        )
        if one in whole
    ]
    for _ in range(2):
        looked = browser.get(post.link())
        assert (looked.status_code, 'method="post"' in looked.text) == (200, True)
        assert looked.headers["cache-control"] == "no-store"
    post.hearing.act(Role.OPERATOR, Act.NOTICE)
    post.send()
    assert len(post.box.mails) == 1
    # Pressed twice it is confirmed once.
    for _ in range(2):
        assert browser.post(post.link()).status_code == 200
    assert post.contacts.own(post.freelancer).confirmed
    post.office.now += 1_000
    post.hearing.act(Role.CLIENT, Act.EXHIBIT, text="one more")
    post.send()
    assert [one["Subject"] for one in post.box.mails[1:]] == ["It is your turn in a case"]


def test_a_link_ends_and_takes_the_address_with_it(post: Post, browser: httpx.Client) -> None:
    post.contacts.put(post.freelancer, Contact(mail=MAIL, webhook="https://hooks.example.com/"))
    post.send()
    link = post.link()
    post.office.now += CONFIRM_MS + 1
    late = browser.post(link)
    assert (late.status_code, "confirms nothing any more" in late.text) == (404, True)
    assert late.headers["content-type"].startswith("text/html")
    post.send()
    own = post.contacts.own(post.freelancer)
    assert (own.mail, own.webhook) == (None, "https://hooks.example.com/")
    for other in ("/confirm/" + "A" * 43, "/confirm/x", link.replace("/confirm/", "/stop/")):
        assert browser.post(other).status_code == 404


def test_who_never_asked_has_the_address_forgotten_by_the_other_link(
    post: Post, browser: httpx.Client
) -> None:
    post.contacts.put(post.freelancer, Contact(mail=MAIL))
    post.send()
    stop = urlsplit(post.box.mails[0]["List-Unsubscribe"].strip("<>")).path
    assert browser.post(stop).status_code == 200
    assert post.contacts.own(post.freelancer).mail is None
    assert browser.post(post.link()).status_code == 404


def test_what_was_confirmed_stays_so_for_that_address_alone(post: Post) -> None:
    post.contacts.put(post.freelancer, Contact(mail=MAIL))
    row = post.contacts.to_confirm(post.freelancer)
    assert row is not None
    post.contacts.confirm(post.contacts.confirm_token(row))
    stop = post.contacts.stop_token(row, digest=False)
    post.office.now += CONFIRM_MS + 1
    # What nobody confirmed in time is forgotten by now.
    post.send()
    post.contacts.put(post.freelancer, Contact(mail=MAIL, zone="Asia/Tokyo"))
    assert post.contacts.own(post.freelancer).confirmed
    # A link in a mail of last month stops mails still.
    post.contacts.stop(stop)
    for mail in (MAIL, "other@example.com"):
        post.contacts.put(post.freelancer, Contact(mail=mail))
        assert not post.contacts.own(post.freelancer).confirmed
        with pytest.raises(RefusedError):
            post.contacts.stop(stop)
        with pytest.raises(RefusedError):
            post.contacts.confirm(post.contacts.confirm_token(row))


def test_one_person_asks_for_a_few_mails_a_day_with_all_their_keys(post: Post) -> None:
    own, new = post.office.people.freelancer, SeedSigner(b"\x61" * 32)
    for number in range(MOST_ASKED):
        post.contacts.put(post.freelancer, Contact(mail=f"a{number}@example.com"))
    rotate = KeyRotate.make(claimed_at=post.office.now, old=own.public_key, new=new)
    post.office.post([sign(rotate, own)])
    for key in (post.freelancer, new.public_key.thumbprint):
        with pytest.raises(RefusedError) as refused:
            post.contacts.put(key, Contact(mail="another@example.com"))
        assert (refused.value.reason, "another" in refused.value.detail) == (Reason.TOO_MANY, False)
    assert post.contacts.own(post.freelancer).mail == f"a{MOST_ASKED - 1}@example.com"
    post.office.now += 24 * HOUR + 1
    post.contacts.put(new.public_key.thumbprint, Contact(mail="another@example.com"))


def test_one_address_gets_a_few_mails_a_day_whoever_asks_and_nobody_learns_that_others_did(
    post: Post,
) -> None:
    keys = [Digest.of(bytes([number])) for number in range(MOST_SENT + 2)]
    spellings = [MAIL, "Freelancer@Example.com", "freelancer+1@example.com"]
    for number, key in enumerate(keys):
        post.contacts.put(key, Contact(mail=spellings[number % 3]))
    post.send()
    assert len(post.box.mails) == MOST_SENT
    post.office.now += 2 * HOUR
    post.send()
    assert len(post.box.mails) == MOST_SENT
    post.office.now += 23 * HOUR
    post.send()
    assert len(post.box.mails) == len(keys)


def test_who_changes_their_mind_before_the_mail_goes_sends_an_address_no_more_of_them(
    post: Post,
) -> None:
    for key in range(2):
        for number in range(MOST_ASKED - 1):
            other = Contact(mail=f"a{number}@example.com")
            post.contacts.put(Digest.of(bytes([key])), other)
        post.contacts.put(Digest.of(bytes([key])), Contact(mail=MAIL))
    post.send()
    assert post.box.receivers == [MAIL] * 2
    # Each is counted where it went: one more may come there today, and no other.
    for key in range(2, 5):
        post.contacts.put(Digest.of(bytes([key])), Contact(mail=MAIL))
    post.send()
    assert post.box.receivers == [MAIL] * MOST_SENT


def test_an_address_that_does_not_exist_troubles_no_operator(post: Post) -> None:
    post.contacts.put(post.freelancer, Contact(mail=MAIL))
    post.box.answer = "550 nobody here"
    for _ in range(60):
        post.send()
        post.office.now += HOUR
    assert post.office.verifier.outbox.counts().parked == 0
    assert post.office.verifier.outbox.counts().waiting == 0
