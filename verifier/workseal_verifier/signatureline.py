"""An event loop's own connection to a process that checks signatures: it asks and never waits.

Rules: answers come in the order of the questions. When the process ends, or says nothing for too
long, every batch that it owes an answer hears so, each once.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, cast

from workseal_verifier.signatureprocess import HOLDS, Question, pack

# Some hundred times what the slowest batch takes.
ANSWER_S: Final = 10.0
# One that is being checked, and one that lies there when it is.
_MOST: Final = 2

# Told what holds, None where nobody has checked it.
Hear: TypeAlias = Callable[[Sequence[bool] | None], None]


class SignatureLine(asyncio.Protocol):
    """One connection; for the thread of its loop."""

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self._owed: deque[tuple[int, float, Hear]] = deque()
        self._answers = b""
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def is_open(self) -> bool:
        """Tell whether questions may be put."""
        return self._transport is not None

    @property
    def is_busy(self) -> bool:
        """Tell whether it has enough to do."""
        return len(self._owed) >= _MOST

    def ask(self, questions: Sequence[Question], hear: Hear) -> None:
        """Put questions; what holds is told to `hear` later."""
        if self._transport is None:
            raise ConnectionError("this line is not open")
        self._owed.append((len(questions), self._loop.time(), hear))
        if self._watch is None:
            self._watch = self._loop.call_later(ANSWER_S, self._look)
        self._transport.write(pack(questions))

    def close(self) -> None:
        """End the connection, and the process with it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take questions from now on."""
        # Of a connection; what uvloop gives is of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Tell who asked."""
        self._answers += data
        while self._owed and len(self._answers) >= self._owed[0][0]:
            count, _, hear = self._owed.popleft()
            answers, self._answers = self._answers[:count], self._answers[count:]
            hear([one == HOLDS for one in answers])

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell whoever is owed an answer that there is none."""
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._lost()
        while self._owed:
            self._owed.popleft()[2](None)

    def _look(self) -> None:
        """End a process that owes an answer for too long."""
        self._watch = None
        if not self._owed or self._transport is None:
            return
        left = self._owed[0][1] + ANSWER_S - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self._transport.abort()


async def connect(connection: socket.socket, lost: Callable[[], None]) -> SignatureLine:
    """Take a connection over, which is closed with the line."""
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: SignatureLine(lost), sock=connection)
    return line
