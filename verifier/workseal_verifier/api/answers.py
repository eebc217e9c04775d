"""Answers that another thread gives, awaited in an event loop.

Rule: the loop is woken once for all answers that came since it last looked. A tick answers many
submissions at once, and to wake the loop costs more than to hand an answer over.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from fastapi import Request

from workseal_protocol.receipt import SubmissionAnswer
from workseal_verifier.api.lanes import Lanes, run_in
from workseal_verifier.api.services import Services
from workseal_verifier.services.candidate import Candidate

T = TypeVar("T")


async def logged(
    request: Request, given: Services, candidates: Sequence[Candidate], *, old: int = 0
) -> SubmissionAnswer:
    """Have statements sequenced for a request, and wait for the answer without holding a thread."""
    given.require_rate(candidates)
    if not given.sequencer.is_prepared(candidates):
        lanes: Lanes = request.app.state.lanes
        await run_in(lanes.preparing, given.sequencer.prepare, candidates)
    answers: Answers = request.app.state.answers
    return await answers.of(given.sequencer.submit(candidates, old=old, charge=given.charge))


class Answers:
    """The answers that one event loop waits for."""

    def __init__(self) -> None:
        self._come: deque[Callable[[], None]] = deque()
        self._is_woken = False

    async def of(self, promise: Future[T]) -> T:
        """Wait for what a promise becomes, and return or raise it."""
        come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.tell(promise, partial(_set, come))
        await come
        return promise.result()

    def tell(self, promise: Future[T], hear: Callable[[], None]) -> None:
        """Call `hear` in this thread's loop when a promise is kept or broken; it raises nothing."""
        loop = asyncio.get_running_loop()
        promise.add_done_callback(lambda _: self._take(loop, hear))

    def _take(self, loop: asyncio.AbstractEventLoop, hear: Callable[[], None]) -> None:
        """Take one, in whatever thread."""
        self._come.append(hear)
        # It says that it is not woken before it looks: who finds it woken is seen by that look.
        if not self._is_woken:
            self._is_woken = True
            # A loop that has ended has nobody who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._is_woken = False
        while self._come:
            self._come.popleft()()


def _set(come: "asyncio.Future[None]") -> None:
    # Who no longer waits has cancelled it.
    if not come.done():
        come.set_result(None)
