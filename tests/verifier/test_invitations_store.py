"""Invitations in each kind of database, accepted by several workers at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest

from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role, SeedSigner
from workseal_verifier.store.engine import Database
from workseal_verifier.store.invitations import InvitationRow, InvitationStore

AT_ONCE = 4
NOW, LATER = 1_000, 2_000
TOKEN = Digest.of(b"token")
OWNER = Digest.of(b"owner")
KEYS = [SeedSigner(bytes([n]) * 32).public_key for n in range(1, AT_ONCE + 1)]
Answer = TypeVar("Answer")


@pytest.fixture
def stores(where: Path | str) -> Iterator[list[InvitationStore]]:
    """Give the stores of several workers; SQLite's are threads of one."""
    databases = [Database(where) for _ in range(AT_ONCE)]
    databases[0].create()
    yield [InvitationStore(one) for one in databases]
    for one in databases:
        one.close()


def at_once(
    stores: list[InvitationStore], act: Callable[[InvitationStore, int], Answer]
) -> list[Answer]:
    barrier = Barrier(len(stores))

    def meet(number: int) -> Answer:
        barrier.wait(timeout=10)
        return act(stores[number], number)

    with ThreadPoolExecutor(len(stores)) as pool:
        return list(pool.map(meet, range(len(stores))))


def test_an_invitation_for_two_lets_two_in(stores: list[InvitationStore]) -> None:
    stores[0].add_invitation(InvitationRow(TOKEN, Role.CLIENT, 2, LATER))
    found = at_once(stores, lambda one, n: one.accept(TOKEN, KEYS[n], now_ms=NOW))
    assert sorted(map(str, found)).count(str(Role.CLIENT)) == 2
    assert found.count(None) == AT_ONCE - 2
    assert len(stores[0].invited()) == 2
    assert stores[0].invitations(NOW) == []


def test_a_key_that_comes_several_times_at_once_uses_one(stores: list[InvitationStore]) -> None:
    stores[0].add_invitation(InvitationRow(TOKEN, Role.CLIENT, 9, LATER))
    found = at_once(stores, lambda one, _: one.accept(TOKEN, KEYS[0], now_ms=NOW))
    assert found == [Role.CLIENT] * AT_ONCE
    (left,) = stores[0].invitations(NOW)
    assert left.uses_left == 8


def test_what_was_withdrawn_is_gone_for_every_worker(stores: list[InvitationStore]) -> None:
    first, second = stores[:2]
    for name in (TOKEN, OWNER):
        first.add_invitation(InvitationRow(name, Role.CLIENT, 9, LATER))
        for key in KEYS[:2]:
            assert first.accept(name, key, now_ms=NOW) is Role.CLIENT
    second.end_invitation(TOKEN)
    assert first.accept(TOKEN, KEYS[2], now_ms=NOW) is None
    assert [one.token for one in first.invitations(NOW)] == [OWNER]
    assert [second.end_invited(KEYS[0].thumbprint) for _ in range(2)] == [True, False]
    assert [one.key for one in first.invited()] == [KEYS[1]]
