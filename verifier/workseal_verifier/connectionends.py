"""How a connection ends: by a deadline, by an answer below the application, or for another one.

Rules: what ends a connection by an answer ends our side of it first, and what still comes is read
and thrown away, to a bound: a close with bytes unread takes the answer from the peer's hands. What
would be taken for another request's answer is not sent. No access log, no addresses in any log.
"""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto, unique
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from workseal_verifier.api.problems import MEDIA, PREFIX, TABLE
from workseal_verifier.api.together import Together
from workseal_verifier.api.values import PRIVATE
from workseal_verifier.errors import Reason

# What may still come after an answer: many clients look for one only when all of their body is
# sent. Eight times the largest body of statements, so that it reaches who is a few times above it;
# to read and drop as much takes some milliseconds, and no memory.
REST_BYTES: Final = 8 << 20


@unique
class Reading(Enum):
    """What of a request arrives."""

    NOTHING = auto()
    HEADER = auto()
    BODY = auto()
    # Whatever comes after our side has ended.
    REST = auto()


@dataclass(slots=True)
class Room:
    """The connections of one server, and how long each may take for what."""

    most: int
    header_timeout_s: float
    unread_timeout_s: float
    # Answers some requests that came in one piece, without a task of their own.
    together: Together
    # Connections without a request, the one that has waited longest first.
    waiting: "OrderedDict[EndingProtocol, None]" = field(default_factory=OrderedDict)


class EndingProtocol(HttpToolsProtocol):
    """One connection, as far as it is about its end; whoever derives from it tells what arrives."""

    room: Room
    reading = Reading.NOTHING
    _header_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    # What came after our side has ended.
    _rest = 0
    # Whether the peer has ended its side.
    _heard_all = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Requests that may still be owed an answer, in their order.
        self._unanswered: list[RequestResponseCycle] = []

    def pause_writing(self) -> None:
        """Begin to wait until what is written is read."""
        super().pause_writing()
        if self._unread_timer is None:
            wait = self.room.unread_timeout_s
            self._unread_timer = self.loop.call_later(wait, self._abort)

    def resume_writing(self) -> None:
        """End that wait."""
        self._stop_waiting()
        super().resume_writing()

    def give_way(self) -> None:
        """End a connection that waits, for another one."""
        self.room.waiting.pop(self, None)
        if self._is_answered_early():
            self._abort()
        elif self._header_timer is None:
            # Nothing was asked since the last answer: there is nobody to tell.
            self.transport.close()
        else:
            self._give_up()

    def _is_busy(self) -> bool:
        """Tell whether a request is being worked on."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _is_answered_early(self) -> bool:
        """Tell whether the last answer is out, and what of its request may come is for nobody."""
        return self.reading in {Reading.BODY, Reading.REST} and not self._is_busy()

    def _is_ended(self) -> bool:
        """Tell whether our side has ended."""
        return self.reading is Reading.REST

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

    def _refuse(self, detail: str) -> None:
        """Answer what is not in form, unless it would be taken for another request's answer."""
        owed = self._is_busy() and (self.reading is not Reading.BODY or bool(self.pipeline))
        if owed or (self._is_busy() and self.cycle.response_started):
            self._abort()
        else:
            self._answer(Reason.MALFORMED, detail)

    def _expired(self) -> None:
        self._header_timer = None
        if self.transport.is_closing():
            return
        if self._is_busy() or self._unread_timer is not None:
            # An earlier answer is slow, or slowly read; what follows it can wait as long.
            self._watch_header()
            return
        if self._is_answered_early():
            self._abort()
        else:
            self._answer(Reason.TIMEOUT, "the request's header arrived too slowly")

    def _abort(self) -> None:
        """End the connection at once."""
        self._drop_answers()
        self.transport.abort()

    def _drop_answers(self) -> None:
        """Let what the application still sends go nowhere: a closed transport would raise."""
        # uvicorn keeps the newest request at hand; the one that is worked on may be an earlier one.
        for cycle in self._unanswered:
            cycle.disconnected = True
            # Who waits for a body hears of it now.
            cycle.message_event.set()

    def _answer(self, reason: Reason, detail: str) -> None:
        """Answer below the application, where there may be no request yet, and end."""
        self._tell(reason, detail)
        self._end()

    def _give_up(self) -> None:
        """Make room: the answer may be lost, as whatever waits for it would need a place."""
        self._tell(Reason.BUSY, "too many connections")
        self.transport.close()

    def _tell(self, reason: Reason, detail: str) -> None:
        self._stop_watching()
        self._drop_answers()
        status, title = TABLE[reason]
        members = {"type": PREFIX + reason, "title": title, "status": status, "detail": detail}
        body = json.dumps(members).encode()
        lines = (
            f"HTTP/1.1 {status} {reason}",
            f"content-type: {MEDIA}",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in PRIVATE.items()),
            "connection: close",
        )
        self.transport.write("\r\n".join((*lines, "", "")).encode() + body)

    def _end(self) -> None:
        """End our side after what was written; the peer's has the time of a header to end."""
        self._drop_answers()
        self.pipeline.clear()
        if self._heard_all or self.transport.is_closing():
            self.transport.close()
            return
        self.reading, self._rest = Reading.REST, 0
        self.cycle = None  # type: ignore[assignment]
        self.room.waiting[self] = None
        self._stop_watching()
        self._watch_header()
        self.transport.write_eof()
        self.flow.resume_reading()
