"""The newest checkpoint: one look for all who ask meanwhile, none from before they asked."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest

from support.office import Office, stranger_offer
from workseal_protocol.receipt import Receipt, verify_receipt
from workseal_verifier.api.newest import Newest
from workseal_verifier.app import create_app
from workseal_verifier.services.publication import Published


class Looks:
    """Looks that wait for each other's `gate`, and are numbered."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.begun = 0
        self.fails = False

    def look(self) -> Published:
        self.begun += 1
        number = self.begun
        assert self.gate.acquire(timeout=20)
        if self.fails:
            raise KeyError(number)
        return cast("Published", number)

    async def until_begun(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.begun < count:  # noqa: ASYNC110 - it is told in another thread
                await asyncio.sleep(0.001)


@pytest.fixture
def looks() -> Looks:
    return Looks()


def ran(work: Callable[[], Awaitable[Any]]) -> Any:
    async def within() -> Any:
        async with asyncio.timeout(20):
            return await work()

    return asyncio.run(within())


def test_who_asks_while_a_look_is_under_way_is_answered_by_the_next(looks: Looks) -> None:
    newest = Newest(looks.look, alone=False)

    async def work() -> list[object]:
        first = [asyncio.create_task(newest.shown()) for _ in range(3)]
        await looks.until_begun(1)
        later = [asyncio.create_task(newest.shown()) for _ in range(3)]
        await asyncio.sleep(0)
        looks.gate.release()
        await looks.until_begun(2)
        looks.gate.release()
        found: list[object] = await asyncio.gather(*first, *later)
        looks.gate.release()
        return [*found, await newest.shown()]

    assert ran(work) == [1, 1, 1, 2, 2, 2, 3]


def test_all_hear_of_a_look_that_failed_and_the_next_one_looks_again(looks: Looks) -> None:
    newest = Newest(looks.look, alone=False)

    async def work() -> list[object]:
        looks.fails = True
        looks.gate.release()
        found = await asyncio.gather(newest.shown(), newest.shown(), return_exceptions=True)
        looks.fails = False
        looks.gate.release()
        return [*map(str, found), await newest.shown()]

    assert ran(work) == ["1", "1", 2]


def test_who_goes_away_takes_the_answer_from_nobody(looks: Looks) -> None:
    newest = Newest(looks.look, alone=False)

    async def work() -> object:
        gone, stays = (asyncio.create_task(newest.shown()) for _ in range(2))
        await looks.until_begun(1)
        gone.cancel()
        await asyncio.sleep(0)
        looks.gate.release()
        return await stays

    assert ran(work) == 1


def test_who_is_alone_asks_memory_in_the_same_thread() -> None:
    asked: list[threading.Thread] = []
    newest = Newest(lambda: cast("Published", asked.append(threading.current_thread())), alone=True)
    ran(newest.shown)
    assert asked == [threading.current_thread()]


def asked(office: Office, path: str) -> bytes:
    app = create_app(office.verifier.settings, office.verifier)

    async def ask() -> bytes:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            # The first of them brings the place into memory.
            proofs = [(await client.get(path)).content for _ in range(2)]
        assert proofs[0] == proofs[1]
        return proofs[1]

    found: bytes = ran(ask)
    return found


@pytest.mark.postgres
def test_what_one_process_answered_for_the_other_shows_at_once(
    both: tuple[Office, Office],
) -> None:
    a, b = both
    offer = stranger_offer(a, 1)
    a.post([offer])
    path = f"/v1/statements/{offer.digest}"
    for number in (2, 3):
        proof = Receipt.parse(asked(b, path))
        assert proof.signed == a.checkpoint()
        verify_receipt(proof, offer.digest, a.policy)
        assert asked(b, "/v1/log/checkpoint") == a.checkpoint().encode()
        a.post([stranger_offer(a, number)])
