"""What lets people in, in each kind of database, asked for by several at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import select

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_verifier.services.signin import Root
from workseal_verifier.store.access import (
    MAX_SESSIONS,
    AccessStore,
    InvitationRow,
    PasskeyRow,
    SessionRow,
)
from workseal_verifier.store.engine import Database
from workseal_verifier.store.schema import spent

AT_ONCE = 4
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


def test_an_invitation_for_two_lets_two_in(stores: list[AccessStore]) -> None:
    stores[0].add_invitation(TOKEN, InvitationRow(Role.CLIENT, 2, LATER), now_ms=NOW)
    found = at_once(stores, lambda one, n: one.accept(TOKEN, KEYS[n], now_ms=NOW))
    assert sorted(map(str, found)).count(str(Role.CLIENT)) == 2
    assert found.count(None) == AT_ONCE - 2
    assert len(stores[0].invited()) == 2
    assert stores[0].invitations(NOW) == []


def test_a_key_that_comes_several_times_at_once_uses_one(stores: list[AccessStore]) -> None:
    stores[0].add_invitation(TOKEN, InvitationRow(Role.CLIENT, 9, LATER), now_ms=NOW)
    found = at_once(stores, lambda one, _: one.accept(TOKEN, KEYS[0], now_ms=NOW))
    assert found == [Role.CLIENT] * AT_ONCE
    (left,) = stores[0].invitations(NOW)
    assert left.uses_left == 8


def test_a_link_is_taken_once(stores: list[AccessStore]) -> None:
    stores[0].add_link(TOKEN, OWNER, Root.KEY, until_ms=LATER, now_ms=NOW)
    found = at_once(stores, lambda one, _: one.take_link(TOKEN, now_ms=NOW))
    assert sorted(found, key=str) == sorted([(OWNER, Root.KEY), *[None] * (AT_ONCE - 1)], key=str)


def test_a_challenge_is_answered_once(stores: list[AccessStore]) -> None:
    challenge = Digest.of(b"challenge")
    assert stores[0].add_passkey(passkey(0), Digest.of(b"made"), LATER, 16)
    found = at_once(
        stores,
        lambda one, n: one.use_passkey(passkey(0).credential, n, challenge, LATER, session(n)),
    )
    assert sorted(found) == [False] * (AT_ONCE - 1) + [True]


def test_a_nonce_is_spent_once_for_every_worker_until_it_expires(
    stores: list[AccessStore],
) -> None:
    nonce = Digest.of(b"nonce")
    found = at_once(stores, lambda one, _: one.spend(nonce, until_ms=LATER, now_ms=NOW))
    assert sorted(found) == [False] * (AT_ONCE - 1) + [True]
    assert not stores[1].spend(nonce, until_ms=LATER, now_ms=LATER - 1)
    # Its place is given back: the next that is spent clears what has expired.
    assert stores[1].spend(Digest.of(b"other"), until_ms=LATER + 1, now_ms=LATER)
    with stores[0].database.read() as connection:
        assert connection.execute(select(spent.c.digest)).scalars().all() == [
            Digest.of(b"other").raw
        ]


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
        lambda one, n: one.add_passkey(passkey(n), Digest.of(b"c", bytes([n])), LATER, 2),
    )
    assert sorted(added) == [False, False, True, True]
    assert len(stores[0].passkeys_of(OWNER)) == 2


def test_what_ended_has_ended_for_every_worker(stores: list[AccessStore]) -> None:
    first, second = stores[:2]
    first.add_session(session(1))
    assert second.session(session(1).token, now_ms=NOW) == session(1)
    second.end_sessions(OWNER)
    assert first.session(session(1).token, now_ms=NOW) is None
