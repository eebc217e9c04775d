"""One mailbox for all workers of a server: the supervising process holds it, in memory as ever.

Workers ask over a socket in the home, which only its owner may open. What passes is sealed; nothing
of it is written anywhere.
"""

import os
import threading
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.sealing import MAX_PACKAGE_BYTES
from workseal_verifier.errors import ConfigError, Reason, RefusedError
from workseal_verifier.services.mailbox import Mailbox

_MOST: Final = MAX_PACKAGE_BYTES + 65_536
# What the system takes, less its closing zero.
_LONGEST_PATH: Final = 107


class Mailroom:
    """Serve a mailbox to the workers."""

    def __init__(self, mailbox: Mailbox, path: Path) -> None:
        if len(os.fsencode(path)) > _LONGEST_PATH:
            raise ConfigError(
                f"{path} is too long a name for a socket: expected at most {_LONGEST_PATH} bytes,"
                " so give the home a shorter path"
            )
        path.unlink(missing_ok=True)
        self._mailbox = mailbox
        self._path = path
        self._listener = Listener(str(path), family="AF_UNIX", backlog=64)
        path.chmod(0o600)
        self._closing = False
        threading.Thread(target=self._run, name="mailroom", daemon=True).start()

    def close(self) -> None:
        """Stop, and forget what is held."""
        self._closing = True
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._closing:
            try:
                connection = self._listener.accept()
            except OSError:
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        # A worker that was killed neither asks to the end nor hears.
        with connection, suppress(MalformedError, OSError, EOFError):
            try:
                answer = self._answer(decode(connection.recv_bytes(_MOST), max_bytes=_MOST))
            except RefusedError as refusal:
                answer = [str(refusal.reason), refusal.detail, refusal.retry_after or 0]
            connection.send_bytes(encode(answer))

    def _answer(self, asked: Value) -> Value:
        match asked:
            case ["put", bytes(request), bytes(engagement), bytes(data), int(in_case)]:
                self._mailbox.put(Digest(request), engagement, data, in_case=bool(in_case))
                return b""
            case ["get", bytes(request)]:
                return self._mailbox.get(Digest(request))
            case ["drop", bytes(request)]:
                self._mailbox.drop(Digest(request))
                return b""
            case _:
                raise RefusedError(Reason.INTERNAL, "the server made a mistake")


class RemoteMailbox:
    """The same mailbox, as a worker sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(
        self, request: Digest, engagement: bytes, data: bytes, *, in_case: bool = False
    ) -> None:
        """Hold a package, as `Mailbox.put` does."""
        self._ask(["put", request.raw, engagement, data, int(in_case)])

    def get(self, request: Digest) -> bytes:
        """Return a package, as `Mailbox.get` does."""
        found = self._ask(["get", request.raw])
        if not isinstance(found, bytes):
            raise RefusedError(Reason.INTERNAL, "the server made a mistake")
        return found

    def drop(self, request: Digest) -> None:
        """Hold a package no longer, as `Mailbox.drop` does."""
        self._ask(["drop", request.raw])

    def _ask(self, question: list[Value]) -> Value:
        try:
            with Client(str(self._path), family="AF_UNIX") as connection:
                connection.send_bytes(encode(question))
                answer = decode(connection.recv_bytes(_MOST), max_bytes=_MOST)
        except (OSError, EOFError) as error:
            raise RefusedError(Reason.BUSY, "the mailbox does not answer", retry_after=5) from error
        match answer:
            case [str(reason), str(detail), int(wait)]:
                raise RefusedError(Reason(reason), detail, retry_after=wait or None)
            case _:
                return answer
