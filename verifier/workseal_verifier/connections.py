"""HTTP/1.1 connections with the deadlines and the bound that uvicorn lacks.

Rules: a connection that does not finish its request's header in time is closed, one whose answers
are not read, and one that goes on sending a body after its answer. Beyond the bound, the connection
that has waited longest without a request gives way to the new one: who is slow on purpose waits
longest. No access log, no addresses in any log.
"""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from workseal_verifier.api.problems import MEDIA, PREFIX, TABLE
from workseal_verifier.errors import Reason

# What of a body may still come after its answer: a client that was refused early finishes sending.
REST_BYTES: Final = 1 << 20
# What waits here of an answer that nobody reads, beside what the system holds.
UNREAD_BYTES: Final = 16 * 1024


@dataclass(slots=True)
class Room:
    """The connections of one server, and how long each may take for what."""

    most: int
    header_timeout_s: float
    unread_timeout_s: float
    # Connections without a request, the one that has waited longest first.
    waiting: "OrderedDict[_GuardedProtocol, None]" = field(default_factory=OrderedDict)


def protocol_of(room: Room) -> type[asyncio.Protocol]:
    """Make the protocol of one server."""

    class Guarded(_GuardedProtocol):
        pass

    Guarded.room = room
    return Guarded


class _GuardedProtocol(H11Protocol):
    """One connection."""

    room: Room
    _header_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    _rest = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # uvicorn's own switch forgets loggers above: one handler at the root brings it back.
        self.access_log = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=UNREAD_BYTES)
        if len(self.connections) > self.room.most and not self._make_room():
            self._answer(Reason.BUSY, "too many connections")
            return
        self.room.waiting[self] = None
        self._watch_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        self._stop_waiting()
        self.room.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_answered_early():
            self._rest += len(data)
            if self._rest > REST_BYTES:
                self.transport.abort()
                return
        super().data_received(data)
        if self._is_busy():
            self.room.waiting.pop(self, None)
        # IDLE with bytes at hand: a header has begun and is not complete.
        begun = self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]
        if begun or self._is_answered_early():
            self._watch_header()
        elif self.cycle is not None:
            # A whole request is in, or nothing of the next one.
            self._stop_watching()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() or self._is_busy():
            return
        self.room.waiting[self] = None
        if self._is_answered_early():
            self._rest = 0
            self._watch_header()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread_timer is None:
            wait = self.room.unread_timeout_s
            self._unread_timer = self.loop.call_later(wait, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_waiting()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not ours
        self._answer(Reason.MALFORMED, "this is not a request in HTTP/1.1")

    def give_way(self) -> None:
        """End a connection that waits, for another one."""
        self.room.waiting.pop(self, None)
        if self._header_timer is None:
            # Nothing was asked since the last answer: there is nobody to tell.
            self.transport.close()
        else:
            self._answer(Reason.BUSY, "too many connections")

    def _make_room(self) -> bool:
        longest = next(iter(self.room.waiting), None)
        if longest is None:
            return False
        longest.give_way()
        return True

    def _is_busy(self) -> bool:
        """Tell whether a request is being worked on."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _is_answered_early(self) -> bool:
        """Tell whether the answer is out and the request's body is not all in."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def _watch_header(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self.room.header_timeout_s, self._expired)

    def _stop_watching(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_waiting(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _expired(self) -> None:
        self._header_timer = None
        if self.transport.is_closing():
            return
        if self._is_answered_early():
            self.transport.abort()
        else:
            self._answer(Reason.TIMEOUT, "the request's header arrived too slowly")

    def _answer(self, reason: Reason, detail: str) -> None:
        """Answer below the application, where there may be no request yet, and close."""
        self._stop_watching()
        status, title = TABLE[reason]
        members = {"type": PREFIX + reason, "title": title, "status": status, "detail": detail}
        body = json.dumps(members).encode()
        lines = (
            f"HTTP/1.1 {status} {reason}",
            f"content-type: {MEDIA}",
            f"content-length: {len(body)}",
            "cache-control: no-store",
            "connection: close",
        )
        self.transport.write("\r\n".join((*lines, "", "")).encode() + body)
        self.transport.close()
