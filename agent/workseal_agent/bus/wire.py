"""The socket to a bus: its greeting, and messages there and back.

Rule: what a peer sends that is no D-Bus shows as whatever the library trips over; whoever uses
this takes every exception for the end of the connection.
"""

import socket
import time
from contextlib import suppress
from itertools import count
from math import ceil
from select import POLLIN, poll
from typing import Any

from jeepney import Endianness, Header, HeaderFields, MessageFlag, MessageType, Parser
from jeepney import Message as Written
from jeepney.auth import BEGIN, Authenticator
from jeepney.bus import get_connectable_addresses
from jeepney.fds import FileDescriptor, fds_buf_size

from workseal_agent.bus.message import Kind, Message

_READ_BYTES = 4_096
_LINE_BYTES = 1_024
_PROTOCOL = 1
_FIELDS = {
    HeaderFields.path: "path",
    HeaderFields.interface: "interface",
    HeaderFields.member: "member",
    HeaderFields.error_name: "error",
    HeaderFields.reply_serial: "answers",
    HeaderFields.destination: "destination",
    HeaderFields.sender: "sender",
    HeaderFields.signature: "signature",
}


class Wire:
    """Be one connection, after its greeting; `seconds` bounds that, and each sending."""

    def __init__(self, address: str, *, descriptors: bool, seconds: float) -> None:
        self._descriptors = descriptors
        self._socket = _connected(address, descriptors=descriptors, seconds=seconds)
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)  # noqa: FBT003 - the library's name for it
        self._ready = poll()
        self._ready.register(self._socket, POLLIN)
        self._ready.register(self._woken, POLLIN)
        self._parser = Parser()
        self._numbers = count(1)

    def send(self, message: Message) -> int:
        """Send a message and return its number."""
        number = next(self._numbers)
        self._socket.sendall(_written(message).serialise(serial=number))
        return number

    def receive(self, seconds: float | None) -> Message | None:
        """Return the next message; None when none came in time, or somebody called `wake`."""
        end = None if seconds is None else time.monotonic() + seconds
        while (came := self._parser.get_next_message()) is None:
            if not self._readable(end):
                return None
            self._read()
        return _read(came)

    def wake(self) -> None:
        """Have `receive` return, or the next one; for other threads and signal handlers."""
        with suppress(OSError):  # closed, or woken often enough
            self._waker.send(b"w")

    def close(self) -> None:
        """End the connection."""
        for one in (self._socket, self._woken, self._waker):
            one.close()

    def _readable(self, end: float | None) -> bool:
        left = None if end is None else max(0, ceil((end - time.monotonic()) * 1_000))
        ready = {descriptor for descriptor, _ in self._ready.poll(left)}
        if self._woken.fileno() in ready:
            self._woken.recv(_READ_BYTES)
            return False
        return self._socket.fileno() in ready

    def _read(self) -> None:
        # Not beyond a message where files may come with it: they belong to one.
        most = self._parser.bytes_desired() if self._descriptors else _READ_BYTES
        room = fds_buf_size() if self._descriptors else 0
        data, beside, _, _ = self._socket.recvmsg(most, room)
        if not data:
            raise ConnectionResetError
        self._parser.add_data(data, fds=FileDescriptor.from_ancdata(beside))


def _connected(address: str, *, descriptors: bool, seconds: float) -> socket.socket:
    """Connect to the first of the places that lets us in; raises what the last one raised."""
    failed: Exception = ConnectionRefusedError()
    for place in get_connectable_addresses(address):
        made = socket.socket(socket.AF_UNIX)
        try:
            _greet(made, place, descriptors=descriptors, end=time.monotonic() + seconds)
        except Exception as error:  # noqa: BLE001 - see the module's rule
            made.close()
            failed = error
        else:
            made.settimeout(seconds)
            return made
    raise failed


def _greet(made: socket.socket, place: str, *, descriptors: bool, end: float) -> None:
    def within() -> socket.socket:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        made.settimeout(left)
        return made

    within().connect(place)
    greeting = Authenticator(enable_fds=descriptors)
    for line in greeting:
        within().sendall(line)
        heard = within().recv(_LINE_BYTES)
        if not heard:
            raise ConnectionResetError
        greeting.feed(heard)
    within().sendall(BEGIN)


def _written(message: Message) -> Written:
    told = {field: getattr(message, name) for field, name in _FIELDS.items()}
    header = Header(
        Endianness.little,
        MessageType(message.kind.value),
        MessageFlag.no_reply_expected if message.silent else 0,
        _PROTOCOL,
        -1,
        -1,
        {field: value for field, value in told.items() if value not in {None, ""}},
    )
    return Written(header, message.body)


def _read(came: Written) -> Message:
    fields: dict[str, Any] = {
        name: came.header.fields[field]
        for field, name in _FIELDS.items()
        if field in came.header.fields
    }
    return Message(
        Kind(came.header.message_type.value),
        body=came.body,
        number=came.header.serial,
        silent=bool(came.header.flags & MessageFlag.no_reply_expected),
        **fields,
    )
