"""uvicorn, with the deadlines and the bound on connections that it lacks.

Rules: a connection that does not finish its request's header in time is closed, and one whose
answers are not read; connections beyond the bound are told so and closed; no access log, no
addresses in any log.
"""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from workseal_verifier.api.problems import MEDIA, PREFIX, TABLE
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError, Reason

KEEP_ALIVE_S = 20
_MAX_HEADER = 16_384
_BACKLOG = 512


def bind(host: str, port: int) -> socket.socket:
    """Bind the listening socket, or raise `ConfigError` with one sentence."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # create_server adds the address to its text; the resolver's numbers are not the system's.
        number = error.errno or 0
        reason = (os.strerror(number) if number > 0 else str(error.strerror)).lower()
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}") from error


def make_server(
    app: FastAPI, settings: Settings, announce: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """Make the server of an application; `run(sockets=[...])` serves until a signal says stop.

    `announce` is called when requests are answered, and signals heard.
    """
    config = uvicorn.Config(
        app,
        http=_protocol(settings),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=15,
        h11_max_incomplete_event_size=_MAX_HEADER,
    )
    return _AnnouncedServer(config, announce)


class _AnnouncedServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def _protocol(settings: Settings) -> type[asyncio.Protocol]:
    class Guarded(_GuardedProtocol):
        header_timeout_s = settings.header_timeout_s
        unread_timeout_s = settings.body_timeout_s
        max_connections = settings.max_connections

    return Guarded


class _GuardedProtocol(H11Protocol):
    """HTTP/1.1 with a deadline for each header, and for a reader who does not read."""

    header_timeout_s: float
    unread_timeout_s: float
    max_connections: int
    _header_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # uvicorn's own switch forgets loggers above: one handler at the root brings it back.
        self.access_log = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._answer(Reason.BUSY, "too many connections")
        else:
            self._watch_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # IDLE with bytes at hand: a header has begun and is not complete.
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._watch_header()
        elif self.conn.their_state is not h11.IDLE:
            self._stop_watching()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(self.unread_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_waiting()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not ours
        self._answer(Reason.MALFORMED, "this is not a request in HTTP/1.1")

    def _watch_header(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_timeout_s, self._expired)

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
        if not self.transport.is_closing():
            self._answer(Reason.TIMEOUT, "the request's header arrived too slowly")

    def _answer(self, reason: Reason, detail: str) -> None:
        """Answer below the application, where there may be no request yet, and close."""
        status, title = TABLE[reason]
        members = {"type": PREFIX + reason, "title": title, "status": status, "detail": detail}
        body = json.dumps(members).encode()
        lines = (
            f"HTTP/1.1 {status} {reason}",
            f"content-type: {MEDIA}",
            f"content-length: {len(body)}",
            "connection: close",
        )
        self.transport.write("\r\n".join((*lines, "", "")).encode() + body)
        self.transport.close()
