"""What lets people in, in each kind of database, asked for by several at once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import Connection, Table, delete, func, select

from support.postgres import Cluster
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_verifier.errors import StoreRaceError
from workseal_verifier.services.signin import Root
from workseal_verifier.store.access import (
    MAX_SESSIONS,
    AccessStore,
    PasskeyRow,
    SessionRow,
)
from workseal_verifier.store.engine import Database
from workseal_verifier.store.invitations import InvitationRow, InvitationStore
from workseal_verifier.store.schema import invitations, links, passkeys, sessions, spent

AT_ONCE = 4
# Enough that without the order some of them meet.
CIRCLES = 60
NOW, LATER = 1_000, 2_000
TOKEN = Digest.of(b"token")
OWNER = Digest.of(b"owner")
KEYS = [SeedSigner(bytes([n]) * 32).public_key for n in range(1, AT_ONCE + 1)]
Answer = TypeVar("Answer")


@pytest.fixture
def stores(where: Path | str) -> Iterator[list[AccessStore]]:
    """Give the stores of several workers; SQLite's are threads of one."""
    databases = [Database(where) for _ in range(AT_ONCE)]
    databases[0].create()
    yield [AccessStore(one) for one in databases]
    for one in databases:
        one.close()


def at_once(stores: list[AccessStore], act: Callable[[AccessStore, int], Answer]) -> list[Answer]:
    barrier = Barrier(len(stores))

    def meet(number: int) -> Answer:
        barrier.wait(timeout=10)
        return act(stores[number], number)

    with ThreadPoolExecutor(len(stores)) as pool:
        return list(pool.map(meet, range(len(stores))))


def session(number: int, thumbprint: Digest = OWNER) -> SessionRow:
    token = Digest.of(b"session", number.to_bytes(4))
    return SessionRow(token, thumbprint, Root.KEY, LATER + number, NOW, None)


def passkey(number: int) -> PasskeyRow:
    return PasskeyRow(bytes([number + 1]), OWNER, b"public", 0, NOW)


def count(store: AccessStore, table: Table) -> int:
    with store.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_link_begins_one_session(stores: list[AccessStore]) -> None:
    stores[0].add_link(TOKEN, OWNER, Root.KEY, until_ms=LATER)
    assert stores[0].link(TOKEN, now_ms=LATER - 1) == (OWNER, Root.KEY)
    assert stores[0].link(TOKEN, now_ms=LATER) is None
    found = at_once(stores, lambda one, n: one.follow_link(TOKEN, session(n)))
    assert sorted(found) == [False] * (AT_ONCE - 1) + [True]
    assert (count(stores[0], sessions), count(stores[0], links)) == (1, 0)


def test_no_link_that_all_ended_begins_a_session(stores: list[AccessStore]) -> None:
    """It was read before they ended, and is followed after."""
    first, second = stores[:2]
    first.add_link(TOKEN, OWNER, Root.KEY, until_ms=LATER)
    assert first.link(TOKEN, now_ms=NOW) is not None
    second.end_sessions(OWNER)
    assert not first.follow_link(TOKEN, session(1))
    assert count(first, sessions) == 0


@pytest.mark.parametrize("ended", ["session", "sessions", "passkeys", "expired"])
def test_no_passkey_is_made_in_a_session_that_has_ended(
    stores: list[AccessStore], ended: str
) -> None:
    first, second = stores[:2]
    own = session(1)
    for one in (own, session(2)):
        first.add_session(one)
    made = first.add_passkey(passkey(0), Digest.of(b"0"), LATER, most=9, session=own.token)
    assert made
    row = passkey(1)
    match ended:
        case "session":
            second.end_session(own.token)
        case "sessions":
            second.end_sessions(OWNER)
        case "passkeys":
            second.end_passkeys(OWNER)
        case _:
            row = replace(row, made_ms=own.until_ms)
    assert not first.add_passkey(row, Digest.of(b"1"), LATER, most=9, session=own.token)
    assert row not in first.passkeys_of(OWNER)


@pytest.mark.postgres
def test_a_session_ends_before_a_passkey_is_made_in_it_or_after(cluster: Cluster) -> None:
    """Its end is under way and not committed yet: the passkey waits, and is refused."""
    store = AccessStore(Database(cluster.database()))
    store.database.create()
    own = session(1)
    store.add_session(own)
    with ThreadPoolExecutor(1) as pool:
        with store.database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token == own.token.raw))
            made = pool.submit(
                store.add_passkey,
                passkey(0),
                Digest.of(b"0"),
                LATER,
                most=9,
                session=own.token,
            )
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while not cluster.psql(waiting).startswith("1") and not made.done():
                time.sleep(0.01)
        assert not made.result(timeout=20)
    store.database.close()


def test_a_challenge_is_answered_once(stores: list[AccessStore]) -> None:
    challenge = Digest.of(b"challenge")
    assert stores[0].add_passkey(passkey(0), Digest.of(b"made"), LATER, most=16)
    found = at_once(
        stores,
        lambda one, n: one.use_passkey(passkey(0).credential, n, challenge, LATER, session(n)),
    )
    assert sorted(found) == [False] * (AT_ONCE - 1) + [True]


@pytest.mark.parametrize(("answers", "taken"), [((7, 5, 7, 8), [7, 8]), ((0, 0, 1, 0), [0, 0, 1])])
def test_a_passkey_never_counts_back(
    stores: list[AccessStore], answers: tuple[int, ...], taken: list[int]
) -> None:
    """All were checked against the count that was read before any of them was stored."""
    store = stores[0]
    store.add_passkey(passkey(0), Digest.of(b"made"), LATER, most=16)
    used = [
        number
        for turn, number in enumerate(answers)
        if store.use_passkey(
            passkey(0).credential, number, Digest.of(bytes([turn])), LATER, session(turn)
        )
    ]
    assert used == taken
    assert [one.sign_count for one in store.passkeys_of(OWNER)] == [taken[-1]]
    assert count(store, sessions) == len(taken)


def test_a_nonce_is_spent_once_for_every_worker_until_it_expires(
    stores: list[AccessStore],
) -> None:
    nonce = Digest.of(b"nonce")
    found = at_once(stores, lambda one, _: one.spend(nonce, until_ms=LATER))
    assert sorted(found) == [False] * (AT_ONCE - 1) + [True]
    stores[1].clear(LATER - 1)
    assert not stores[1].spend(nonce, until_ms=LATER)
    stores[1].clear(LATER)
    assert stores[1].spend(nonce, until_ms=LATER)


EXPIRING = (invitations, links, sessions, spent)


def test_what_has_expired_is_cleared_and_nothing_else(stores: list[AccessStore]) -> None:
    store = stores[0]
    for number, until in enumerate((LATER, LATER + 1)):
        name = Digest.of(bytes([number]))
        InvitationStore(store.database).add_invitation(InvitationRow(name, Role.CLIENT, 1, until))
        store.add_link(name, name, Root.KEY, until_ms=until)
        store.add_session(session(until - LATER, OWNER))
        store.spend(name, until_ms=until)
    assert [count(store, table) for table in EXPIRING] == [2, 2, 2, 2]
    store.clear(LATER)
    assert [count(store, table) for table in EXPIRING] == [1, 1, 1, 1]
    assert store.session(session(1).token, now_ms=NOW) is not None
    store.clear(LATER + 1)
    assert [count(store, table) for table in EXPIRING] == [0, 0, 0, 0]


@pytest.mark.postgres
def test_clearing_waits_for_nobody(cluster: Cluster) -> None:
    store = AccessStore(Database(cluster.database()))
    store.database.create()
    store.add_session(session(0))
    store.add_session(session(1))
    with store.database.write() as connection:
        held = sessions.c.token == session(0).token.raw
        connection.execute(select(sessions).where(held).with_for_update())
        with ThreadPoolExecutor(1) as pool:
            pool.submit(store.clear, LATER + 1).result(timeout=20)
    assert count(store, sessions) == 1
    assert store.session(session(0).token, now_ms=NOW) is not None
    store.database.close()


@pytest.mark.postgres
def test_nothing_that_one_key_does_waits_in_a_circle(cluster: Cluster) -> None:
    """Registrations, sign-ins, nonces, endings and clearing of one key, all at once."""
    url = cluster.database()
    stores = [AccessStore(Database(url)) for _ in range(6)]
    stores[0].database.create()
    stores[0].add_passkey(passkey(0), Digest.of(b"made"), LATER, most=999)

    def register(one: AccessStore, n: int) -> None:
        row = replace(passkey(0), credential=b"%d" % n)
        once(AccessStore.add_passkey)(one, row, Digest.of(b"r%d" % n), n, most=999)

    def sign_in(one: AccessStore, n: int) -> None:
        challenge, begun = Digest.of(b"s%d" % n), replace(session(n), until_ms=NOW + n)
        once(AccessStore.use_passkey)(one, passkey(0).credential, n, challenge, n, begun)

    def spend(one: AccessStore, n: int) -> None:
        once(AccessStore.spend)(one, Digest.of(b"n%d" % n), until_ms=n)
        once(AccessStore.clear)(one, NOW + n)

    acts = (register, register, sign_in, sign_in, spend, spend)

    def work(one: AccessStore, lane: int) -> None:
        for turn in range(CIRCLES):
            acts[lane](one, turn * len(acts) + lane)

    at_once(stores, work)
    for one in stores:
        one.database.close()


def once(method: Callable[..., object]) -> Callable[..., object]:
    """Return a method as it is without its second attempt."""
    unaided: Callable[..., object] = method.__wrapped__  # type: ignore[attr-defined]
    return unaided


def use(store: AccessStore) -> bool:
    made = passkey(0).credential
    return store.use_passkey(made, 1, Digest.of(b"c"), LATER, session(5))


# Each with how much of what it changes there is after it was done once, and before.
ACTS: dict[str, tuple[Callable[[AccessStore], object], Table, int, int]] = {
    "add_session": (lambda one: one.add_session(session(3)), sessions, 2, 1),
    "spend": (lambda one: one.spend(TOKEN, until_ms=LATER), spent, 2, 1),
    "clear": (lambda one: one.clear(LATER + 9), sessions, 0, 1),
    "add_link": (lambda one: one.add_link(TOKEN, OWNER, 0, until_ms=LATER), links, 2, 1),
    "follow_link": (lambda one: one.follow_link(Digest.of(b"link"), session(4)), links, 0, 1),
    "end_sessions": (lambda one: one.end_sessions(OWNER), sessions, 0, 1),
    "use_passkey": (use, sessions, 2, 1),
    "end_passkeys": (lambda one: one.end_passkeys(OWNER), passkeys, 0, 1),
    "add_passkey": (
        lambda one: one.add_passkey(passkey(6), Digest.of(b"c"), LATER, most=9),
        passkeys,
        2,
        1,
    ),
}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", ACTS)
def test_what_the_database_gave_up_for_another_is_done_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, times: int
) -> None:
    store = AccessStore(Database(tmp_path / "verifier.db"))
    store.database.create()
    store.add_session(session(1))
    store.add_link(Digest.of(b"link"), OWNER, Root.KEY, until_ms=LATER)
    assert store.add_passkey(passkey(0), Digest.of(b"made"), LATER, most=9)
    act, table, done, before = ACTS[name]
    races = [StoreRaceError("40P01")] * times
    write = store.database.write

    @contextmanager
    def raced() -> Iterator[Connection]:
        with write() as connection:
            yield connection
            if races:
                raise races.pop()

    monkeypatch.setattr(store.database, "write", raced)
    if times == 1:
        assert act(store) is not False
    else:
        with pytest.raises(StoreRaceError):
            act(store)
    assert count(store, table) == (done if times == 1 else before)
    store.database.close()


def test_a_key_has_no_more_sessions_and_passkeys_than_it_may(stores: list[AccessStore]) -> None:
    for number in range(MAX_SESSIONS):
        stores[0].add_session(session(number))
    at_once(stores, lambda one, n: one.add_session(session(MAX_SESSIONS + n)))
    kept = [
        n
        for n in range(MAX_SESSIONS + AT_ONCE)
        if stores[0].session(session(n).token, now_ms=NOW) is not None
    ]
    assert len(kept) == MAX_SESSIONS
    added = at_once(
        stores,
        lambda one, n: one.add_passkey(passkey(n), Digest.of(b"c", bytes([n])), LATER, most=2),
    )
    assert sorted(added) == [False, False, True, True]
    assert len(stores[0].passkeys_of(OWNER)) == 2


def test_what_ended_has_ended_for_every_worker(stores: list[AccessStore]) -> None:
    first, second = stores[:2]
    first.add_session(session(1))
    assert second.session(session(1).token, now_ms=NOW) == session(1)
    second.end_sessions(OWNER)
    assert first.session(session(1).token, now_ms=NOW) is None


# --- what is another's ---

OTHER = Digest.of(b"other")


def furnish(store: AccessStore, owner: Digest, number: int) -> None:
    """Give somebody a link of each root, two sessions and a passkey."""
    for root in (Root.KEY, Root.OPERATOR):
        store.add_link(Digest.of(owner.raw, bytes([root])), owner, root, until_ms=LATER)
    for one in (number, number + 1):
        store.add_session(session(one, owner))
    row = replace(passkey(number), thumbprint=owner)
    assert store.add_passkey(row, Digest.of(b"made", owner.raw), LATER, most=1)


def has(store: AccessStore, owner: Digest, number: int) -> tuple[int, int, int]:
    """Count the links, sessions and passkeys that somebody has."""
    roots = [Digest.of(owner.raw, bytes([root])) for root in (Root.KEY, Root.OPERATOR)]
    tokens = [session(one).token for one in (number, number + 1)]
    return (
        sum(store.link(one, now_ms=NOW) is not None for one in roots),
        sum(store.session(one, now_ms=NOW) is not None for one in tokens),
        len(store.passkeys_of(owner)),
    )


@pytest.mark.parametrize(
    ("act", "left"),
    [
        pytest.param(lambda one: one.end_session(session(1).token), (2, 1, 1), id="one session"),
        pytest.param(lambda one: one.end_sessions(OWNER), (0, 0, 1), id="all sessions"),
        pytest.param(lambda one: one.end_passkeys(OWNER), (0, 0, 0), id="passkeys"),
    ],
)
def test_what_one_ends_leaves_what_another_has(
    stores: list[AccessStore], act: Callable[[AccessStore], None], left: tuple[int, int, int]
) -> None:
    store = stores[0]
    furnish(store, OWNER, 1)
    furnish(store, OTHER, 11)
    assert [has(store, OWNER, 1), has(store, OTHER, 11)] == [(2, 2, 1)] * 2
    act(store)
    assert has(store, OWNER, 1) == left
    assert has(store, OTHER, 11) == (2, 2, 1)


def test_a_link_followed_or_made_anew_ends_no_other_one(stores: list[AccessStore]) -> None:
    store = stores[0]
    furnish(store, OWNER, 1)
    furnish(store, OTHER, 11)
    store.add_link(TOKEN, OWNER, Root.KEY, until_ms=LATER)
    # The earlier one of the same key and root, and none but it.
    assert store.link(Digest.of(OWNER.raw, bytes([Root.KEY])), now_ms=NOW) is None
    assert store.link(TOKEN, now_ms=NOW) == (OWNER, Root.KEY)
    assert has(store, OTHER, 11) == (2, 2, 1)
    fresh = replace(session(3), fresh_ms=NOW)
    assert store.follow_link(TOKEN, fresh)
    assert store.session(fresh.token, now_ms=NOW) == fresh
    assert (has(store, OWNER, 1), has(store, OTHER, 11)) == ((1, 2, 1), (2, 2, 1))
    assert count(store, links) == 3


def test_many_sessions_of_another_key_end_none_of_ones_own(stores: list[AccessStore]) -> None:
    """They end later than one's own, and are as many as a key may have."""
    store = stores[0]
    store.add_session(session(1))
    for number in range(MAX_SESSIONS):
        store.add_session(session(100 + number, OTHER))
    store.add_session(session(2))
    own = [store.session(session(one).token, now_ms=NOW) for one in (1, 2)]
    assert own == [session(1), session(2)]
    assert count(store, sessions) == MAX_SESSIONS + 2


def test_a_session_is_seen_alone_and_read_until_it_ends(stores: list[AccessStore]) -> None:
    store = stores[0]
    furnish(store, OWNER, 1)
    store.see_session(session(1).token, now_ms=NOW + 7)
    seen = [store.session(session(one).token, now_ms=LATER) for one in (1, 2)]
    assert [one and one.seen_ms for one in seen] == [NOW + 7, NOW]
    assert store.session(session(1).token, now_ms=LATER + 1) is None
    assert store.session(session(2).token, now_ms=LATER + 1) is not None


def test_it_is_the_oldest_session_of_the_same_key_that_ends(stores: list[AccessStore]) -> None:
    store = stores[0]
    store.add_session(session(0, OTHER))
    for number in range(1, MAX_SESSIONS + 2):
        store.add_session(session(number))
    found = [store.session(session(n).token, now_ms=NOW) is None for n in range(MAX_SESSIONS + 2)]
    assert found == [False, True] + [False] * MAX_SESSIONS


def test_a_passkey_is_one_persons_and_made_once(stores: list[AccessStore]) -> None:
    store = stores[0]
    furnish(store, OWNER, 1)
    furnish(store, OTHER, 11)
    # Of two made later the one with the lower number is the newer.
    older, newer = replace(passkey(9), made_ms=NOW + 1), replace(passkey(3), made_ms=NOW + 2)
    for row in (newer, older):
        assert store.add_passkey(row, Digest.of(row.credential), LATER, most=9)
    assert store.passkeys_of(OWNER) == [passkey(1), older, newer]
    assert store.passkey(newer.credential) == newer
    again = replace(newer, thumbprint=OTHER)
    assert not store.add_passkey(again, Digest.of(b"free"), LATER, most=9)
    # The answer to its challenge was given.
    answered = Digest.of(newer.credential)
    assert not store.add_passkey(passkey(5), answered, LATER, most=9)
    assert not store.use_passkey(newer.credential, 4, answered, LATER, session(21))
    assert store.use_passkey(newer.credential, 4, Digest.of(b"new"), LATER, session(22))
    assert [one.sign_count for one in store.passkeys_of(OWNER)] == [0, 0, 4]


def test_every_way_in_is_ended_and_passkeys_are_counted(stores: list[AccessStore]) -> None:
    store = stores[0]
    for number, key in enumerate(KEYS):
        token = Digest.of(bytes([number]))
        store.add_link(token, key.thumbprint, Root.KEY, until_ms=LATER)
        store.add_session(SessionRow(token, key.thumbprint, Root.KEY, LATER, NOW, None))
        row = PasskeyRow(bytes([number]), key.thumbprint, b"key", 0, NOW)
        assert store.add_passkey(row, token, LATER, most=1)
    assert store.end_ways_in() == len(KEYS)
    for number, key in enumerate(KEYS):
        token = Digest.of(bytes([number]))
        assert store.link(token, now_ms=NOW) is None
        assert store.session(token, now_ms=NOW) is None
        assert store.passkeys_of(key.thumbprint) == []
    assert store.end_ways_in() == 0
