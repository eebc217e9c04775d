"""The program that checks signatures for one server process, and how the two speak.

Rules: it is handed public keys, signatures and what was signed, on connections that it was begun
with, and answers whether each holds; it knows no file, no secret and no database, and keeps
nothing but opened keys. It decides by `PublicKey.verify`, as the server itself does. When one of
its connections is closed it ends, so it never outlives who began it.
"""

import contextlib
import select
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import PublicKey

Question: TypeAlias = tuple[PublicKey, bytes, bytes]

READY: Final = b"r"
HOLDS: Final = 1
# How many questions there are, and how many bytes they take.
_HEAD: Final = struct.Struct("!II")
# The lengths of a key, a signature, and what was signed.
_LENGTHS: Final = struct.Struct("!HHI")


def pack(questions: Sequence[Question]) -> bytes:
    """Write questions to be sent."""
    parts: list[bytes] = []
    for key, signature, message in questions:
        parts += (
            _LENGTHS.pack(len(key.raw), len(signature), len(message)),
            key.raw,
            signature,
            message,
        )
    body = b"".join(parts)
    return _HEAD.pack(len(questions), len(body)) + body


def receive(connection: socket.socket, size: int) -> bytes:
    """Receive so many bytes, or raise `OSError` where the connection ends before."""
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        got = connection.recv_into(view[at:])
        if not got:
            raise ConnectionError("the other side has closed the connection")
        at += got
    return bytes(data)


def answer(connection: socket.socket) -> None:
    """Receive questions and answer each with a byte."""
    count, size = _HEAD.unpack(receive(connection, _HEAD.size))
    data = receive(connection, size)
    answers = bytes(map(_holds, _unpack(data)))
    if len(answers) != count:
        raise ConnectionError("the questions are not those that were announced")
    connection.sendall(answers)


def serve(connections: Sequence[socket.socket]) -> None:
    """Answer until a connection is closed."""
    by_handle = {one.fileno(): one for one in connections}
    waiting = select.poll()
    for handle, one in by_handle.items():
        waiting.register(handle, select.POLLIN)
        one.sendall(READY)
    while True:
        for handle, _ in waiting.poll():
            answer(by_handle[handle])


def _unpack(data: bytes) -> Iterator[Question]:
    at = 0
    while at < len(data):
        key, signature, message = _LENGTHS.unpack_from(data, at)
        key_end = at + _LENGTHS.size + key
        signature_end = key_end + signature
        end = signature_end + message
        yield (
            _opened(data[at + _LENGTHS.size : key_end]),
            data[key_end:signature_end],
            data[signature_end:end],
        )
        at = end


# Keys are few.
_opened = lru_cache(maxsize=4_096)(PublicKey.of_raw)


def _holds(question: Question) -> int:
    key, signature, message = question
    try:
        key.verify(signature, message)
    except VerificationError:
        return 0
    return HOLDS


def main() -> None:
    """Serve on the connections whose handles are the words of the command line."""
    connections = [socket.socket(fileno=int(word)) for word in sys.argv[1:]]
    # The server has ended, or ended this.
    with contextlib.suppress(OSError):
        serve(connections)


if __name__ == "__main__":
    main()
