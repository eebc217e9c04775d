"""Waiting only so long for what may never return, like a screen whose server hangs.

Rules: what is waited for runs in a thread of its own. One that did not return in time keeps its
place until it does: nothing new is tried meanwhile, so hung calls do not pile up, and what comes
late is dropped.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

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
        call = _Call(action)
        # A daemon: the end of the process does not wait for it either.
        self._thread = threading.Thread(target=call.run, name="patience", daemon=True)
        self._thread.start()
        return call.result(self._seconds)


class _Call(Generic[Answer]):
    """Hold what an action returned or raised. The library's `Future` loads one that writes logs."""

    def __init__(self, action: Callable[[], Answer]) -> None:
        self._action = action
        self._ended = threading.Event()
        self._answers: list[Answer] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._answers.append(self._action())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._error = error
        self._ended.set()

    def result(self, seconds: float) -> Answer:
        if not self._ended.wait(seconds):
            raise TimeoutError("it did not return in time")
        if self._error is None:
            return self._answers[0]
        try:
            raise self._error
        finally:
            # What was raised holds this frame, and the frame would hold it.
            self._error = None
