"""Waiting only so long for what may never return, like a screen whose server hangs.

Rules: what is waited for runs in a thread of its own. One that did not return in time keeps its
place until it does: nothing new is tried meanwhile, so hung calls do not pile up, and what comes
late is dropped.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")


class Patience:
    """Wait for one call at a time, each for so many seconds. Not to be shared between threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._thread: threading.Thread | None = None

    def wait_for(self, action: Callable[[], Answer]) -> Answer:
        """Return what an action returns or raise what it raises; `TimeoutError` when it is late."""
        if self._thread is not None and self._thread.is_alive():
            raise TimeoutError("an earlier call has not returned yet")
        answer: Future[Answer] = Future()

        def run() -> None:
            try:
                answer.set_result(action())
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                answer.set_exception(error)

        # A daemon: the end of the process does not wait for it either.
        self._thread = threading.Thread(target=run, name="patience", daemon=True)
        self._thread.start()
        return answer.result(self._seconds)
