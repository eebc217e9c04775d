"""A request that arrived whole, answered in one piece and without a task of its own.

Rules: what is written is what the application would write. A request may be handed back to the
application at any time before its answer: nothing of it was used up.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from starlette.types import Scope

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_CONNECTION: Final = b"connection"
_CLOSE: Final = b"connection: close\r\n"


class WholeRequest:
    """One request with all of its body; for the thread of its connection's event loop."""

    __slots__ = ("_cycle", "_hand_back", "_tasks", "scope")

    def __init__(
        self,
        cycle: RequestResponseCycle,
        hand_back: Callable[[], None],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._cycle = cycle
        self._hand_back = hand_back
        # What the server waits for before it ends.
        self._tasks = tasks
        self.scope = cast("Scope", cycle.scope)

    @property
    def body(self) -> bytes:
        """The body."""
        return bytes(self._cycle.body)

    def hand_back(self) -> None:
        """Let the application answer it."""
        self._hand_back()

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Write the answer, as soon as the peer has read what was written before."""
        if self._cycle.flow.write_paused:
            task = asyncio.get_running_loop().create_task(self._wait(status, headers, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._write(status, headers, body)

    async def _wait(self, status: int, headers: Headers, body: bytes) -> None:
        await self._cycle.flow.drain()
        self._write(status, headers, body)

    def _write(self, status: int, headers: Headers, body: bytes) -> None:
        cycle = self._cycle
        if cycle.disconnected:
            return
        lines = [STATUS_LINE[status]]
        for name, value in (*cycle.default_headers, *headers):
            if name == _CONNECTION:
                # Nobody here says anything of it but that it ends.
                cycle.keep_alive = False
            else:
                lines += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            lines.append(_CLOSE)
        lines += (b"\r\n", body)
        cycle.response_started = True
        cycle.transport.write(b"".join(lines))
        cycle.response_complete = True
        if not cycle.keep_alive:
            cycle.transport.close()
        told, cycle.on_response = cycle.on_response, _nothing
        told()


def _nothing() -> None:
    """Tell nobody twice."""
