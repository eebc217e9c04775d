"""One connection to a verifier: requests and answers by turns, none longer than it may take."""

import socket
import ssl
import time
from collections.abc import Iterator

import h11

from workseal_client.transport import Request

_READ_BYTES = 65_536


class Clock:
    """Know how long the next step may take: `step` seconds, and what is left of the whole."""

    def __init__(self, seconds: float, step: float) -> None:
        self._end = time.monotonic() + seconds
        self._step = step

    def left(self, step: float | None = None) -> float:
        """Return the seconds of a step, or raise `TimeoutError` when the whole has ended."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, self._step if step is None else step)


class Connection:
    """Speak HTTP/1.1 over a socket. Raises `OSError` and `h11.ProtocolError`."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._talk = h11.Connection(h11.CLIENT)

    def send(self, request: Request, clock: Clock) -> None:
        """Send a whole request."""
        head = self._talk.send(
            h11.Request(method=request.method, target=request.target, headers=[*request.headers])
        )
        body = b""
        if request.body:
            body = self._talk.send(h11.Data(data=request.body)) or b""
        self._talk.send(h11.EndOfMessage())
        try:
            self._write(head or b"", clock)
            self._write(body, clock)
        except TimeoutError:
            raise
        except OSError:
            # Who refuses a long body may have answered before it closed: that is read then.
            return

    def head(self, clock: Clock) -> tuple[int, dict[str, str]]:
        """Wait for the head of the answer; returns its status and headers."""
        while True:
            match self._event(clock):
                case h11.Response() as told:
                    return told.status_code, _joined(told)
                case h11.InformationalResponse():
                    continue
                case _:
                    raise ConnectionResetError

    def body(self, clock: Clock) -> Iterator[bytes]:
        """Read the body of the answer as it comes."""
        while True:
            match self._event(clock):
                case h11.Data() as piece:
                    yield bytes(piece.data)
                case h11.EndOfMessage():
                    return
                case _:
                    raise ConnectionResetError

    def ready_again(self) -> bool:
        """Say whether another request may follow, after the whole of an answer."""
        if self._talk.our_state is not h11.DONE or self._talk.their_state is not h11.DONE:
            return False
        self._talk.start_next_cycle()
        return True

    def quiet(self) -> bool:
        """Say whether nothing came since: an end, or what nobody asked for."""
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _event(self, clock: Clock) -> object:
        while (event := self._talk.next_event()) is h11.NEED_DATA:
            self._socket.settimeout(clock.left())
            self._talk.receive_data(self._socket.recv(_READ_BYTES))
        return event

    def _write(self, data: bytes, clock: Clock) -> None:
        # Not `sendall`: its time is for everything, and a long body has that of the whole.
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(clock.left())
            rest = rest[self._socket.send(rest) :]


def _joined(told: h11.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw, value in told.headers:
        name, text = raw.decode("ascii"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers
