"""Talking over D-Bus: bounded calls, signals, and one list of what can go wrong.

The map: `connection` is what others use, `owner` knows who may say what, `wire` is the socket and
`message` what goes over it. Rules: the library is loaded when a bus is first asked, because most
recordings need none; only `wire` knows it. An error here holds the name of what was asked and the
name of the error, never anything of an answer. Anybody on a bus can send anybody a signal of any
name; who sent it is told by the bus, and counts.
"""

from workseal_agent.bus.connection import (
    BUS_NAME,
    BUS_PATH,
    CALL_SECONDS,
    BusError,
    Connection,
    connected,
)
from workseal_agent.bus.message import Kind, Message
from workseal_agent.bus.owner import Owner

__all__ = [
    "BUS_NAME",
    "BUS_PATH",
    "CALL_SECONDS",
    "BusError",
    "Connection",
    "Kind",
    "Message",
    "Owner",
    "connected",
]
