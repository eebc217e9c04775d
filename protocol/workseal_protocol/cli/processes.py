"""Signatures checked in processes of their own, so that a month's bundle takes half the time.

Rules: what they find is taken only as a whole, and a process that ends early, or cannot be begun,
only means that this one checks everything itself. A process is handed keys, signatures and what
was signed, and nothing else; it knows no file and writes nothing, and ends when this one does,
however that ends. They are begun before this process has a second thread, by copying it: where the
system does not do that, there are none.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final

from workseal_protocol.errors import VerificationError
from workseal_protocol.verify import Checker, PutOff

# Below this, all signatures are checked before a second process has begun.
LEAST_BYTES: Final = 1_000_000
# More would wait for this one: it does as much as all signatures of three processors take.
MOST: Final = 4


@contextmanager
def checker_for(data: bytes) -> Iterator[Checker | None]:
    """Give what checks the signatures of a bundle beside this process; None where nothing does."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if len(data) < LEAST_BYTES or processors < 2 or threading.active_count() > 1:
        yield None
        return
    processes = Processes(min(processors, MOST))
    try:
        yield processes
    finally:
        processes.close()


class Processes:
    """Hold some processes, and what they were asked."""

    def __init__(self, count: int) -> None:
        self._asked: list[Future[bool]] = []
        self._pool: ProcessPoolExecutor | None = ProcessPoolExecutor(
            count, mp_context=multiprocessing.get_context("fork"), initializer=_begin
        )
        strangers = set(multiprocessing.active_children())
        # Now, while there is little to copy.
        self.begin(())
        if self._ended:
            # Those that could be begun before one could not are forgotten, and wait for ever.
            for one in set(multiprocessing.active_children()) - strangers:
                one.kill()
                one.join()

    @property
    def _ended(self) -> bool:
        return self._pool is None

    def begin(self, batch: Sequence[PutOff]) -> None:
        """Hand some signatures over."""
        if self._pool is None:
            return
        try:
            self._asked.append(self._pool.submit(_all_hold, batch))
        except (OSError, RuntimeError):  # no process could be begun, or one has ended
            self.close()

    def all_held(self) -> bool:
        """Wait for all answers."""
        if self._pool is None:
            return False
        try:
            return all(one.result() for one in self._asked)
        except (OSError, RuntimeError):
            return False

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin() -> None:
    # Who interrupts the command interrupts the whole group: the one that was asked tells it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_one_that_asked, daemon=True).start()


def _end_with_the_one_that_asked() -> None:
    # Killed, it tells nobody: its copies would wait for ever, with all that it had in memory.
    asking = multiprocessing.parent_process()
    if asking is not None:
        asking.join()
        os._exit(1)


def _all_hold(batch: Sequence[PutOff]) -> bool:
    try:
        for key, signature, message in batch:
            key.verify(signature, message)
    except VerificationError:
        return False
    return True
