"""Questions over D-Bus: one bounded call, and one list of what can go wrong.

Rules: the library is loaded when a bus is first asked, because most recordings need none. An error
here holds the name of what was asked and the name of the error, never anything of an answer.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from workseal_agent.errors import AgentError

CALL_SECONDS = 5.0

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
        raise BusError(f"{destination} does not answer") from error
    except Exception as error:
        raise BusError("D-Bus went away") from error
    if answer is None or answer.message_type is not MessageType.METHOD_RETURN:
        told = "" if answer is None else f" ({answer.error_name})"
        raise BusError(f"{destination} does not do {name}{told}")
    return answer


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
