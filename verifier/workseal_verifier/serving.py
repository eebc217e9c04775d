"""uvicorn, set up: where it listens, with which limits, and how it says that it serves."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from types import FrameType

import uvicorn
from fastapi import FastAPI

from workseal_verifier.config import Settings
from workseal_verifier.connectionends import Room
from workseal_verifier.connections import protocol_of
from workseal_verifier.errors import ConfigError

KEEP_ALIVE_S = 20
_BACKLOG = 512
# What the system holds of answers that nobody reads; its own choice would be megabytes.
_UNREAD_BYTES = 128 * 1024
# So long after nobody listens any more the requests of the last who connected may arrive.
LAST_WORD_S = 0.25
_LOOK_S = 0.005
# Beside connections: the database's, keys, sockets of the server's own.
_OTHER_FILES = 256
# Who sequences lets the interpreter go for each word of the database, some dozen times a tick:
# whoever reads submissions meanwhile may keep it for so long, which was ten times longer.
_SWITCH_S = 0.0005
# Hardly anything that a request leaves is a circle: it is looked for after so many new objects.
_LOOK_AFTER = 10_000


def bind(host: str, port: int) -> socket.socket:
    """Bind the listening socket, or raise `ConfigError` with one sentence."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # asyncio sets this only where it made the socket itself. Without it, a client that keeps
        # its connection waits 40 ms for each answer's body.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        # create_server adds the address to its text; the resolver's numbers are not the system's.
        number = error.errno or 0
        reason = (os.strerror(number) if number > 0 else str(error.strerror)).lower()
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}") from error
    # Connections inherit it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD_BYTES)
    return listener


def allow_connections(count: int) -> int:
    """Let this process have so many connections open; return how many the system allows."""
    wanted = count + _OTHER_FILES
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if allowed > now != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return count if now == resource.RLIM_INFINITY else max(1, max(allowed, now) - _OTHER_FILES)


@contextlib.contextmanager
def stopped_by_hangup(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a terminal that goes away stop the server as SIGTERM does, not in mid-request.

    Who told it to ignore that (nohup) is obeyed.
    """
    before = signal.getsignal(signal.SIGHUP)
    if before is not signal.SIG_DFL or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGHUP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def make_server(
    app: FastAPI, settings: Settings, announce: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """Make the server of an application; `run(sockets=[...])` serves until a signal says stop.

    `announce` is called when requests are answered, and signals heard.
    """
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol_of(
            Room(
                most=settings.max_connections,
                header_timeout_s=settings.header_timeout_s,
                unread_timeout_s=settings.body_timeout_s,
                together=app.state.together,
            )
        ),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        # A sender is told apart by what a trusted proxy says in a header that the settings name.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=15,
    )
    return _Server(config, announce, app.state.services.readiness.stop, settings.drain_s)


class _Server(uvicorn.Server):
    """Say when it serves; stop so that whoever has a connection gets an answer."""

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        going: Callable[[], None],
        drain_s: float,
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._going = going
        self._drain_s = drain_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.setswitchinterval(_SWITCH_S)
            # What is loaded by now stays: the collector need not walk it again and again.
            gc.collect()
            gc.freeze()
            gc.set_threshold(_LOOK_AFTER, *gc.get_threshold()[1:])
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # While requests still come in, each answer says that it is the connection's last.
        self.server_state.default_headers.append((b"connection", b"close"))
        self._going()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._drain_s
        await self._no_connections(deadline)
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        # Who connected just before is heard: closed with a request unread, it would be reset.
        await self._no_connections(loop.time() + LAST_WORD_S)
        await super().shutdown(sockets)

    async def _no_connections(self, deadline: float) -> None:
        """Wait until there are none, or the deadline; at least so long that who waits is taken."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(_LOOK_S)
        while self.server_state.connections and loop.time() < deadline:  # noqa: ASYNC110 - uvicorn's
            await asyncio.sleep(_LOOK_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        with super().capture_signals(), stopped_by_hangup(self.handle_exit):
            yield
            # Else the signal is raised once more, and ends the process before it has cleaned up.
            self._captured_signals.clear()
