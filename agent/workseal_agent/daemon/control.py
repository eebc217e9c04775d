"""The control socket: one line of JSON asks, one line answers.

Rules: the socket lies in the home (0700) and is 0600; only processes of the same user are heard.
Every request is bounded in size and time and answered in a thread of its own, so no client can hold
up the recording, or another client.
"""

import json
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workseal_agent.errors import AgentError
from workseal_agent.language import carried, phrase, received, told_of
from workseal_protocol.errors import WorksealError

_MAX_LINE = 65_536
# A capture that is being stored is waited for, no longer.
_ANSWER_SECONDS = 30.0
_REQUEST_SECONDS = 5.0
# So long without a word, it is looked at whether the process runs at all.
_SILENCE_SECONDS = 1.0
# Requests that are read or answered at the same time, and connections that wait for a place.
_PLACES = 16
_WAITING = 128
_CREDENTIALS = struct.Struct("3i")

Handler = Callable[[dict[str, Any]], dict[str, Any]]


class NotRunningError(AgentError):
    """Say that no process records for this home."""


class ControlError(AgentError):
    """Say what the recording process answered instead of doing as asked."""


def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request to the recording process and return its answer."""
    with socket.socket(socket.AF_UNIX) as connection, _short(path) as address:
        connection.settimeout(_ANSWER_SECONDS)
        try:
            connection.connect(address)
        except BlockingIOError as error:
            raise ControlError("the recording process has too many callers: try again") from error
        except OSError as error:
            raise NotRunningError("the agent is not recording: `workseal-agent start`") from error
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            _await(connection)
            answer = json.loads(_read_line(connection, _ANSWER_SECONDS))
        except (OSError, ValueError) as error:
            raise ControlError("the recording process does not answer") from error
    if not isinstance(answer, dict):
        raise ControlError("the recording process does not answer")
    answer = received(answer)
    if "error" in answer:
        told_why = answer["error"]
        raise ControlError(told_why if isinstance(told_why, str) else str(told_why))
    return answer


def _await(connection: socket.socket) -> None:
    """Wait for the beginning of an answer, but not for a process that is stopped as a whole."""
    for _ in range(int(_ANSWER_SECONDS / _SILENCE_SECONDS)):
        if select.select([connection], [], [], _SILENCE_SECONDS)[0]:
            return
        pid = _peer(connection)[0]
        if _is_stopped(pid):
            raise ControlError(
                phrase(
                    "the recording process {pid} is stopped (Ctrl-Z, SIGSTOP or a debugger) and"
                    " records nothing: `kill -CONT {pid}` lets it go on",
                    pid=pid,
                )
            )


def _is_stopped(pid: int) -> bool:
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    # The state follows the name, which may have any character, brackets too.
    return told.rpartition(")")[2].split()[:1] in (["T"], ["t"])


def told(error: Exception) -> str:
    """Tell an error in one sentence; of one that nobody foresaw its class alone, never content."""
    if isinstance(error, AgentError | WorksealError):
        return told_of(error)
    return phrase("something unexpected failed ({name})", name=type(error).__name__)


class ControlServer:
    """Answer requests, each in a thread, a bounded number of them at a time."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._socket: socket.socket | None = None
        self._places = threading.BoundedSemaphore(_PLACES)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        """Listen; the caller holds the home's lock, so a socket that is there is a leftover.

        Raises `ControlError` where the folder takes none.
        """
        try:
            self._listen()
        except OSError as error:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            raise ControlError(
                phrase(
                    "the folder {folder} cannot be written: {reason}",
                    folder=self._path.parent,
                    reason=(error.strerror or type(error).__name__).lower(),
                )
            ) from error
        self._thread.start()

    def _listen(self) -> None:
        # It gets its name when it listens: who finds a socket that does not yet would be told
        # that nobody records.
        unnamed = self._path.with_name(f"{self._path.name}.new")
        unnamed.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        with _short(unnamed) as address:
            self._socket.bind(address)
        unnamed.chmod(0o600)
        self._socket.listen(_WAITING)
        unnamed.replace(self._path)

    def close(self) -> None:
        """Stop listening, let who is being answered have the answer, and remove the socket."""
        if self._socket is None:
            return
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + _REQUEST_SECONDS
        self._thread.join(_REQUEST_SECONDS)
        for _ in range(_PLACES):
            self._places.acquire(timeout=max(0.0, deadline - time.monotonic()))
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        listening = self._socket
        while listening is not None:
            self._places.acquire()
            try:
                connection, _ = listening.accept()
            except OSError:
                self._places.release()
                return
            threading.Thread(
                target=self._serve_one, args=(connection,), name="request", daemon=True
            ).start()

    def _serve_one(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                if _peer(connection)[1] == os.geteuid():
                    self._answer(connection)
        finally:
            self._places.release()

    def _answer(self, connection: socket.socket) -> None:
        try:
            request = json.loads(_read_line(connection, _REQUEST_SECONDS))
            if not isinstance(request, dict):
                raise ValueError("not an object")  # noqa: TRY301, TRY004 - one answer for all
        except (ValueError, RecursionError):
            answer: dict[str, Any] = {"error": "the request is not understood"}
        else:
            try:
                answer = self._handler(request)
            except Exception as error:  # noqa: BLE001 - the next request is to be heard
                answer = {"error": told(error)}
        connection.settimeout(_REQUEST_SECONDS)
        connection.sendall(json.dumps(carried(answer)).encode() + b"\n")


def _read_line(connection: socket.socket, seconds: float) -> bytes:
    """Read up to the end of a line, all of it within these seconds; `OSError`, `ValueError`."""
    deadline = time.monotonic() + seconds
    data = bytearray()
    while not data.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(4096)
        if not chunk or len(data) + len(chunk) > _MAX_LINE:
            raise ValueError("the line has no end")
        data += chunk
    return bytes(data)


def _peer(connection: socket.socket) -> tuple[int, int]:
    """Return the number and the user of the process at the other end."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(data)
    return pid, uid


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give an address below 108 bytes for a socket in a folder of any length."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotRunningError("there is no agent in this folder: `workseal-agent init`") from error
    except OSError as error:
        # Whether a process records is not known then: it must not be taken for none.
        raise ControlError(
            phrase("the control socket cannot be used: {reason}", reason=error.strerror)
        ) from error
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
