"""Questions over D-Bus: one bounded call, and one list of what can go wrong.

Rules: the library is loaded when a bus is first asked, because most recordings need none. An error
here holds the name of what was asked and the name of the error, never anything of an answer.
Anybody on a bus can send anybody a signal of any name; who sent it is told by the bus, and counts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase

CALL_SECONDS = 5.0
BUS_NAME = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"

Answer = TypeVar("Answer")


class BusError(AgentError):
    """Say that a bus, or a service on it, is not there or does not answer."""


def run(talk: Coroutine[Any, Any, Answer]) -> Answer:
    """Talk over a bus from a thread without a loop of its own."""
    return asyncio.run(talk)


@asynccontextmanager
async def connected(address: str | None, *, descriptors: bool = False) -> AsyncIterator[Any]:
    """Connect to a bus; `descriptors` lets open files be handed over."""
    if address is None:
        raise BusError("this session has no D-Bus")
    try:
        from dbus_fast.aio import MessageBus  # noqa: PLC0415 - see the rules
    except ModuleNotFoundError as error:
        raise BusError("D-Bus needs dbus-fast: pip install 'workseal[agent]'") from error
    bus = None
    try:
        bus = MessageBus(bus_address=address, negotiate_unix_fd=descriptors)
        await asyncio.wait_for(bus.connect(), CALL_SECONDS)
    except Exception as error:
        # Whoever listens may be no bus: that shows as whatever the library trips over.
        if bus is not None:
            bus.disconnect()
        raise BusError("D-Bus does not answer") from error
    try:
        yield bus
    finally:
        await _disconnected(bus)


async def _disconnected(bus: Any) -> None:
    bus.disconnect()
    with suppress(Exception):
        await asyncio.wait_for(bus.wait_for_disconnect(), CALL_SECONDS)


async def call(
    bus: Any,
    destination: str,
    path: str,
    member: str,
    *arguments: Any,
    signature: str = "",
    seconds: float = CALL_SECONDS,
) -> Any:
    """Call `interface.member` of a service and return the message that answers, or `BusError`."""
    from dbus_fast import Message, MessageType  # noqa: PLC0415 - see the rules

    interface, _, name = member.rpartition(".")
    question = Message(
        destination=destination,
        path=path,
        interface=interface,
        member=name,
        signature=signature,
        body=list(arguments),
    )
    try:
        answer = await asyncio.wait_for(bus.call(question), seconds)
    except TimeoutError as error:
        raise BusError(phrase("{destination} does not answer", destination=destination)) from error
    except Exception as error:
        raise BusError("D-Bus went away") from error
    if answer is None or answer.message_type is not MessageType.METHOD_RETURN:
        asked = {"destination": destination, "name": name}
        if answer is None:
            raise BusError(phrase("{destination} does not do {name}", **asked))
        refused = phrase(
            "{destination} does not do {name} ({error})", error=answer.error_name, **asked
        )
        raise BusError(refused)
    return answer


async def listen(bus: Any, rule: str) -> None:
    """Have signals delivered that match a rule; whoever aims at this connection needs none."""
    await call(bus, BUS_NAME, BUS_PATH, f"{BUS_NAME}.AddMatch", rule, signature="s")


class Owner:
    """Know the connection that owned a name when it was asked for; a later owner is another one."""

    def __init__(self, name: str, lost: Callable[[], None]) -> None:
        self._name = name
        self._tell = lost
        self._connection: str | None = None
        self.lost = False

    def sent(self, message: Any) -> bool:
        """Say whether the owner sent a message."""
        return not self.lost and self._connection is not None and message.sender == self._connection

    async def find(self, bus: Any) -> None:
        """Ask who owns the name; raises `BusError` when nobody does."""
        bus.add_message_handler(self._see)
        await listen(
            bus,
            f"type='signal',sender='{BUS_NAME}',interface='{BUS_NAME}',"
            f"member='NameOwnerChanged',arg0='{self._name}'",
        )
        answer = await call(
            bus, BUS_NAME, BUS_PATH, f"{BUS_NAME}.GetNameOwner", self._name, signature="s"
        )
        self._connection = str(answer.body[0])

    def _see(self, message: Any) -> None:
        # No connection but the bus itself has a name without a colon for its sender.
        told = (message.sender, message.interface, message.member)
        if told == (BUS_NAME, BUS_NAME, "NameOwnerChanged") and message.body[:1] == [self._name]:
            self.lost = True
            self._tell()


async def get_property(bus: Any, destination: str, path: str, name: str) -> Any:
    """Read one property, `interface.name`, of a service; `BusError` when it has none."""
    interface, _, attribute = name.rpartition(".")
    answer = await call(
        bus,
        destination,
        path,
        "org.freedesktop.DBus.Properties.Get",
        interface,
        attribute,
        signature="ss",
    )
    return answer.body[0].value
