"""HTTP/1.1 connections with the deadlines and the bounds that uvicorn lacks.

Rules: what ends a connection by an answer ends our side of it first, and what still comes is read
and thrown away, to a bound: a close with bytes unread takes the answer from the peer's hands. A
connection that does not finish its request's header in time is closed, one whose answers
are not read, and one that goes on sending a body after its answer; so is one whose header, or whose
chunks beside what they hold, are too large. Beyond the bound, the connection that has waited
longest without a request gives way to the new one: who is slow on purpose waits longest. No access
log, no addresses in any log.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto, unique
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from workseal_verifier.api.problems import MEDIA, PREFIX, TABLE
from workseal_verifier.api.together import Together
from workseal_verifier.api.whole import WholeRequest
from workseal_verifier.errors import Reason
from workseal_verifier.requestform import MAX_HEADER, check_header, check_line, header_size

if TYPE_CHECKING:
    from starlette.types import Scope

_logger = logging.getLogger(__name__)
_logger.setLevel(logging.ERROR)

# What may still come after an answer: many clients look for one only when all of their body is
# sent. Eight times the largest body of statements, so that it reaches who is a few times above it;
# to read and drop as much takes some milliseconds, and no memory.
REST_BYTES: Final = 8 << 20
# What waits here of an answer that nobody reads, beside what the system holds.
UNREAD_BYTES: Final = 16 * 1024
# What chunks may hold beside the body: their sizes, and trailers that nobody asks for. Above this,
# no more than the body itself has.
MAX_FRAMING: Final = 64 * 1024
# Requests that one connection may send before the answer to an earlier one: one piece of what
# arrives can hold thousands, and what is kept of each takes some KiB. Few clients send even two.
MAX_PIPELINED: Final = 8


@unique
class _Reading(Enum):
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
    waiting: "OrderedDict[_GuardedProtocol, None]" = field(default_factory=OrderedDict)


def protocol_of(room: Room) -> type[asyncio.Protocol]:
    """Make the protocol of one server."""

    class Guarded(_GuardedProtocol):
        pass

    Guarded.room = room
    return Guarded


class _GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    room: Room
    _reading = _Reading.NOTHING
    # Whether the piece that arrives holds the end of a request.
    _ended = False
    # Of the request that arrives: its body's bytes, those of this piece, and all others.
    _body = 0
    _body_here = 0
    _others = 0
    # What arrived, from some byte before the header that is being read.
    _heard = b""
    _header_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    _rest = 0
    # Whether the newest request is the last that is taken.
    _last = False
    # Whether the peer has ended its side.
    _heard_all = False
    # A request that may be answered without a task, if the piece that arrives ends it.
    _held: "tuple[RequestResponseCycle, ASGI3Application] | None" = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._unanswered: list[RequestResponseCycle] = []
        # Mistakes of ours alone: whoever sends what is no HTTP could else fill the log.
        self.logger = _logger
        # uvicorn's own switch forgets loggers above: one handler at the root brings it back.
        self.access_log = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # What answers are written to: they end the connection as we do, and not at once.
        self._outlet = SimpleNamespace(
            write=transport.write, is_closing=transport.is_closing, close=self._end
        )
        transport.set_write_buffer_limits(high=UNREAD_BYTES)
        if len(self.connections) > self.room.most and not self._make_room():
            self._give_up()
            return
        self.room.waiting[self] = None
        self._watch_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._drop_answers()
        self._stop_watching()
        self._stop_waiting()
        self.room.waiting.pop(self, None)
        # Else it and the connection would keep each other, until the collector comes.
        self._outlet.close = self.transport.close
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep a connection that asks no more for the answers to what it has asked."""
        self._heard_all = True
        if not self._is_busy() or self._reading is _Reading.BODY:
            return False
        self._take_no_more()
        return True

    def data_received(self, data: bytes) -> None:
        if self._is_answered_early():
            self._rest += len(data)
            if self._rest > REST_BYTES:
                self._abort()
                return
        if self._is_ended():
            return
        if self._is_over():
            self.flow.pause_reading()
            return
        self._ended = False
        self._body_here = 0
        self._heard += data
        super().data_received(data)
        if self._held is not None:
            self._start(*self._held)
        # Any header that is longer is refused.
        self._heard = self._heard[-MAX_HEADER:] if self._reading is _Reading.HEADER else b""
        if self.transport.is_closing() or self._is_ended():
            return
        if self._is_busy():
            self.room.waiting.pop(self, None)
        if self._reading is not _Reading.NOTHING:
            # Where another request ended in this piece, only what was read of a header counts.
            self._others += 0 if self._ended else len(data) - self._body_here
            self._require_bounds()
        elif not self._is_busy():
            self._watch_between()

    def on_message_begin(self) -> None:
        if self._is_over():
            raise ValueError("expected no request after the last")
        super().on_message_begin()
        self._reading, self._body, self._others = _Reading.HEADER, 0, 0
        self._watch_header()

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        # What is raised here, the parser makes a request that is not in its form.
        check_line(version, self.parser.get_method(), self.url, self._heard)
        check_header(version, self.url, self.headers)
        if version == "1.0":
            # RFC 9110, section 10.1.1: who speaks it does not wait, and would not understand.
            self.expect_100_continue = False
        super().on_headers_complete()
        # The parser gives trailers as it gave the header; the request's own list has none of them.
        self.headers = []
        self._unanswered = [one for one in self._unanswered if not one.response_complete]
        self._unanswered.append(self.cycle)
        self.cycle.transport = self._outlet  # type: ignore[assignment]
        self._reading = _Reading.BODY
        self._stop_watching()
        # The parser reads nothing after an upgrade.
        if self.parser.should_upgrade() or len(self._unanswered) >= MAX_PIPELINED:
            self._take_no_more()
        self._last = not self.cycle.keep_alive

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        self._body_here += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading, self._ended = _Reading.NOTHING, True
        super().on_message_complete()
        if self._held is not None:
            self._take_whole(*self._held)

    def on_response_complete(self) -> None:
        if self._is_ended():
            return
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._is_busy():
            # uvicorn reads on after each answer, whatever still waits for one.
            if self.pipeline:
                self.flow.pause_reading()
            return
        self.room.waiting[self] = None
        if self._is_answered_early():
            self._rest = 0
            self._watch_header()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if not self.room.together.takes(cast("Scope", cycle.scope)):
            self._start(cycle, app)
        elif cycle.more_body:
            self._held = (cycle, app)
        else:
            self._take_whole(cycle, app)

    def _take_whole(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._held = None
        start = partial(self._start, cycle, app)
        self.room.together.take(WholeRequest(cycle, start, self.tasks))

    def _start(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Have the application answer a request in a task."""
        self._held = None
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread_timer is None:
            wait = self.room.unread_timeout_s
            self._unread_timer = self.loop.call_later(wait, self._abort)

    def resume_writing(self) -> None:
        self._stop_waiting()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not ours
        if self._is_over():
            # Whatever it is, nobody asked for more: the system keeps it until the last answer.
            self.flow.pause_reading()
        else:
            self._refuse("this is not a request in HTTP/1.1")

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
        """Tell whether the last answer is out, and what of its request may come is for nobody."""
        return self._reading in {_Reading.BODY, _Reading.REST} and not self._is_busy()

    def _is_ended(self) -> bool:
        """Tell whether our side has ended."""
        return self._reading is _Reading.REST

    def _is_over(self) -> bool:
        """Tell whether the last request that is taken is all in."""
        return self._last and self._reading is _Reading.NOTHING

    def _take_no_more(self) -> None:
        """Answer the newest request as the connection's last."""
        self._last = True
        self.cycle.keep_alive = False

    def _require_bounds(self) -> None:
        """Refuse a header that is too large before it ends, and chunks that hold little."""
        if self._reading is _Reading.HEADER:
            if max(self._others, header_size(self.url, self.headers)) > MAX_HEADER:
                self._refuse("the request's header is too large")
        elif self._others > MAX_HEADER + MAX_FRAMING + self._body:
            self._refuse("the request's chunks hold too little")

    def _watch_between(self) -> None:
        """Set a deadline for whatever comes where no request is being read or worked on."""
        if not self._ended:
            # Empty lines: not yet a header, and held as one.
            self._watch_header()
            return
        self._stop_watching()
        if self.timeout_keep_alive_task is None:
            # The rest of a body that was answered before: uvicorn thinks of none there.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

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
        owed = self._is_busy() and (self._reading is not _Reading.BODY or bool(self.pipeline))
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
            "cache-control: no-store",
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
        self._reading, self._rest = _Reading.REST, 0
        self.cycle = None  # type: ignore[assignment]
        self.room.waiting[self] = None
        self._stop_watching()
        self._watch_header()
        self.transport.write_eof()
        self.flow.resume_reading()
