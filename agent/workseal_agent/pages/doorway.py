"""Connections to the local pages, judged before anything is read from them.

Rules: only a program of this user is kept connected, so that nobody else on the machine can fill
the places; who is connected and asks nothing for some seconds goes again. What is asked is judged
by the guard, each time.
"""

import asyncio
from collections import Counter
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from workseal_agent.pages.guard import Denial
from workseal_agent.pages.peer import is_own

# A browser that connects ahead of a click waits less, or connects again.
_HEAD_SECONDS = 10.0


class Doorway(H11Protocol):
    """Read HTTP from a connection that may be here."""

    denied: ClassVar[Counter[Denial]] = Counter()
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep a connection of this user's own programs, and end any other."""
        super().connection_made(transport)
        if not self._is_own():
            self.denied[Denial.OTHER_USER] += 1
            transport.abort()
            return
        self._waiting = self.loop.call_later(_HEAD_SECONDS, self._end_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _is_own(self) -> bool:
        client, server = self.client, self.server
        if client is None or server is None:
            return False
        return is_own(client, (server[0], int(server[1] or 0)))

    def _end_idle(self) -> None:
        begun: object = self.cycle
        if begun is None:
            self.transport.close()


def doorway(denied: Counter[Denial]) -> type[Doorway]:
    """Return the doorway of one server, which counts whom it sent away."""
    return type("Doorway", (Doorway,), {"denied": denied})
