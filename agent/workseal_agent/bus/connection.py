"""One connection to a bus: calls that end, and what comes meanwhile.

Rule: a connection belongs to one thread, and reads only while that thread calls or waits. Other
threads may `wake` it. Who hears a message makes no call: it keeps what it needs, or answers.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workseal_agent.bus.message import UNKNOWN_METHOD, Kind, Message
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase

if TYPE_CHECKING:
    from workseal_agent.bus.wire import Wire

CALL_SECONDS = 5.0
BUS_NAME = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"

Hearer = Callable[[Message], Message | None]


class BusError(AgentError):
    """Say that a bus, or a service on it, is not there or does not answer."""


@contextmanager
def connected(address: str | None, *, descriptors: bool = False) -> Iterator["Connection"]:
    """Connect to a bus; `descriptors` lets open files be handed over."""
    if address is None:
        raise BusError("this session has no D-Bus")
    try:
        from workseal_agent.bus.wire import Wire  # noqa: PLC0415 - see the package's rules
    except ModuleNotFoundError as error:
        raise BusError("D-Bus needs jeepney: pip install 'workseal[agent]'") from error
    wire = None
    try:
        wire = Wire(address, descriptors=descriptors, seconds=CALL_SECONDS)
        connection = Connection(wire)
    except Exception as error:
        # Whoever listens may be no bus: that shows as whatever the library trips over.
        if wire is not None:
            wire.close()
        raise BusError("D-Bus does not answer") from error
    try:
        yield connection
    finally:
        wire.close()


class Connection:
    """Ask, listen and answer; the bus must be there by then."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self._hearers: list[Hearer] = []
        self.unique_name = str(self.call(BUS_NAME, BUS_PATH, f"{BUS_NAME}.Hello").body[0])

    def hear(self, hearer: Hearer) -> None:
        """Have every message told from now on; the first answer to a call is sent."""
        self._hearers.append(hearer)

    def call(
        self,
        destination: str,
        path: str,
        member: str,
        *arguments: Any,
        signature: str = "",
        seconds: float = CALL_SECONDS,
    ) -> Message:
        """Call `interface.member` of a service and return its answer, or raise `BusError`."""
        interface, _, name = member.rpartition(".")
        number = self.send(
            Message(
                Kind.CALL,
                path,
                interface,
                name,
                destination=destination,
                signature=signature,
                body=arguments,
            )
        )
        answer = self._answer_to(number, seconds)
        if answer is None:
            raise BusError(phrase("{destination} does not answer", destination=destination))
        if answer.kind is Kind.ERROR:
            refused = phrase(
                "{destination} does not do {name} ({error})",
                error=answer.error or "",
                destination=destination,
                name=name,
            )
            raise BusError(refused)
        return answer

    def get_property(self, destination: str, path: str, name: str) -> Any:
        """Read one property, `interface.name`, of a service; `BusError` when it has none."""
        interface, _, attribute = name.rpartition(".")
        answer = self.call(
            destination,
            path,
            "org.freedesktop.DBus.Properties.Get",
            interface,
            attribute,
            signature="ss",
        )
        match answer.body:
            case [(str(), value)]:
                return value
        raise BusError(phrase("{destination} does not answer", destination=destination))

    def listen(self, rule: str) -> None:
        """Have signals delivered that match a rule; whoever aims at this connection needs none."""
        self.call(BUS_NAME, BUS_PATH, f"{BUS_NAME}.AddMatch", rule, signature="s")

    def send(self, message: Message) -> int:
        """Send a message that is not waited for, and return its number."""
        try:
            return self._wire.send(message)
        except Exception as error:
            raise BusError("D-Bus went away") from error

    def wait(self, until: Callable[[], object], seconds: float | None = None) -> bool:
        """Hear messages until something holds; False when it does not in time.

        It is asked after each message and each `wake`. Raises `BusError` when the bus goes away.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while not until():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            message = self._received(left)
            if message is not None:
                self._hand_out(message)
        return True

    def wake(self) -> None:
        """Have `wait` ask again; for other threads and signal handlers."""
        self._wire.wake()

    def _answer_to(self, number: int, seconds: float) -> Message | None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            message = self._received(left)
            if message is None:
                continue
            if message.kind in {Kind.ANSWER, Kind.ERROR} and message.answers == number:
                return message
            self._hand_out(message)
        return None

    def _received(self, seconds: float | None) -> Message | None:
        try:
            return self._wire.receive(seconds)
        except Exception as error:
            raise BusError("D-Bus went away") from error

    def _hand_out(self, message: Message) -> None:
        answers = [answer for hearer in self._hearers if (answer := hearer(message)) is not None]
        if message.kind is Kind.CALL and not message.silent:
            self.send(answers[0] if answers else message.refused(UNKNOWN_METHOD))
