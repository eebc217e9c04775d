"""A deadline for work that may never return, such as asking a screen that stands still.

Rules: one piece of work at a time; while one is overdue the next is refused at once, so threads do
not pile up; what an overdue one brings in the end is thrown away.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class OverdueError(Exception):
    """Say that the work has not returned in time."""


class Deadline(Generic[_Result]):
    """Do work in threads of its own, and wait for each only so long."""

    def __init__(self, work: Callable[[], _Result], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._running: Future[_Result] | None = None

    def __call__(self) -> _Result:
        """Return what the work returns or raise what it raises; `OverdueError` when it is late."""
        if self._running is not None and not self._running.done():
            raise OverdueError
        self._running = running = Future[_Result]()
        threading.Thread(target=self._run, args=(running,), daemon=True).start()
        try:
            return running.result(self._seconds)
        except TimeoutError:
            if running.done():
                raise
            raise OverdueError from None

    def _run(self, running: Future[_Result]) -> None:
        try:
            running.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            running.set_exception(error)
