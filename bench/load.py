"""Send prepared requests over keep-alive connections, at a low price for each.

Rules: a connection sends its next request when the answer to the last one is there; where a pace is
set, not before its turn, and the wait counts from that turn, so that a slow answer is not hidden
behind the requests that it held up.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvloop

# A load that takes longer hangs.
LONGEST_S = 300


@dataclass
class Load:
    """What one connection sends, in order; then how long each request took, and the last answer."""

    requests: Sequence[bytes]
    seconds: list[float] = field(default_factory=list)
    last: bytes = b""


@dataclass(frozen=True)
class Figures:
    """What came of sending some loads; `count` is of what the requests carried."""

    count: int
    took: float
    p50_ms: float
    p99_ms: float
    sender_cpu_s: float

    @property
    def rate(self) -> float:
        """Tell how many were answered in a second."""
        return self.count / self.took


def post(path: str, media: str, body: bytes) -> bytes:
    """Write a request that carries something."""
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: {media}\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    """Write a request that asks."""
    return f"GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()


def drive(port: int, loads: Sequence[Load], *, each: int = 1, pace: float = 0.0) -> Figures:
    """Send all loads at once, each on a connection of its own.

    `each` is what one request carries; `pace` is how many requests a second all may send together,
    0 for as many as are answered.
    """
    cpu = time.process_time()
    took = uvloop.run(_drive(port, loads, len(loads) / pace if pace else 0.0))
    seconds = sorted(one for load in loads for one in load.seconds)
    return Figures(
        count=each * len(seconds),
        took=took,
        p50_ms=1000 * seconds[len(seconds) // 2],
        p99_ms=1000 * seconds[int(0.99 * len(seconds))],
        sender_cpu_s=time.process_time() - cpu,
    )


def ask(port: int, request: bytes) -> bytes:
    """Send one request, return the body of its answer."""
    load = Load([request])
    uvloop.run(_drive(port, [load], 0.0))
    return load.last


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def await_port(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(400):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


async def _drive(port: int, loads: Sequence[Load], interval: float) -> float:
    loop = asyncio.get_running_loop()
    senders = [_Sender(load) for load in loads]
    for sender in senders:
        await loop.create_connection(partial(_same, sender), "127.0.0.1", port)
    begin = loop.time()
    for number, sender in enumerate(senders):
        sender.begin(begin + interval * number / len(senders), interval)
    async with asyncio.timeout(LONGEST_S):
        await asyncio.gather(*(sender.done for sender in senders))
    return loop.time() - begin


class _Sender(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self._load = load
        self._next = 0
        self._left = b""
        self._due = 0.0
        self._interval = 0.0
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport

    def begin(self, due: float, interval: float) -> None:
        """Send the first request at `due` and, with an interval, one in each."""
        self._due, self._interval = due, interval
        self._loop.call_at(due, self._send)

    def _send(self) -> None:
        if not self._interval:
            self._due = self._loop.time()
        self._transport.write(self._load.requests[self._next])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        data = self._left + data if self._left else data
        end = data.find(b"\r\n\r\n")
        head = data[:end].lower()
        start = head.find(b"content-length:") + 15
        if end < 0 or len(data) < end + 4 + int(head[start:].split(b"\r\n", 1)[0]):
            self._left = data
            return
        self._left = b""
        self._answered(data[9:12], data[end + 4 :])

    def _answered(self, status: bytes, body: bytes) -> None:
        now = self._loop.time()
        self._load.seconds.append(now - self._due)
        self._load.last = body
        if status != b"200":
            self._end(f"a request failed: {status.decode()} {body[:300]!r}")
        elif self._next == len(self._load.requests):
            self._end()
        elif self._interval:
            self._due += self._interval
            self._loop.call_at(max(now, self._due), self._send)
        else:
            self._send()

    def _end(self, problem: str = "") -> None:
        if not self.done.done():
            if problem:
                self.done.set_exception(SystemExit(problem))
            else:
                self.done.set_result(None)
        self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._end("the server hung up")


def _same(sender: _Sender) -> _Sender:
    return sender
