"""Signatures checked in processes of their own, so that a month's bundle takes half the time.

Rules: a process vouches for each signature by name, and one that ends early, or cannot be begun,
only means that this one checks the rest itself. They are begun before this process has a second
thread, by copying it: where the system does not do that, there are none. So they have the bundle
and the policy, and are told a number at a time; they open no file and write nothing, and end when
this one does, however that ends.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from workseal_protocol.digest import DIGEST_BYTES
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.verify import PARTS, Checker, Foreseen

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

# Below this, all signatures are checked before a second process has begun.
LEAST_BYTES: Final = 1_000_000
# More would wait for this one: it does as much as all signatures of three processors take.
MOST: Final = 4


@contextmanager
def checker_for(data: bytes, policy: TrustPolicy) -> Iterator[Checker | None]:
    """Give what checks the signatures of a bundle beside this process; None where nothing does."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if len(data) < LEAST_BYTES or processors < 2 or threading.active_count() > 1:
        yield None
        return
    # This one is at work too.
    processes = Processes(min(processors - 1, MOST), data, policy)
    try:
        yield processes
    finally:
        processes.close()


class Processes:
    """Hold some processes, and the parts of the work that nobody has begun."""

    def __init__(self, count: int, data: bytes, policy: TrustPolicy) -> None:
        self._foreseen = Foreseen(data, policy)
        # One byte for each part, and whoever reads it has it: nobody can die with a lock in hand.
        parts, begin = os.pipe()
        os.write(begin, bytes(range(PARTS)))
        os.close(begin)
        self._parts: int | None = parts
        self._answers: list[tuple[ForkProcess, BinaryIO]] = []
        with suppress(OSError):  # no more can be begun: fewer do it, or none
            for _ in range(count):
                self._begin_one()
        if not self._answers:
            self.close()

    def held(self) -> AbstractSet[bytes]:
        """Do what nobody has begun yet, wait for the rest, and give the names of what held."""
        if self._parts is None:
            return frozenset()
        joined = [_names(self._foreseen, self._parts)]
        # One that was killed has said nothing, or less: what it had is checked by who asks.
        joined += [answer.read() for _, answer in self._answers]
        return {name for names in joined for name in _pieces(names)}

    def close(self) -> None:
        """End the processes."""
        for process, answer in self._answers:
            process.kill()
            process.join()
            process.close()
            answer.close()
        self._answers.clear()
        if self._parts is not None:
            os.close(self._parts)
            self._parts = None

    def _begin_one(self) -> None:
        answer, told = os.pipe()
        process = multiprocessing.get_context("fork").Process(
            target=_work, args=(self._foreseen, self._parts, told), daemon=True
        )
        try:
            process.start()
        except OSError:
            os.close(answer)
            raise
        finally:
            # Its end is where the last one who has it closes it.
            os.close(told)
        self._answers.append((process, os.fdopen(answer, "rb")))


def _work(foreseen: Foreseen, parts: int, told: int) -> None:
    # Who interrupts the command interrupts the whole group: the one that was asked tells it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_one_that_asked, daemon=True).start()
    # All at once: who asked reads when it has nothing left to do itself.
    with os.fdopen(told, "wb") as answer:
        answer.write(_names(foreseen, parts))


def _end_with_the_one_that_asked() -> None:
    # Killed, it tells nobody: its copies would wait for ever, with all that it had in memory.
    asking = multiprocessing.parent_process()
    if asking is not None:
        asking.join()
        os._exit(1)


def _names(foreseen: Foreseen, parts: int) -> bytes:
    names = []
    while part := os.read(parts, 1):
        names.append(foreseen.held(part[0]))
    return b"".join(names)


def _pieces(names: bytes) -> Iterator[bytes]:
    whole = len(names) - len(names) % DIGEST_BYTES
    return (names[at : at + DIGEST_BYTES] for at in range(0, whole, DIGEST_BYTES))
