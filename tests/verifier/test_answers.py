"""Answers that other threads give: each reaches who waits, and the loop is woken seldom."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from workseal_verifier.api.answers import Answers


def test_each_promise_becomes_what_it_was_set_to() -> None:
    answers = Answers()
    promises: list[Future[int]] = [Future() for _ in range(2_000)]

    def keep() -> None:
        for number, promise in enumerate(promises):
            if number % 3:
                promise.set_result(number)
            else:
                promise.set_exception(KeyError(number))

    async def wait() -> list[int | BaseException]:
        threading.Thread(target=keep).start()
        return await asyncio.gather(*map(answers.of, promises), return_exceptions=True)

    for number, found in enumerate(asyncio.run(asyncio.wait_for(wait(), 20))):
        if number % 3:
            assert found == number
        else:
            assert isinstance(found, KeyError)
            assert found.args == (number,)


def test_many_threads_lose_no_answer() -> None:
    answers = Answers()

    async def one(number: int) -> int:
        promise: Future[int] = Future()
        threading.Thread(target=promise.set_result, args=(number,)).start()
        return await answers.of(promise)

    async def wait() -> list[int]:
        return [number for _ in range(20) for number in await asyncio.gather(*map(one, range(20)))]

    assert asyncio.run(asyncio.wait_for(wait(), 20)) == [*range(20)] * 20


def test_the_loop_is_woken_once_for_what_comes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers()
    promises: list[Future[int]] = [Future() for _ in range(50)]

    async def wait() -> int:
        loop = asyncio.get_running_loop()
        waiting = asyncio.gather(*map(answers.of, promises))
        await asyncio.sleep(0)
        woken = 0
        wake = loop.call_soon_threadsafe

        def counted(*given: object) -> object:
            nonlocal woken
            woken += 1
            return wake(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        for promise in promises:
            promise.set_result(1)
        assert await waiting == [1] * 50
        return woken

    assert asyncio.run(wait()) == 1


def test_who_no_longer_waits_holds_up_nobody() -> None:
    answers = Answers()
    gone: Future[int] = Future()
    stays: Future[int] = Future()

    async def wait() -> int:
        first = asyncio.create_task(answers.of(gone))
        second = asyncio.create_task(answers.of(stays))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        gone.set_result(1)
        stays.set_result(2)
        return await second

    assert asyncio.run(asyncio.wait_for(wait(), 20)) == 2


def test_an_answer_after_the_end_of_the_loop_goes_nowhere() -> None:
    answers = Answers()
    late: Future[int] = Future()

    async def wait() -> None:
        task = asyncio.create_task(answers.of(late))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(wait())
    late.set_result(1)
    assert late.result() == 1
