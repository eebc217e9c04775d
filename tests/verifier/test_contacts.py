"""Where a party wants to be told: its own words, for itself alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.asking import SignedBy
from support.office import FakeClock, LiveServer, Office, new_home
from support.postal import SENDER
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.digest import Digest
from workseal_protocol.keys import SeedSigner
from workseal_verifier.api.access import COOKIE, write_token
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.outsiders import SmtpSettings
from workseal_verifier.services.contacts import (
    MOST_ASKED,
    MOST_SENT,
    Contact,
    ContactBook,
    Kept,
)
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.noticing import confirming
from workseal_verifier.services.signin import Root
from workseal_verifier.store.contacts import ContactRow, ContactStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.outbox import Outbox
from workseal_verifier.store.records import RecordStore
from workseal_verifier.store.schema import MAIL_LETTERS, URL_LETTERS

NOTHING = {"mail": None, "webhook": None, "zone": None, "digest": False}
UNCONFIRMED = {"confirmed": False, "sends": ["mail"]}


class Desk:
    """Somebody who asks a live verifier about their contact."""

    def __init__(self, office: Office, client: httpx.Client) -> None:
        self.office = office
        self.client = client

    def ask(self, method: str, by: SeedSigner, form: Any = None) -> httpx.Response:
        auth = SignedBy(by, lambda: self.office.now)
        return self.client.request(method, "/v1/contact", json=form, auth=auth)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    smtp = SmtpSettings(host="localhost", sender=SENDER)
    office = Office(new_home(tmp_path, smtp=smtp)).open()
    office.now = START
    ScriptedAgent(office, terms=office.terms())
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        yield Desk(office, client)
    office.close()


def test_a_party_gives_reads_changes_and_deletes_its_own(desk: Desk) -> None:
    people = desk.office.people
    assert desk.ask("GET", people.client).json() == NOTHING | UNCONFIRMED
    form = NOTHING | {"mail": "client@example.com", "zone": "Europe/Berlin"}
    assert desk.ask("PUT", people.client, form).status_code == 204
    assert desk.ask("GET", people.client).json() == form | UNCONFIRMED
    assert desk.ask("GET", people.freelancer).json()["mail"] is None
    assert desk.ask("PUT", people.client, NOTHING | {"mail": "b@example.com"}).status_code == 204
    assert desk.ask("GET", people.client).json()["mail"] == "b@example.com"
    assert desk.ask("DELETE", people.client).status_code == 204
    assert desk.ask("GET", people.client).json() == NOTHING | UNCONFIRMED
    with desk.office.verifier.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM contacts").scalar_one() == 0


def test_a_session_without_a_passkey_of_a_moment_ago_changes_nothing(desk: Desk) -> None:
    key = desk.office.people.client.public_key.thumbprint
    begun = desk.office.verifier.services.signin.new_session(key, Root.KEY)
    desk.office.verifier.access.add_session(begun.session)
    headers = {
        "cookie": f"{COOKIE}={write_token(begun.token)}",
        "origin": str(desk.client.base_url).rstrip("/"),
        "sec-fetch-site": "same-origin",
    }
    assert desk.client.get("/v1/contact", headers=headers).status_code == 200
    for method in ("PUT", "DELETE"):
        answer = desk.client.request(method, "/v1/contact", json=NOTHING, headers=headers)
        assert answer.json()["type"] == "urn:workseal:problem:not-fresh"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(NOTHING | {"mail": "a@b"}, id="no domain"),
        pytest.param(NOTHING | {"mail": "a@example.com\r\nBcc: b@example.com"}, id="header"),
        pytest.param(NOTHING | {"mail": "a@example.com,b@example.com"}, id="two"),
        pytest.param(NOTHING | {"mail": '"a b"@example.com'}, id="quoted"),
        pytest.param(NOTHING | {"mail": "a@[127.0.0.1]"}, id="literal"),
        pytest.param(NOTHING | {"mail": "ä@example.com"}, id="not ASCII"),
        pytest.param(NOTHING | {"mail": "a" * 65 + "@example.com"}, id="long"),
        pytest.param(NOTHING | {"zone": "Middle/Earth"}, id="zone"),
        pytest.param(NOTHING | {"digest": True}, id="digest to nowhere"),
        pytest.param({"mail": "a@example.com"}, id="fields missing"),
        pytest.param(NOTHING | {"owner": "x"}, id="another field"),
    ],
)
def test_refuses_and_quotes_nothing(desk: Desk, form: Any) -> None:
    answer = desk.ask("PUT", desk.office.people.client, form)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:workseal:problem:malformed")
    assert "Bcc" not in answer.text
    assert desk.ask("GET", desk.office.people.client).json() == NOTHING | UNCONFIRMED


def test_a_way_that_this_server_does_not_have_is_refused_in_words(desk: Desk) -> None:
    form = NOTHING | {"webhook": "https://hooks.example.com/x"}
    answer = desk.ask("PUT", desk.office.people.client, form)
    assert answer.json()["detail"] == "this server sends no webhook"


@pytest.mark.parametrize("private", [False, True])
def test_a_webhook_that_is_never_sent_to_is_not_taken(tmp_path: Path, *, private: bool) -> None:
    office = Office(new_home(tmp_path, webhooks=True, webhooks_private=private)).open()
    office.now = START
    ScriptedAgent(office, terms=office.terms())
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        desk, by = Desk(office, client), office.people.client
        for inside in ("https://10.0.0.7/x", "https://[::1]:8443/x", "https://169.254.169.254/"):
            answer = desk.ask("PUT", by, NOTHING | {"webhook": inside})
            told = desk.ask("GET", by).json()["webhook"]
            if private:
                assert (answer.status_code, told) == (204, inside)
                continue
            assert answer.json()["type"] == "urn:workseal:problem:refused"
            assert answer.json()["detail"].endswith("no webhook into networks of its own")
            assert told is None
        outside = NOTHING | {"webhook": "https://hooks.example.com/x"}
        assert desk.ask("PUT", by, outside).status_code == 204
    office.close()


def test_a_weekly_digest_is_asked_for_with_an_address(desk: Desk) -> None:
    form = NOTHING | {"mail": "client@example.com", "digest": True}
    assert desk.ask("PUT", desk.office.people.client, form).status_code == 204
    assert desk.ask("GET", desk.office.people.client).json()["digest"] is True
    answer = desk.ask("PUT", desk.office.people.client, NOTHING | {"digest": True})
    assert (answer.status_code, "needs an address" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://user:password@example.com/",
        "https://example.com/#x",
        "https://example.com/a b",
        "https:///x",
        "https://example.com:99999/",
        "https://EXAMPLE.com/",
        "https://example.com/" + "x" * 500,
    ],
)
def test_refuses_a_webhook(url: str) -> None:
    with pytest.raises(ValueError, match="webhook"):
        Contact(webhook=url)


# --- what counts when: by a clock of the test's own ---

DAY_MS = 86_400_000
# A link confirms for so long: what pages and mails say.
TWO_DAYS_MS = 2 * DAY_MS
ONE, OTHER = Digest.of(b"one"), Digest.of(b"other")
MAIL, ELSEWHERE = "one@example.com", "else@example.com"
HOOK = "https://hooks.example.com/x"


class Book:
    """A contact book over a database of its own, and its clock."""

    def __init__(self, folder: Path, secret: bytes = b"s" * 32) -> None:
        self.database = Database(folder / "contacts.db")
        self.database.create()
        self.store = ContactStore(self.database)
        self.clock = FakeClock(START)
        self.contacts = self.with_secret(secret)

    def with_secret(self, secret: bytes) -> ContactBook:
        keys = KeyBook(RecordStore(self.database))
        return ContactBook(self.store, keys, self.clock, secret, size=lambda: 0)

    def row(self, who: Digest = ONE) -> ContactRow:
        (row,) = self.store.of([who])
        return row

    def confirm(self, who: Digest = ONE) -> None:
        self.contacts.confirm(self.contacts.confirm_token(self.row(who)))

    def waiting(self) -> int:
        return Outbox(self.database).counts().waiting


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = Book(tmp_path)
    yield made
    made.database.close()


def refuse(act: Any, reason: Reason) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        act()
    assert refused.value.reason is reason
    return refused.value


def test_a_link_confirms_for_two_days_to_the_millisecond(book: Book) -> None:
    book.contacts.put(ONE, Contact(mail=MAIL, webhook=HOOK))
    token = book.contacts.confirm_token(book.row())
    book.clock.ms += TWO_DAYS_MS
    book.contacts.expire()
    assert book.contacts.to_confirm(ONE) == book.row()
    book.clock.ms += 1
    assert book.contacts.to_confirm(ONE) is None
    refuse(lambda: book.contacts.confirm(token), Reason.NOT_FOUND)
    book.clock.ms -= 1
    book.contacts.confirm(token)
    assert book.contacts.own(ONE) == Kept(mail=MAIL, webhook=HOOK, confirmed=True)
    assert book.contacts.to_confirm(ONE) is None
    # What was confirmed is forgotten by no clock.
    book.clock.ms += 30 * DAY_MS
    book.contacts.expire()
    assert book.contacts.own(ONE).confirmed


def test_the_moment_of_the_first_press_stays(book: Book) -> None:
    book.contacts.put(ONE, Contact(mail=MAIL))
    assert book.contacts.to_confirm(OTHER) is None
    for _ in range(2):
        book.confirm()
        book.clock.ms += 1
    assert book.row().confirmed_ms == START


def test_what_nobody_confirmed_is_forgotten_and_nothing_else(book: Book) -> None:
    book.contacts.put(ONE, Contact(mail=MAIL, webhook=HOOK, zone="Asia/Tokyo", digest=True))
    book.clock.ms += 1
    book.contacts.put(OTHER, Contact(mail=ELSEWHERE))
    book.clock.ms += TWO_DAYS_MS
    before = book.row(OTHER)
    book.contacts.expire()
    assert book.contacts.own(ONE) == Kept(webhook=HOOK, zone="Asia/Tokyo")
    late = book.row()
    assert (late.confirm, late.confirm_until_ms, late.confirmed_ms) == (None, None, None)
    assert book.row(OTHER) == before


def test_each_link_does_its_own_and_to_its_own_row(book: Book) -> None:
    for who, mail in ((ONE, MAIL), (OTHER, ELSEWHERE)):
        book.contacts.put(who, Contact(mail=mail, webhook=HOOK, digest=True))
        book.confirm(who)
    untouched, row = book.row(OTHER), book.row()
    digest, stop = (book.contacts.stop_token(row, digest=one) for one in (True, False))
    confirm = book.contacts.confirm_token(row)
    assert len({digest, stop, confirm}) == 3
    assert {len(one) for one in (digest, stop, confirm)} == {32}
    for token in (digest, stop):
        refuse(lambda: book.contacts.confirm(token), Reason.NOT_FOUND)  # noqa: B023
    for token in (confirm, stop[:-1], stop + b"x", b"", bytes(32)):
        refuse(lambda: book.contacts.stop(token), Reason.NOT_FOUND)  # noqa: B023
    for token in (confirm[:-1], confirm + b"x"):
        refuse(lambda: book.contacts.confirm(token), Reason.NOT_FOUND)  # noqa: B023
    assert book.row() == row
    book.contacts.stop(digest)
    assert book.row() == replace(row, digest=False)
    # Again changes nothing, and is no error: a mail program may press twice.
    book.contacts.stop(digest)
    assert book.row() == replace(row, digest=False)
    book.contacts.stop(stop)
    assert book.contacts.own(ONE) == Kept(webhook=HOOK)
    refuse(book.confirm, Reason.NOT_FOUND)
    assert book.row(OTHER) == untouched
    book.contacts.forget(ONE)
    assert book.contacts.own(ONE) == Kept()
    assert book.row(OTHER) == untouched


def test_tokens_are_of_this_servers_secret_and_stand_nowhere(book: Book) -> None:
    book.contacts.put(ONE, Contact(mail=MAIL))
    row, other = book.row(), book.with_secret(b"t" * 32)
    tokens = [book.contacts.confirm_token(row), book.contacts.stop_token(row, digest=False)]
    assert other.confirm_token(row) not in tokens
    assert other.stop_token(row, digest=False) not in tokens
    stored = (row.salt, row.confirm and row.confirm.raw, row.stop_mail.raw, row.stop_digest.raw)
    assert not set(tokens) & set(stored)
    assert (len(row.salt), len(set(stored))) == (16, 4)
    refuse(lambda: other.stop(other.stop_token(row, digest=False)), Reason.NOT_FOUND)


def test_the_same_address_keeps_its_links_and_another_ends_them(book: Book) -> None:
    book.contacts.put(ONE, Contact(mail=MAIL))
    first = book.row()
    book.clock.ms += 5
    book.contacts.put(ONE, Contact(mail=MAIL, zone="Asia/Tokyo"))
    again = book.row()
    # Not confirmed yet: it is asked again, by the same link, which lives on.
    assert again == replace(
        first,
        zone="Asia/Tokyo",
        changed_ms=START + 5,
        confirm_until_ms=START + 5 + TWO_DAYS_MS,
    )
    assert book.waiting() == 2
    book.confirm()
    confirmed = book.row()
    book.contacts.put(ONE, Contact(mail=MAIL, webhook=HOOK))
    assert book.row() == replace(confirmed, zone=None, webhook=HOOK)
    assert book.waiting() == 2
    book.contacts.put(ONE, Contact(mail=ELSEWHERE))
    moved = book.row()
    assert (moved.confirmed_ms, book.waiting()) == (None, 3)
    assert not {moved.salt, moved.confirm, moved.stop_mail} & {
        first.salt,
        first.confirm,
        first.stop_mail,
    }
    # Without an address nobody is asked, and nothing is there to confirm.
    book.contacts.put(ONE, Contact(webhook=HOOK))
    bare = book.row()
    assert (bare.mail, bare.confirm, bare.confirm_until_ms, book.waiting()) == (None, None, None, 3)
    assert book.contacts.to_confirm(ONE) is None


def test_a_person_asks_for_so_many_mails_in_a_day_and_then_nothing_is_written(book: Book) -> None:
    for number in range(MOST_ASKED):
        book.contacts.put(ONE, Contact(mail=f"a{number}@example.com"))
    before = book.row()
    for wait in (0, DAY_MS - 1):
        book.clock.ms = START + wait
        refused = refuse(lambda: book.contacts.put(ONE, Contact(mail=MAIL)), Reason.TOO_MANY)
        assert (refused.retry_after, book.row(), book.waiting()) == (3_600, before, MOST_ASKED)
    # What needs no mail is taken, and another person is not held back.
    book.contacts.put(OTHER, Contact(mail=ELSEWHERE))
    book.contacts.put(ONE, Contact(webhook=HOOK))
    book.clock.ms = START + DAY_MS
    book.contacts.put(ONE, Contact(mail=MAIL))
    assert book.row().mail == MAIL


def asked(book: Book, number: int, mail: str = MAIL) -> Digest:
    """Let somebody new ask for an address, and name the mail that goes there."""
    who = Digest.of(bytes([number]))
    words: list[bytes] = []

    def random(size: int) -> bytes:
        words.append(bytes([number, len(words)]) + bytes(size - 2))
        return words[-1]

    keys = KeyBook(RecordStore(book.database))
    contacts = ContactBook(book.store, keys, book.clock, b"s" * 32, size=lambda: 0, random=random)
    contacts.put(who, Contact(mail=mail))
    return confirming(who, words[-1], book.clock.ms).name


def test_an_address_gets_so_many_mails_in_a_day_and_each_is_counted_once(book: Book) -> None:
    names = [asked(book, number) for number in range(MOST_SENT + 1)]
    away = asked(book, 99, ELSEWHERE)
    for name in names[:MOST_SENT]:
        # A mail that comes again was counted.
        assert [book.contacts.may_send(name) for _ in range(2)] == [True, True]
    assert not book.contacts.may_send(names[-1])
    assert book.contacts.may_send(away)
    book.clock.ms += DAY_MS - 1
    assert not book.contacts.may_send(names[-1])
    book.clock.ms += 1
    assert book.contacts.may_send(names[-1])
    assert not book.contacts.may_send(Digest.of(b"of nobody"))


def test_what_was_asked_for_is_known_for_three_days_and_a_day_after_it_was_sent(book: Book) -> None:
    never, early, late = (asked(book, number) for number in range(3))
    assert book.contacts.may_send(early)
    book.clock.ms += 3 * DAY_MS - 1
    assert book.contacts.may_send(late)
    book.contacts.expire()
    assert None not in [book.store.place_of(one) for one in (never, early, late)]
    book.clock.ms += 1
    book.contacts.expire()
    assert [book.store.place_of(one) is None for one in (never, early, late)] == [True, True, False]
    book.clock.ms += DAY_MS - 2
    book.contacts.expire()
    assert book.store.place_of(late) is not None
    book.clock.ms += 1
    book.contacts.expire()
    assert book.store.place_of(late) is None
    assert not book.contacts.may_send(late)


def test_a_mail_is_for_the_address_that_it_was_asked_for_in_any_spelling(book: Book) -> None:
    name = asked(book, 1)
    for same in (MAIL, "One@Example.com", "one+lists@example.com", "one+a+b@EXAMPLE.com"):
        assert book.contacts.is_of(name, same)
    for other in (ELSEWHERE, "one@example.org", "on@example.com", "two+one@example.com"):
        assert not book.contacts.is_of(name, other)
    assert not book.contacts.is_of(Digest.of(b"of nobody"), MAIL)
    # The place is no digest that somebody who guesses the address could make.
    assert not book.with_secret(b"t" * 32).is_of(name, MAIL)


def test_a_digest_is_for_who_asked_and_confirmed_page_by_page(book: Book) -> None:
    wanting = sorted((Digest.of(bytes([number])) for number in range(5)), key=lambda one: one.raw)
    for number, who in enumerate(wanting):
        book.contacts.put(who, Contact(mail=f"a{number}@example.com", digest=True))
        book.confirm(who)
    unconfirmed, without = Digest.of(b"unconfirmed"), Digest.of(b"without")
    book.contacts.put(unconfirmed, Contact(mail=MAIL, digest=True))
    book.contacts.put(without, Contact(mail=ELSEWHERE))
    book.confirm(without)
    for page in (1, 2, 5, 9):
        assert [one.thumbprint for one in book.contacts.wanting_digests(page)] == wanting
    assert [one.thumbprint for one in book.store.wanting_digests(after=b"", most=2)] == wanting[:2]
    book.contacts.stop(book.contacts.stop_token(book.row(wanting[0]), digest=False))
    book.contacts.stop(book.contacts.stop_token(book.row(wanting[1]), digest=True))
    assert [one.thumbprint for one in book.contacts.wanting_digests(2)] == wanting[2:]


def test_of_two_keys_the_newer_word_comes_first(book: Book) -> None:
    book.contacts.put(ONE, Contact(zone="Asia/Tokyo"))
    book.clock.ms += 1
    book.contacts.put(OTHER, Contact(zone="Europe/Berlin"))
    assert [one.thumbprint for one in book.store.of([ONE, OTHER])] == [OTHER, ONE]
    book.clock.ms += 1
    book.contacts.put(ONE, Contact(zone="Asia/Tokyo"))
    assert [one.thumbprint for one in book.store.of([OTHER, ONE])] == [ONE, OTHER]
    book.contacts.put(OTHER, Contact())
    tied = sorted((ONE, OTHER), key=lambda one: one.raw)
    assert [one.thumbprint for one in book.store.of([ONE, OTHER])] == tied
    person = book.contacts.of_person(ONE)
    assert person is not None
    assert (person.thumbprint, book.contacts.counts(ONE)) == (ONE, True)
    assert book.contacts.of_person(Digest.of(b"nobody")) is None


def test_what_can_be_given_ends_where_the_limits_say() -> None:
    head, tail = "a" * 64 + "@", ".com"
    labels = ".".join(["b" * 63] * 2)
    spare = MAIL_LETTERS - len(head) - len(labels) - len(tail) - 1
    longest = f"{head}{labels}.{'c' * spare}{tail}"
    assert len(longest) == MAIL_LETTERS
    assert Contact(mail=longest).mail == longest
    assert Contact(webhook=HOOK + "x" * (URL_LETTERS - len(HOOK))).webhook is not None
    assert Contact(webhook="https://[2001:db8::1]:8443/x").webhook is not None
    for mail in (
        longest.replace(tail, "c" + tail),
        longest.replace("@", "@d"),
        "a" + head + "example.com",
        "a.@example.com",
    ):
        with pytest.raises(ValueError, match="mail: expected an address"):
            Contact(mail=mail)
    for url in (
        HOOK + "x" * (URL_LETTERS - len(HOOK) + 1),
        "https://a@example.com/",
        "https://:1/",
    ):
        with pytest.raises(ValueError, match="webhook: expected https"):
            Contact(webhook=url)
