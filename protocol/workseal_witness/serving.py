"""A witness over HTTP/1.1: two addresses, everything bounded in bytes and time.

    POST /add-checkpoint            a request of c2sp.org/tlog-witness
    GET  /<sha256 of origin>/checkpoint

Rules: one deadline for a whole request, header and body together, however it drips. Beyond the
bound of connections, the one that has waited longest for a whole request gives way to the new one:
who is slow on purpose waits longest. Where none waits, the new one is told so and closed. Nothing
about who asks is kept or logged. The protocol of HTTP is `h11`'s, which decides what a request is;
here are only sockets and deadlines.
"""

import asyncio
import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import h11

from workseal_protocol.witness import MAX_REQUEST_BYTES
from workseal_witness.errors import HomeError, WitnessError
from workseal_witness.witness import NOT_NOW, TEXT, Answer, Witness

_logger = logging.getLogger(__name__)

_ADD = "/add-checkpoint"
_NEWEST = re.compile(r"/[0-9a-f]{64}/checkpoint")
_MAX_HEADER = 16_384
_PIECE = 65_536
_BACKLOG = 128
_TOO_LARGE = Answer(413, f"a request has at most {MAX_REQUEST_BYTES} bytes\n".encode())
_TOO_SLOW = Answer(408, b"the request arrived too slowly\n")
_TOO_MANY = Answer(NOT_NOW, b"too many connections\n")
_NOTHING = Answer(404, b"there is nothing here\n")
_OTHER_METHOD = Answer(405, b"this address knows another method\n")
_MISTAKE = Answer(500, b"the witness made a mistake\n")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited, and for how many."""

    # For the next request of a connection to begin.
    idle_s: float = 60.0
    # For a whole request, and for an answer to be taken.
    request_s: float = 20.0
    connections: int = 128


def bind(host: str, port: int) -> socket.socket:
    """Bind the listening socket, or raise `HomeError` with one sentence."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # create_server adds the address to its text; the resolver's numbers are not the system's.
        number = error.errno or 0
        reason = (os.strerror(number) if number > 0 else str(error.strerror)).lower()
        raise HomeError(f"cannot listen on {host} port {port}: {reason}") from error


class Server:
    """Serve one witness on a bound socket until `stop`."""

    def __init__(
        self, witness: Witness, listener: socket.socket, limits: Limits | None = None
    ) -> None:
        self._witness = witness
        self._listener = listener
        self._limits = limits or Limits()
        self._stopping = threading.Event()
        self._wake: Callable[[], object] = bool
        self._tasks: set[asyncio.Task[None]] = set()
        # Those that wait for a whole request, the longest first.
        self._waiting: dict[asyncio.Task[None], None] = {}

    def run(self, announce: Callable[[], None] = lambda: None) -> None:
        """Serve in this thread; `announce` is called when requests are answered."""
        asyncio.run(self._run(announce))

    def stop(self) -> None:
        """End `run`, from any thread or a signal handler.

        An answer may be lost with its connection: the log asks again, and gets the same.
        """
        self._stopping.set()
        self._wake()

    async def _run(self, announce: Callable[[], None]) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.is_closed() or loop.call_soon_threadsafe(end.set)
        server = await asyncio.start_server(self._accept, sock=self._listener)
        async with server:
            announce()
            if not self._stopping.is_set():
                await end.wait()
            server.close()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._tasks.add(task)
        line = _Line(reader, writer, self._limits)
        try:
            if len(self._tasks) > self._limits.connections and not self._make_room():
                await line.send(_TOO_MANY, last=True)
            else:
                await self._talk(line, task)
        except (OSError, asyncio.CancelledError):
            # Gone, or it does not take its answer (a TimeoutError is an OSError), or we stop.
            pass
        finally:
            await line.close()
            self._tasks.discard(task)

    def _make_room(self) -> bool:
        """End the connection that has waited longest for a whole request, if one does."""
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        del self._waiting[longest]
        longest.cancel()
        return True

    async def _talk(self, line: "_Line", task: "asyncio.Task[None]") -> None:
        while True:
            self._waiting[task] = None
            try:
                request = await line.receive()
            except h11.RemoteProtocolError as error:
                why = b"this is not a request in HTTP/1.1\n"
                return await line.send(Answer(error.error_status_hint, why), last=True)
            finally:
                self._waiting.pop(task, None)
            if request is None:
                return None
            if isinstance(request, Answer):
                return await line.send(request, last=True)
            await line.send(await asyncio.to_thread(self._answer, request))
            if not line.next():
                return None

    def _answer(self, request: "_Request") -> Answer:
        try:
            return self._routed(request)
        except WitnessError as error:
            _logger.error("nothing is shown: %s", error)  # noqa: TRY400 - no traces
            return Answer(NOT_NOW, b"the witness cannot answer now\n")
        except Exception as error:  # noqa: BLE001 - the edge of the request
            _logger.error("a request failed: %s", type(error).__name__)  # noqa: TRY400
            return _MISTAKE

    def _routed(self, request: "_Request") -> Answer:
        if request.path == _ADD:
            if request.method != "POST":
                return _OTHER_METHOD
            return self._witness.add_checkpoint(request.body)
        if _NEWEST.fullmatch(request.path) is None:
            return _NOTHING
        if request.method != "GET":
            return _OTHER_METHOD
        found = self._witness.newest(request.path)
        return _NOTHING if found is None else Answer(200, found, TEXT)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    body: bytes


class _Line:
    """One connection: whole requests in, whole answers out, each before its deadline."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEADER)
        self._is_head = False

    async def receive(self) -> _Request | Answer | None:
        """Return a whole request, or what to answer in its place; None when none will come."""
        try:
            if not self._http.trailing_data[0]:
                async with asyncio.timeout(self._limits.idle_s):
                    self._http.receive_data(await self._reader.read(_PIECE))
        except TimeoutError:
            return None
        try:
            async with asyncio.timeout(self._limits.request_s):
                return await self._whole()
        except TimeoutError:
            return _TOO_SLOW

    async def send(self, answer: Answer, *, last: bool = False) -> None:
        """Send an answer; `last` says that the connection ends with it."""
        headers = [
            ("content-type", answer.media),
            ("content-length", str(len(answer.body))),
            *([("connection", "close")] if last else []),
        ]
        head = h11.Response(status_code=answer.status, headers=headers)
        # To HEAD, h11 lets the head go out and refuses a body.
        events = (head, h11.Data(data=b"" if self._is_head else answer.body), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        async with asyncio.timeout(self._limits.request_s):
            await self._writer.drain()

    def next(self) -> bool:
        """Make ready for another request; tell whether this connection may have one."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def close(self) -> None:
        """Close the connection, with what is unsent if it is not taken in time."""
        self._writer.close()
        try:
            async with asyncio.timeout(self._limits.request_s):
                await self._writer.wait_closed()
        except (OSError, asyncio.CancelledError):
            self._writer.transport.abort()

    async def _whole(self) -> _Request | Answer | None:
        head, body = None, bytearray()
        while True:
            event = await self._event()
            if isinstance(event, h11.Request):
                head = event
                self._is_head = event.method == b"HEAD"
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_REQUEST_BYTES:
                    return _TOO_LARGE
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                path = head.target.partition(b"?")[0].decode("ascii")
                return _Request(head.method.decode("ascii"), path, bytes(body))
            else:
                return None

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                self._writer.write(self._http.send(go_on) or b"")
            self._http.receive_data(await self._reader.read(_PIECE))
        return event
