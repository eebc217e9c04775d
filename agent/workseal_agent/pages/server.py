"""The server of the local pages: one loopback address, a port of the system's choice, one user.

Rules: it listens on 127.0.0.1 and nowhere else, writes no log of requests, and ends with its
command or when nobody came back for half an hour. The address that lets a browser in is handed to
the browser in a file of the owner's, because every user of a machine can read what a program was
started with.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

import uvicorn

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.pages.app import build_app
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.doorway import doorway
from workseal_agent.pages.drafts import Drafts
from workseal_agent.pages.entrance import Entrance
from workseal_agent.pages.guard import Denial, Guard, Rules

_ADDRESS = "127.0.0.1"
_LOOK_SECONDS = 2.0
_HEAD_BYTES = 32_768
# More than the doorway has places for: those that are about to end count too.
_CONNECTIONS = 128
_HANDOVER = """<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}"><title>Workseal</title>
<p><a href="{url}">Workseal</a></p>
"""


class PagesServer:
    """Serve one home's pages until stopped."""

    def __init__(self, desk: Desk) -> None:
        self.entrance = Entrance(desk.elapsed_ms)
        self._socket = _listen()
        self.port: int = self._socket.getsockname()[1]
        rules = Rules(self.port, self.entrance)
        self.origin = rules.origin
        self.denied: Counter[Denial] = Counter()
        self.drafts = Drafts()
        app = build_app(desk, self.entrance, self.denied, self.drafts)
        guard = Guard(app, rules, self.denied)
        self._server = _Server(
            uvicorn.Config(
                guard,
                lifespan="off",
                ws="none",
                http=doorway(self.denied),
                # What a proxy says of whoever asks would take the place of the real address.
                proxy_headers=False,
                access_log=False,
                # Neither what another program asks for nor a failure's trace is written anywhere.
                log_config=None,
                log_level="critical",
                server_header=False,
                date_header=False,
                limit_concurrency=_CONNECTIONS,
                h11_max_incomplete_event_size=_HEAD_BYTES,
                timeout_graceful_shutdown=2,
            ),
            self.entrance.is_over,
        )

    @property
    def address(self) -> str:
        """Return the address that lets one browser in, once."""
        token = self.entrance.token
        return f"{self.origin}/#{token}" if token is not None else self.origin

    def run(self) -> None:
        """Serve until `stop`, an interrupt, or nobody came back for too long."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Ask the server to end, from any thread."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """End also when nobody is there any more."""

    def __init__(self, config: uvicorn.Config, over: Callable[[], bool]) -> None:
        super().__init__(config)
        self._over = over

    async def main_loop(self) -> None:
        watching = asyncio.create_task(self._watch())
        try:
            await super().main_loop()
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while not self._over():  # noqa: ASYNC110 - the end comes by the clock, no event tells it
            await asyncio.sleep(_LOOK_SECONDS)
        self.should_exit = True


@contextmanager
def handover_file(home: Path, address: str) -> Iterator[Path]:
    """Write the page that leads a browser in, readable by its owner alone, for as long as needed.

    Another program is told only the name of this file.
    """
    path = home / "open.html"
    path.unlink(missing_ok=True)
    page = _HANDOVER.format(url=escape(address))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        raise AgentError(
            phrase("{path} cannot be written: {reason}", path=path, reason=error.strerror)
        ) from error
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _listen() -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.bind((_ADDRESS, 0))
        # From now on a browser that is quicker than the server waits.
        listening.listen(_CONNECTIONS)
    except OSError as error:
        listening.close()
        raise AgentError(
            phrase("no port of this machine can be used: {reason}", reason=error.strerror)
        ) from error
    return listening
