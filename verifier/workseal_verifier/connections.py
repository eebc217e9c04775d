"""HTTP/1.1 connections with the deadlines and the bounds that uvicorn lacks.

Rules: a connection that does not finish its request's header in time is closed, one whose answers
are not read, and one that goes on sending a body after its answer; so is one whose header, or whose
chunks beside what they hold, are too large. Beyond the bound, the connection that has waited
longest without a request gives way to the new one: who is slow on purpose waits longest. How each
of them ends is told in `connectionends`.
"""

import asyncio
import logging
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from workseal_verifier.api.whole import WholeRequest
from workseal_verifier.connectionends import REST_BYTES, EndingProtocol, Reading, Room
from workseal_verifier.requestform import MAX_HEADER, check_header, check_line, header_size

if TYPE_CHECKING:
    from starlette.types import Scope

_logger = logging.getLogger(__name__)
_logger.setLevel(logging.ERROR)

# What waits here of an answer that nobody reads, beside what the system holds.
UNREAD_BYTES: Final = 16 * 1024
# What chunks may hold beside the body: their sizes, and trailers that nobody asks for. Above this,
# no more than the body itself has.
MAX_FRAMING: Final = 64 * 1024
# Requests that one connection may send before the answer to an earlier one: one piece of what
# arrives can hold thousands, and what is kept of each takes some KiB. Few clients send even two.
MAX_PIPELINED: Final = 8


def protocol_of(room: Room) -> type[asyncio.Protocol]:
    """Make the protocol of one server."""

    class Guarded(_GuardedProtocol):
        pass

    Guarded.room = room
    return Guarded


class _GuardedProtocol(EndingProtocol):
    """One connection."""

    # Whether the piece that arrives holds the end of a request.
    _ended = False
    # Of the request that arrives: its body's bytes, those of this piece, and all others.
    _body = 0
    _body_here = 0
    _others = 0
    # What arrived, from some byte before the header that is being read.
    _heard = b""
    # Whether the newest request is the last that is taken.
    _last = False
    # A request that may be answered without a task, if the piece that arrives ends it.
    _held: "tuple[RequestResponseCycle, ASGI3Application] | None" = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
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
        if not self._is_busy() or self.reading is Reading.BODY:
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
        self._heard = self._heard[-MAX_HEADER:] if self.reading is Reading.HEADER else b""
        if self.transport.is_closing() or self._is_ended():
            return
        if self._is_busy():
            self.room.waiting.pop(self, None)
        if self.reading is not Reading.NOTHING:
            # Where another request ended in this piece, only what was read of a header counts.
            self._others += 0 if self._ended else len(data) - self._body_here
            self._require_bounds()
        elif not self._is_busy():
            self._watch_between()

    def on_message_begin(self) -> None:
        if self._is_over():
            raise ValueError("expected no request after the last")
        super().on_message_begin()
        self.reading, self._body, self._others = Reading.HEADER, 0, 0
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
        self.reading = Reading.BODY
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
        self.reading, self._ended = Reading.NOTHING, True
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

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not ours
        if self._is_over():
            # Whatever it is, nobody asked for more: the system keeps it until the last answer.
            self.flow.pause_reading()
        else:
            self._refuse("this is not a request in HTTP/1.1")

    def _make_room(self) -> bool:
        longest = next(iter(self.room.waiting), None)
        if longest is None:
            return False
        longest.give_way()
        return True

    def _is_over(self) -> bool:
        """Tell whether the last request that is taken is all in."""
        return self._last and self.reading is Reading.NOTHING

    def _take_no_more(self) -> None:
        """Answer the newest request as the connection's last."""
        self._last = True
        self.cycle.keep_alive = False

    def _require_bounds(self) -> None:
        """Refuse a header that is too large before it ends, and chunks that hold little."""
        if self.reading is Reading.HEADER:
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
