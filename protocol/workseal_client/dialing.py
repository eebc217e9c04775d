"""Connect to a name that has several addresses, some of which may lead nowhere.

Rule: no address is waited out before the next one is tried. A network that promises IPv6 and drops
it would cost each exchange the whole time of a connect, and each round its value; so the next
address is begun a moment after the last, the families by turns (RFC 8305), and the first that
answers is used.
"""

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Any

# What RFC 8305 recommends between two attempts.
_BETWEEN_SECONDS = 0.25
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})

Place = tuple[int, int, int, Any]


def dial(host: str, port: int, seconds: float) -> socket.socket:
    """Return a connection that was made within so many seconds; raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    dialing = _Dialing((family, kind, number, at) for family, kind, number, _, at in found)
    try:
        return dialing.first(time.monotonic() + seconds)
    finally:
        dialing.close()


class _Dialing:
    """Hold the addresses that are left and the attempts that run."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._left = deque(_by_turns(places))
        self._running = selectors.DefaultSelector()
        self._next = 0.0
        self._error = OSError("the name has no address")

    def first(self, end: float) -> socket.socket:
        """Return the first connection that is made before an instant of the monotonic clock."""
        while self._left or self._running.get_map():
            now = time.monotonic()
            if now >= end:
                raise TimeoutError
            if self._left and now >= self._next:
                self._begin(now)
                continue
            until = min(end, self._next) if self._left else end
            for key, _ in self._running.select(until - now):
                if (made := self._made(key)) is not None:
                    return made
        raise self._error

    def close(self) -> None:
        """Give up what still runs."""
        for key in list((self._running.get_map() or {}).values()):
            self._ended(key).close()
        self._running.close()

    def _begin(self, now: float) -> None:
        family, kind, number, at = self._left.popleft()
        try:
            begun = socket.socket(family, kind, number)
        except OSError as error:
            self._error = error
            return
        begun.settimeout(0)
        code = begun.connect_ex(at)
        if code not in _UNDER_WAY:
            # No way leads there at all: an address of IPv6 on a machine without it.
            self._failed(begun, code)
            return
        self._running.register(begun, selectors.EVENT_WRITE, begun)
        self._next = now + _BETWEEN_SECONDS

    def _made(self, key: selectors.SelectorKey) -> socket.socket | None:
        ended = self._ended(key)
        code = ended.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            return ended
        self._failed(ended, code)
        return None

    def _failed(self, ended: socket.socket, code: int) -> None:
        ended.close()
        self._error = OSError(code, os.strerror(code))
        self._next = 0.0

    def _ended(self, key: selectors.SelectorKey) -> socket.socket:
        self._running.unregister(key.fileobj)
        ended: socket.socket = key.data
        return ended


def _by_turns(places: Iterable[Place]) -> list[Place]:
    """Put the addresses of another family between those of the first one."""
    known = list(places)
    first = [one for one in known if one[0] == known[0][0]]
    other = [one for one in known if one[0] != known[0][0]]
    mixed = chain.from_iterable(zip_longest(first, other))
    return [one for one in mixed if one is not None]
