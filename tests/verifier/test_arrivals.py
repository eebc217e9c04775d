"""Bodies on their way: bounds in number and bytes, and who gives way."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import pytest

from support.office import LiveServer, Office, stranger_offer
from workseal_verifier.api.arrivals import Arrivals


def in_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


async def waits(arrivals: Arrivals, size: int, ends: list[str], name: str) -> None:
    """Arrive with so many bytes and never finish."""
    try:
        async with asyncio.timeout(30) as deadline:
            with arrivals.arriving(deadline) as arrival:
                arrivals.grow(arrival, size)
                await asyncio.sleep(60)
    except TimeoutError:
        ends.append(f"{name} gave way" if arrival.gave_way else f"{name} was slow")


def test_the_oldest_gives_way_to_one_too_many() -> None:
    async def work() -> None:
        arrivals = Arrivals(most=2, most_bytes=100)
        ends: list[str] = []
        tasks = [asyncio.create_task(waits(arrivals, 1, ends, str(n))) for n in range(4)]
        await asyncio.sleep(0.05)
        assert ends == ["0 gave way", "1 gave way"]
        assert arrivals.count == 2
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert arrivals.count == 0

    in_loop(work)


def test_the_oldest_gives_way_to_bytes_too_many() -> None:
    async def work() -> None:
        arrivals = Arrivals(most=99, most_bytes=100)
        ends: list[str] = []
        tasks = [asyncio.create_task(waits(arrivals, 60, ends, str(n))) for n in range(3)]
        await asyncio.sleep(0.05)
        assert ends == ["0 gave way", "1 gave way"]
        # One that is too large alone gives way itself.
        tasks.append(asyncio.create_task(waits(arrivals, 101, ends, "3")))
        await asyncio.sleep(0.05)
        assert ends[2:] == ["2 gave way", "3 gave way"]
        assert arrivals.count == 0
        await asyncio.gather(*tasks)

    in_loop(work)


def test_what_left_counts_no_more() -> None:
    async def work() -> None:
        arrivals = Arrivals(most=1, most_bytes=100)
        async with asyncio.timeout(30) as deadline:
            with arrivals.arriving(deadline) as arrival:
                arrivals.grow(arrival, 90)
                arrivals.leave(arrival)
                arrivals.grow(arrival, 1_000_000)
                with arrivals.arriving(deadline) as other:
                    arrivals.grow(other, 100)
                    assert arrivals.count == 1
                    assert not other.gave_way
            await asyncio.sleep(0)

    in_loop(work)


def test_slow_bodies_stand_in_nobodys_way(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as may arrive are arriving: an honest body pushes out the slowest of them."""
    monkeypatch.setattr("workseal_verifier.app._ARRIVING", 3)
    head = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: "
    with LiveServer(office) as live, ExitStack() as stack:
        slow = [stack.enter_context(live.connect()) for _ in range(3)]
        for connection in slow:
            connection.sendall(head + b"1000\r\n\r\nabc")
        while live.app.state.arrivals.count < 3:
            pass
        body = stranger_offer(office, 1).encode()
        with live.connect() as honest:
            # In two pieces: what comes in one has arrived, and stands in no line.
            honest.sendall(head + f"{len(body)}\r\n\r\n".encode() + body[:9])
            first = slow[0].recv(65_536)
            honest.sendall(body[9:])
            assert honest.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert first.startswith(b"HTTP/1.1 503 ")
        assert b"other bodies came first" in first
        assert b"retry-after: 2" in first
        # The others still may go on.
        slow[1].sendall(bytes(997))
        assert slow[1].recv(65_536).startswith(b"HTTP/1.1 400 ")
