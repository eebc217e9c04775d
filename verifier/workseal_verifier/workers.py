"""Several worker processes on one listening socket, and the process that looks after them.

Rules: the log is guarded by its database, so any worker may die at any instant; one that does is
started again, later each time. Told to stop, every worker answers what it took, then ends.
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Final

from workseal_verifier import logs
from workseal_verifier.app import create_app
from workseal_verifier.authorities import configured
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError, VerifierError
from workseal_verifier.homelock import supervising
from workseal_verifier.mailroom import Mailroom, RemoteMailbox
from workseal_verifier.running import Verifier, make_mailbox
from workseal_verifier.services.clock import SystemClock
from workseal_verifier.serving import allow_connections, make_server, stopped_by_hangup
from workseal_verifier.store.engine import Database

_logger = logging.getLogger(__name__)

READY: Final = "ready"
# A worker that dies is started again after this, doubled each time, up to the second.
_FIRST_WAIT_S, _LAST_WAIT_S = 0.5, 30.0
# One that ran this long before it died begins again with the first.
_STEADY_S = 60.0
# Longer than a worker takes to answer what it took.
_STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told, in words for its command line."""

    home: Path
    socket: int
    mailroom: Path
    stamp_interval_s: int
    local_tsa_url: str = ""

    def words(self) -> Sequence[str]:
        """Write the command line."""
        return (
            str(self.home),
            str(self.socket),
            str(self.mailroom),
            str(self.stamp_interval_s),
            self.local_tsa_url,
        )

    @classmethod
    def read(cls, words: Sequence[str]) -> "Task":
        """Read it back."""
        home, handle, mailroom, interval, url = words
        return cls(Path(home), int(handle), Path(mailroom), int(interval), url)


class Workers:
    """Keep `count` workers running until a signal says stop."""

    def __init__(
        self,
        task: Task,
        count: int,
        announce: Callable[[], None],
        going: Callable[[], None] = lambda: None,
    ) -> None:
        """`announce` is called when all serve, `going` when no worker is begun any more."""
        self._task = task
        self._slots = [_Slot() for _ in range(count)]
        self._announce = announce
        self._going = going
        # No event: its lock may be the main thread's when the handler comes, in the main thread.
        self._stopping = False
        self._told = False

    def run(self) -> None:
        """Start them, look after them, stop them; raises `ConfigError` when none can start."""
        previous = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            with stopped_by_hangup(self._on_signal):
                for slot in self._slots:
                    slot.start(self._task)
                while not self._stopping:
                    self._look()
                    time.sleep(0.1)
        finally:
            self._end()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _look(self) -> None:
        for slot in self._slots:
            code = slot.ended()
            if code is None:
                continue
            if not slot.was_ready and not self._told:
                raise ConfigError("a worker could not start; its sentence stands above")
            _logger.error("a worker ended with %s; it is started again", code)
            slot.restart(self._task)
        if not self._told and all(slot.was_ready for slot in self._slots):
            self._told = True
            self._announce()

    def _end(self) -> None:
        for slot in self._slots:
            slot.terminate()
        self._going()
        deadline = time.monotonic() + _STOP_S
        for slot in self._slots:
            slot.wait(max(0.0, deadline - time.monotonic()))


class _Slot:
    """One place for a worker."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._wait_s = _FIRST_WAIT_S
        self._begun = 0.0
        self._again_at: float | None = None
        self.was_ready = False

    def start(self, task: Task) -> None:
        self._again_at = None
        self._begun = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - our own module, no foreign words
            [sys.executable, "-m", __name__, *task.words()],
            # Nothing is written: that it ends tells the worker that the supervisor did.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(task.socket,),
            # A terminal's interrupt is for the supervisor, who tells the workers.
            start_new_session=True,
        )
        self._process = process
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is not None and process.stdout.readline().strip() == READY:
            self.was_ready = True

    def ended(self) -> int | None:
        """Return how the worker ended, once; None while it runs or waits to be started again."""
        if self._process is None:
            return None
        return self._process.poll()

    def restart(self, task: Task) -> None:
        """Start again, after a wait that grows."""
        self._close()
        if time.monotonic() - self._begun > _STEADY_S:
            self._wait_s = _FIRST_WAIT_S
        wait, self._wait_s = self._wait_s, min(2 * self._wait_s, _LAST_WAIT_S)
        timer = threading.Timer(wait, self._start_unless_stopped, [task])
        timer.daemon = True
        self._again_at = time.monotonic() + wait
        timer.start()

    def _start_unless_stopped(self, task: Task) -> None:
        if self._again_at is not None:
            self.start(task)

    def terminate(self) -> None:
        self._again_at = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def wait(self, seconds: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        self._process = None


def supervise(
    settings: Settings,
    listener: socket.socket,
    count: int,
    local_tsa_url: str,
    announce: Callable[[], None],
) -> None:
    """Serve one home with several workers until a signal says stop."""
    with supervising(settings.lock):
        # Made here, so that the workers find the tables, and a sentence comes once.
        database = Database(settings.store)
        try:
            database.create()
        finally:
            database.close()
        path = settings.home / "mailroom.sock"
        mailroom = Mailroom(make_mailbox(settings, SystemClock()), path)
        interval = settings.stamp_interval_s
        task = Task(settings.home, listener.fileno(), path, interval, local_tsa_url)
        try:
            # Whoever comes when no worker listens any more is refused, and does not wait for us.
            Workers(task, count, announce, listener.close).run()
        finally:
            mailroom.close()


def settings_of(task: Task) -> Settings:
    """Read a worker's settings, with what its command line and the system say otherwise.

    Each worker has as many files as the system allows one process.
    """
    settings = Settings.load(task.home)
    return replace(
        settings,
        stamp_interval_s=task.stamp_interval_s,
        max_connections=min(settings.max_connections, allow_connections(settings.max_connections)),
    )


def _work(task: Task) -> None:
    settings = settings_of(task)
    logs.configure(settings.log_format, settings.log_level)
    authorities = configured(settings, task.local_tsa_url)
    verifier = Verifier(settings, authorities=authorities, packages=RemoteMailbox(task.mailroom))
    try:
        verifier.open()
        server = make_server(
            create_app(settings, verifier),
            settings,
            lambda: print(READY, flush=True),  # noqa: T201
        )
        server.run(sockets=[socket.socket(fileno=task.socket)])
    finally:
        verifier.close()


def _end_with_supervisor() -> None:
    # Not through the interpreter's own buffer: its lock, held here, would abort the worker's end.
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run one worker."""
    os.umask(0o077)
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    try:
        _work(Task.read(sys.argv[1:]))
    except VerifierError as error:
        sys.stderr.write(f"workseal-verifier: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
