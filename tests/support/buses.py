"""A private D-Bus, and services on it that answer as a test says."""

import asyncio
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

PATIENCE = 20.0
# What a service does when it is called; an error's name, or the signature and body of an answer.
Answer = str | tuple[str, list[Any]] | tuple[str, list[Any], list[int]]


@contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """Run a bus of the session's kind and give its address."""
    address = f"unix:path={folder}/bus"
    process = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}",
         "--print-address=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)
        process.stdout.close()


class FakeService:
    """Own a name on a bus in a thread; `answer` is asked for each call that the service gets."""

    def __init__(self, address: str, name: str, answer: Callable[[Message], Answer | None]) -> None:
        self._address = address
        self._name = name
        self._answer = answer
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.calls: list[Message] = []

    @property
    def running(self) -> bool:
        """Say whether it was begun, and owns its name."""
        return self._ready.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError):  # it went away before
            self._loop.call_soon_threadsafe(self._bus.disconnect)
        self._thread.join(PATIENCE)

    def emit(self, path: str, member: str, signature: str, *body: Any) -> None:
        """Send a signal to everybody."""
        interface, _, name = member.rpartition(".")
        message = Message.new_signal(path, interface, name, signature, list(body))
        sent = asyncio.run_coroutine_threadsafe(self._send(message), self._loop)
        sent.result(PATIENCE)

    def soon(self, action: Callable[[], None], seconds: float = 0.0) -> None:
        """Do something after the answer that is being given was sent."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, action)

    def send(self, message: Message) -> None:
        """Send from within the service's own thread."""
        self._loop.create_task(self._send(message))

    async def _send(self, message: Message) -> None:
        await self._bus.send(message)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._bus = await MessageBus(bus_address=self._address, negotiate_unix_fd=True).connect()
        self._bus.add_message_handler(self._handle)
        await self._bus.request_name(self._name)
        self._ready.set()
        await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    def _handle(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.path is None:
            return None
        if message.interface == "org.freedesktop.DBus.Peer":
            return None
        self.calls.append(message)
        answer = self._answer(message)
        if answer is None:
            return True  # handled, by saying nothing
        if isinstance(answer, str):
            return Message.new_error(message, answer, "no")
        return Message.new_method_return(message, *answer)


def forge(address: str, *messages: Message) -> None:
    """Send signals to every connection of a bus from a connection of one's own, owning no name."""
    asyncio.run(_forge(address, messages))


async def _forge(address: str, messages: Sequence[Message]) -> None:
    bus = await MessageBus(bus_address=address).connect()
    for name in await _names(bus):
        for message in messages:
            # Aimed at one connection: it comes whatever that one listens to.
            message.destination, message.serial = name, 0
            await bus.send(message)
    await _names(bus)  # what was sent before is delivered when this is answered
    bus.disconnect()
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


async def _names(bus: MessageBus) -> list[str]:
    """List the connections of a bus."""
    place = "org.freedesktop.DBus"
    question = Message(
        destination=place, path="/org/freedesktop/DBus", interface=place, member="ListNames"
    )
    answer = await bus.call(question)
    assert answer is not None
    return [name for name in answer.body[0] if name.startswith(":")]
