"""Processes of their own that check signatures where many are to be checked.

Rules: they are begun only under load, end after a quiet minute, and nothing waits for them to
begin. What they find is believed as this process believes its own memory. One that ends early,
says nothing, or cannot be begun only means that signatures are checked here, and for some seconds
none is begun anew. They end with the server however it ends: their connections are closed.
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from workseal_verifier import signatureprocess
from workseal_verifier.signatureline import ANSWER_S
from workseal_verifier.signatureprocess import HOLDS, READY, Question, pack, receive

_logger = logging.getLogger(__name__)

# So many signatures within a second are a load for which a process is begun.
LOAD: Final = 128
# As many threads as ask at once (`api.lanes`): so the next batch is there when one is answered.
_CONNECTIONS: Final = 2
_QUIET_S: Final = 60.0
# One that could not be begun, or ended by itself, is begun again after this at the earliest.
_AGAIN_S: Final = 5.0
_BEGIN_S: Final = 15.0


def useful(count: int) -> int:
    """Return how many of so many processes have a processor beside this one."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return min(count, processors - 1)


class SignatureChecks:
    """Hand batches of signatures over; may be used from several threads."""

    def __init__(self, count: int, *, quiet_s: float = _QUIET_S, again_s: float = _AGAIN_S) -> None:
        self._count = count
        self._quiet_s = quiet_s
        self._again_s = again_s
        self._lock = threading.Lock()
        # Told when processes were lost, and at the end.
        self._changed = threading.Condition(self._lock)
        self._processes: list[_Process] = []
        self._minder: threading.Thread | None = None
        self._is_closed = False
        self._not_before = self._asked_at = self._second = -self._again_s
        self._checked = 0

    @property
    def wanted(self) -> bool:
        """Tell whether there may ever be a process to ask."""
        return self._count > 0

    @property
    def running(self) -> int:
        """Tell how many processes check now."""
        with self._lock:
            return len(self._processes)

    def ask(self, questions: Sequence[Question]) -> Sequence[bool] | None:
        """Return what holds, or None where it must be checked by who asks."""
        with self._lock:
            self._note(len(questions))
            if not self._processes:
                return None
            process = max(self._processes, key=lambda one: one.free)
        try:
            return process.ask(questions)
        except OSError:
            self._lost(process)
            return None

    def note(self, count: int) -> None:
        """Tell that so many are checked, by whom ever: under load, processes are begun."""
        with self._lock:
            self._note(count)

    def lend(self) -> tuple[socket.socket, Callable[[], None]] | None:
        """Give away a connection that nobody else uses, and what to call when it is lost.

        None where no process runs that has one left.
        """
        with self._lock:
            for process in self._processes:
                connection = process.lend()
                if connection is not None:
                    return connection, partial(self._lost, process)
        return None

    def close(self) -> None:
        """End the processes; what is asked from now on is checked by who asks."""
        with self._lock:
            self._is_closed = True
            self._changed.notify_all()
            minder = self._minder
        if minder is not None:
            minder.join()

    def _note(self, count: int) -> None:
        now = self._asked_at = time.monotonic()
        if self._processes or not self.wanted:
            return
        if now - self._second >= 1:
            self._second, self._checked = now, 0
        self._checked += count
        idle = self._minder is None and not self._is_closed and now >= self._not_before
        if idle and self._checked >= LOAD:
            self._minder = threading.Thread(target=self._mind, name="signatures", daemon=True)
            self._minder.start()

    def _mind(self) -> None:
        """Begin the processes, wait until nobody asks them any more, end them."""
        processes: list[_Process] = []
        try:
            # One by one: what was begun before one that cannot be is ended below.
            processes.extend(_Process() for _ in range(self._count))
            for one in processes:
                one.await_ready()
        except OSError:
            _logger.warning("no process that checks signatures could be begun: they are not")
            with self._lock:
                self._not_before = time.monotonic() + self._again_s
        else:
            with self._lock:
                self._processes = processes
                self._wait_for_quiet()
                self._processes = []
        for one in processes:
            one.end()
        with self._lock:
            self._minder = None

    def _wait_for_quiet(self) -> None:
        while self._processes and not self._is_closed:
            left = self._asked_at + self._quiet_s - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)

    def _lost(self, process: "_Process") -> None:
        with self._lock:
            if process not in self._processes:
                return
            # All of them: they are begun together.
            self._processes = []
            self._not_before = time.monotonic() + self._again_s
            self._changed.notify_all()
        _logger.warning("a process that checks signatures ended: they are checked here meanwhile")


class _Process:
    """One process, and the connections to it that nobody uses just now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._has_ended = False
        self._free: list[socket.socket] = []
        # For an event loop, which never waits for an answer.
        self._for_loop: socket.socket | None = None
        with contextlib.ExitStack() as unless_begun, contextlib.ExitStack() as theirs:
            handles = []
            for _ in range(_CONNECTIONS + 1):
                ours, other = socket.socketpair()
                unless_begun.enter_context(ours)
                theirs.enter_context(other)
                self._free.append(ours)
                handles.append(other.fileno())
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no foreign words
                [sys.executable, "-m", signatureprocess.__name__, *map(str, handles)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=handles,
                # A terminal's interrupt is for the server, which ends this.
                start_new_session=True,
            )
            unless_begun.pop_all()

    @property
    def free(self) -> int:
        """Tell how many more batches it takes."""
        return len(self._free)

    def await_ready(self) -> None:
        """Wait until it answers, or raise `OSError`."""
        for connection in self._free:
            connection.settimeout(_BEGIN_S)
            receive(connection, len(READY))
            connection.settimeout(ANSWER_S)
        self._for_loop = self._free.pop()
        self._for_loop.settimeout(0)

    def lend(self) -> socket.socket | None:
        """Give away the connection that is for an event loop, if it is here."""
        with self._lock:
            connection, self._for_loop = self._for_loop, None
            return connection

    def ask(self, questions: Sequence[Question]) -> Sequence[bool] | None:
        """Return what holds, or None where it has enough to do; raises `OSError`."""
        with self._lock:
            if not self._free:
                return None
            connection = self._free.pop()
        try:
            connection.sendall(pack(questions))
            answers = receive(connection, len(questions))
        except OSError:
            connection.close()
            raise
        with self._lock:
            if self._has_ended:
                connection.close()
            else:
                self._free.append(connection)
        return [one == HOLDS for one in answers]

    def end(self) -> None:
        """End it at once: it has nothing to lose, and who waits for it hears so."""
        self._process.kill()
        self._process.wait()
        with self._lock:
            self._has_ended = True
            for connection in (*self._free, self._for_loop):
                if connection is not None:
                    connection.close()
            self._free.clear()
            self._for_loop = None
