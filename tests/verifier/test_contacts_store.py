"""What parties gave, changed by several at once: each change stands before another or after it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from pathlib import Path
from threading import Barrier

import pytest

from support.office import FakeClock
from support.planned import read_whole
from support.postgres import Cluster
from support.simulator import START
from workseal_protocol.digest import Digest
from workseal_verifier.services import contacts
from workseal_verifier.services.contacts import MOST_ASKED, MOST_SENT, Contact, ContactBook, Kept
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.noticing import confirming
from workseal_verifier.store.contacts import Asking, ContactRow, ContactStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.outbox import Outbox
from workseal_verifier.store.records import RecordStore

MAIL = "freelancer@example.com"
PERSON = Digest.of(b"person")


@pytest.fixture
def databases(where: Path | str) -> Iterator[list[Database]]:
    """Give the same database as several workers have it."""
    made = [Database(where) for _ in range(4)]
    made[0].create()
    yield made
    for one in made:
        one.close()


def test_keys_that_ask_at_once_get_no_mail_more(databases: list[Database]) -> None:
    stores = [ContactStore(one) for one in databases]
    place = Digest.of(b"place")
    barrier = Barrier(4)

    def put(store: ContactStore, who: Digest, word: bytes) -> bool:
        asking = Asking(confirming(who, word, START), place, MOST_ASKED)
        return store.put(who, frozenset({who}), lambda _: (row_of(who), asking))

    def ask(number: int) -> list[bool]:
        barrier.wait(timeout=20)
        return [put(stores[number], PERSON, bytes([number, turn])) for turn in range(3)]

    def send(number: int) -> bool:
        who = Digest.of(bytes([number]))
        put(stores[number], who, b"x")
        barrier.wait(timeout=20)
        name = confirming(who, b"x", START).name
        return stores[number].take_place(name, START, most=MOST_SENT)

    with ThreadPoolExecutor(4) as pool:
        assert sum(one for found in pool.map(ask, range(4)) for one in found) == MOST_ASKED
        assert sum(pool.map(send, range(4))) == MOST_SENT
    assert Outbox(databases[0]).counts().waiting == MOST_ASKED + 4


@pytest.mark.postgres
def test_one_person_asks_with_one_key_at_a_time(cluster: Cluster) -> None:
    """Another key of theirs is asking, and has not been counted yet: this one waits for it."""
    store = ContactStore(Database(cluster.database()))
    store.database.create()
    keys = [Digest.of(b"one"), Digest.of(b"two")]
    asking = Asking(confirming(keys[0], b"x", START), Digest.of(b"place"), MOST_ASKED)
    with ThreadPoolExecutor(1) as pool:
        with store.database.write() as connection:
            store.database.take_turn(connection, min(one.raw for one in keys))
            put = pool.submit(
                store.put, keys[0], frozenset(keys), lambda _: (row_of(keys[0]), asking)
            )
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while not cluster.psql(waiting).startswith("1") and not put.done():
                wait_for([put], timeout=0.01)
            assert not put.done()
        assert put.result(timeout=20)
    store.database.close()


def row_of(person: Digest) -> ContactRow:
    return ContactRow(
        thumbprint=person,
        mail=MAIL,
        webhook=None,
        zone=None,
        digest=False,
        salt=bytes(16),
        stop_mail=Digest.of(b"mail", person.raw),
        stop_digest=Digest.of(b"digest", person.raw),
        changed_ms=START,
    )


def book_of(database: Database) -> ContactBook:
    keys = KeyBook(RecordStore(database))
    return ContactBook(ContactStore(database), keys, FakeClock(START), b"s" * 32, size=lambda: 0)


def confirm(book: ContactBook) -> None:
    row = book.to_confirm(PERSON)
    assert row is not None
    book.confirm(book.confirm_token(row))


def stop(book: ContactBook) -> None:
    row = book.of_person(PERSON)
    assert row is not None
    book.stop(book.stop_token(row, digest=False))


def other(book: ContactBook) -> None:
    book.put(PERSON, Contact(mail="other@example.com"))


def forget(book: ContactBook) -> None:
    book.forget(PERSON)


@pytest.mark.parametrize(
    ("confirmed", "act", "left"),
    [
        pytest.param(True, stop, Kept(zone="Asia/Tokyo"), id="stopped by a link"),
        pytest.param(
            False, confirm, Kept(mail=MAIL, zone="Asia/Tokyo", confirmed=True), id="confirmed"
        ),
        pytest.param(True, other, Kept(mail="other@example.com"), id="another address"),
        pytest.param(True, forget, Kept(), id="deleted"),
    ],
)
def test_what_comes_while_an_address_is_given_again_is_not_undone(
    databases: list[Database],
    monkeypatch: pytest.MonkeyPatch,
    *,
    confirmed: bool,
    act: Callable[[ContactBook], None],
    left: Kept,
) -> None:
    """It comes when what stood there was read and nothing was written: it waits, and counts."""
    books = [book_of(one) for one in databases[:2]]
    books[0].put(PERSON, Contact(mail=MAIL))
    if confirmed:
        confirm(books[0])
    hashed = contacts._hashed
    begun: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool:

        def meanwhile(token: bytes) -> Digest:
            if not begun:
                begun.append(Future())
                begun[0] = pool.submit(act, books[1])
                # So long it may take, were it not made to wait.
                wait_for(begun, timeout=0.5)
            return hashed(token)

        with monkeypatch.context() as patch:
            patch.setattr(contacts, "_hashed", meanwhile)
            books[0].put(PERSON, Contact(mail=MAIL, zone="Asia/Tokyo"))
        begun[0].result(timeout=20)
    assert books[0].own(PERSON) == left


def test_what_each_turn_looks_for_is_found_without_reading_all_there_is(
    databases: list[Database],
) -> None:
    store = ContactStore(databases[0])
    assert read_whole(databases[0], lambda: store.expire(START)) == []
