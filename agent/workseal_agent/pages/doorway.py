"""Connections to the local pages, judged before anything is read from them.

Rules: only a program of this user is kept connected, so that nobody else on the machine can fill
the places. There are so many places, and who has asked for nothing leaves theirs to who comes; so a
program of this user cannot fill the memory, and keeps a browser out only while it goes on. Who asks
nothing for some seconds, or stops half-way in asking or in reading, goes again. What is asked is
judged by the guard, each time.
"""

import asyncio
from collections import Counter
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from workseal_agent.pages.guard import Denial
from workseal_agent.pages.peer import Peer, peer_of

# A browser that connects ahead of a click waits less, or connects again; nobody takes as long to
# send a form to the same machine, or to read any of a page.
_HEAD_SECONDS = 10.0
# A browser opens six of a page's kind; this is several windows of several browsers.
_PLACES = 64


class Doorway(H11Protocol):
    """Read HTTP from a connection that may be here."""

    denied: ClassVar[Counter[Denial]] = Counter()
    _watch: asyncio.TimerHandle | None = None
    _since = 0.0
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep a connection of this user's own programs, and end any other."""
        super().connection_made(transport)
        peer = self._peer()
        if peer is not Peer.OWN:
            # What a browser opens ahead and closes again is no other user.
            if peer is Peer.OTHER:
                self.denied[Denial.OTHER_USER] += 1
            transport.abort()
            return
        self._since = self.loop.time()
        self._watch = self.loop.call_later(_HEAD_SECONDS, self._look)
        self._make_place()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._since = self.loop.time()
        super().on_response_complete()

    @property
    def waits(self) -> bool:
        """Say whether nothing was asked yet, or not to its end."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    def _peer(self) -> Peer:
        client, server = self.client, self.server
        if client is None or server is None:
            return Peer.GONE
        return peer_of(client, (server[0], int(server[1] or 0)))

    def _make_place(self) -> None:
        """End who waits without having asked, the longest there first; this one if nobody does."""
        there = [
            one
            for one in self.connections
            if isinstance(one, Doorway) and not one.transport.is_closing()
        ]
        if len(there) <= _PLACES:
            return
        self.denied[Denial.CROWD] += 1
        waiting = (one for one in there if one.waits and one is not self)
        min(waiting, key=Doorway._worth, default=self).transport.abort()

    def _worth(self) -> tuple[bool, float]:
        # Where something was answered, it is more likely the browser.
        return self.cycle is not None, self._since

    def _look(self) -> None:
        """End a connection that waited too long, or whose peer has read nothing since last time."""
        unread = self.transport.get_write_buffer_size()
        if 0 < self._unread <= unread:
            self.transport.abort()
        elif not unread and self.waits and self.loop.time() - self._since >= _HEAD_SECONDS:
            self.transport.close()
        else:
            self._unread = unread
            self._watch = self.loop.call_later(_HEAD_SECONDS, self._look)


def doorway(denied: Counter[Denial]) -> type[Doorway]:
    """Return the doorway of one server, which counts whom it sent away."""
    return type("Doorway", (Doorway,), {"denied": denied})
