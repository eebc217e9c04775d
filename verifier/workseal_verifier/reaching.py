"""Reach another server with one deadline over everything: its name, the connection, the exchange.

Rules: the system's resolver has no deadline and cannot be stopped, so each name is looked up in a
thread of its own, of which there are few; who waits leaves it behind. A name that is being looked
up is not looked up twice, so a stuck one holds one thread. A socket's own timeout is for each step;
here the connection itself is cut when the whole has taken too long.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

# That are looked up at once, and addresses of one name that are tried.
_MOST_NAMES: Final = 16
_MOST_ADDRESSES: Final = 4

Address = tuple[str, int]
Judge = Callable[[Sequence[str]], None]


class Deadline:
    """Know when something has to be over; `left` raises `TimeoutError` after that."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return what is left, in seconds."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left


class Resolver:
    """Look names up, so many at once."""

    def __init__(self, most: int = _MOST_NAMES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._running: dict[Address, Future[list[str]]] = {}

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[str]:
        """Return the addresses of a name in the system's order, or raise `OSError`."""
        name = (host, port)
        with self._lock:
            found = self._running.get(name)
            if found is None:
                if len(self._running) >= self._most:
                    raise OSError("too many names are being looked up")
                found = Future()
                # A daemon: one that is stuck must not keep the server from ending.
                thread = threading.Thread(
                    target=self._look, args=(name, found), name="resolver", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError as error:
                    raise OSError("this machine has no thread left to look a name up") from error
                # After it: what runs nowhere is waited for by nobody. It ends under this lock.
                self._running[name] = found
        return found.result(deadline.left())

    def _look(self, name: Address, found: Future[list[str]]) -> None:
        host, port = name
        try:
            told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [str(one[4][0]).partition("%")[0] for one in told]
        except Exception as error:  # noqa: BLE001 - the one who waits raises it
            self._forget(name)
            found.set_exception(error)
        else:
            self._forget(name)
            found.set_result(list(dict.fromkeys(addresses)))

    def _forget(self, name: Address) -> None:
        with self._lock:
            del self._running[name]


# One for all webhooks that this process tells: its threads are counted together.
SHARED: Final = Resolver()


def connect(
    host: str,
    port: int,
    deadline: Deadline,
    *,
    judge: Judge | None = None,
    resolver: Resolver = SHARED,
) -> socket.socket:
    """Connect to one of the addresses of a name, or raise `OSError`.

    `judge` raises for addresses that may not be reached; it sees all of them, and only what it saw
    is connected to.
    """
    addresses = resolver.addresses(host, port, deadline)
    if judge is not None:
        judge(addresses)
    failure: OSError = OSError("the name has no address")
    for rest, place in reversed(list(enumerate(reversed(addresses[:_MOST_ADDRESSES]), 1))):
        try:
            # What answers nothing leaves the others their part of the time.
            made = socket.create_connection((place, port), timeout=deadline.left() / rest)
        except OSError as error:
            failure = error
        else:
            made.settimeout(deadline.left())
            return made
    raise failure


@contextmanager
def cutting(connection: socket.socket, deadline: Deadline) -> Iterator[None]:
    """Cut a connection when the deadline has passed, whatever waits for it."""
    with connection.dup() as handle:
        timer = threading.Timer(deadline.left(), _cut, (handle,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            # From here on it touches nothing.
            timer.join()


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
