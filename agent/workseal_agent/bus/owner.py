"""Who owned a name of a bus when it was asked for: the one whose word counts."""

from workseal_agent.bus.connection import BUS_NAME, BUS_PATH, Connection
from workseal_agent.bus.message import Message


class Owner:
    """Know the connection that owned a name when it was asked for; a later owner is another one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection: str | None = None
        self.lost = False

    def sent(self, message: Message) -> bool:
        """Say whether the owner sent a message."""
        return not self.lost and self._connection is not None and message.sender == self._connection

    def find(self, bus: Connection) -> None:
        """Ask who owns the name; raises `BusError` when nobody does."""
        bus.hear(self._see)
        bus.listen(
            f"type='signal',sender='{BUS_NAME}',interface='{BUS_NAME}',"
            f"member='NameOwnerChanged',arg0='{self._name}'",
        )
        answer = bus.call(BUS_NAME, BUS_PATH, f"{BUS_NAME}.GetNameOwner", self._name, signature="s")
        self._connection = str(answer.body[0])

    def _see(self, message: Message) -> None:
        # No connection but the bus itself has a name without a colon for its sender.
        told = (message.sender, message.interface, message.member)
        if told == (BUS_NAME, BUS_NAME, "NameOwnerChanged") and message.body[:1] == (self._name,):
            self.lost = True
