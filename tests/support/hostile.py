"""Clients that mean harm, in one event loop: slow headers and bodies, unread answers, huge bodies.

Each keeps what became of it: what it was answered, how much it could send, when it was over.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
HUGE = 200 * MIB
# A whole exchange that is not over by then was not cut off.
PATIENCE_S = 90.0

_HEAD = b"POST /v1/statements HTTP/1.1\r\nhost: x\r\n"
_LONGEST_ANSWER = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hostile connection."""

    kind: str
    status: str
    sent: int
    seconds: float


Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, int]]


async def slow_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Send a header, a letter a second."""
    return await _drip(reader, writer, b"GET /healthz HTTP/1.1\r\nx: ")


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Promise 60,000 bytes, and send one a second."""
    return await _drip(reader, writer, _HEAD + b"content-length: 60000\r\n\r\n")


async def unread(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Ask for a hundred long answers at once, and read none."""
    # A transport that is paused reads nothing from its socket.
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    asked = _LONGEST_ANSWER * 100
    writer.write(asked)
    deadline = time.monotonic() + PATIENCE_S
    # What nobody reads says nothing of its end; what is sent meets a closed door.
    while not writer.transport.is_closing():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(1)
        writer.write(b"G")
    return len(asked)


async def declared(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Promise 200 MB, and send them."""
    writer.write(_HEAD + f"content-length: {HUGE}\r\n\r\n".encode())
    return await _pour(reader, writer, bytes(65_536))


async def undeclared(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Send 200 MB in chunks, without a word of how much it will be."""
    writer.write(_HEAD + b"transfer-encoding: chunked\r\n\r\n")
    return await _pour(reader, writer, b"10000\r\n" + bytes(65_536) + b"\r\n")


async def attack(port: int, kinds: Sequence[tuple[str, Attack]]) -> list[Outcome]:
    """Make one connection for each, all at once; return what became of them."""
    return await asyncio.gather(*(_one(port, name, kind) for name, kind in kinds))


async def _connected(port: int) -> socket.socket:
    made = socket.socket()
    made.settimeout(0)
    # Small, so that it is soon full of what is not read.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    return made


async def _one(port: int, name: str, kind: Attack) -> Outcome:
    begun = time.monotonic()
    sent, answer = 0, b""
    try:
        reader, writer = await asyncio.open_connection(sock=await _connected(port))
    except OSError:
        return Outcome(name, "refused", 0, 0.0)
    try:
        sent = await kind(reader, writer)
        with suppress(OSError):
            answer = await asyncio.wait_for(reader.read(4_096), 5)
    except TimeoutError:
        return Outcome(name, "open", sent, time.monotonic() - begun)
    except OSError:
        pass
    finally:
        writer.transport.abort()
    status = answer[9:12].decode() if answer.startswith(b"HTTP/1.1 ") else "closed"
    return Outcome(name, status, sent, time.monotonic() - begun)


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> int:
    writer.write(head)
    sent = len(head)
    deadline = time.monotonic() + PATIENCE_S
    # The answer is left unread here: that there is one ends the dripping.
    while not reader._buffer and not reader.at_eof():  # type: ignore[attr-defined]
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(1)
        with suppress(OSError):
            writer.write(b"a")
            sent += 1
    return sent


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, piece: bytes) -> int:
    sent = 0
    with suppress(OSError):
        while sent < HUGE and not reader.at_eof() and not writer.transport.is_closing():
            writer.write(piece)
            sent += len(piece)
            await asyncio.wait_for(writer.drain(), PATIENCE_S)
    return sent


def memory_of(process: int) -> int:
    """Return the resident memory of a process, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024
