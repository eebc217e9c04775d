"""Whose program is at the other end of a loopback connection, where the system tells.

Linux lists every TCP socket with the user that it belongs to. A cookie knows no port, so another
user's server on this machine can be sent ours; it is worth nothing to that user's programs.
"""

import os
import socket
import sys
from collections.abc import Iterable
from enum import Enum, auto
from pathlib import Path

Address = tuple[str, int]

# Of programs that ask over IPv6 for an IPv4 address, the second list tells.
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_COLUMNS = 8
_ESTABLISHED = "01"
_MAPPED = "0000000000000000FFFF0000"


class Peer(Enum):
    """Say whose program is at the other end."""

    OWN = auto()
    OTHER = auto()
    # Nobody's any more: a browser closes again what it opened ahead.
    GONE = auto()


def peer_of(client: Address, server: Address, tables: Iterable[Path] = _TABLES) -> Peer:
    """Tell by whose program a connection was made.

    Where no list of sockets exists, nothing can be told and it counts as this user's own; one that
    exists and does not hold the connection, open and with these very ends, has nobody's: another
    user may take the same port on another loopback address, and what was closed is listed as
    root's.
    """
    told = False
    users: set[int] = set()
    for table in tables:
        try:
            lines = table.read_text("ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        told = True
        users |= _users_of(lines, client, server)
    if told and not users:
        return Peer.GONE
    return Peer.OTHER if users - {os.geteuid()} else Peer.OWN


def _users_of(lines: Iterable[str], client: Address, server: Address) -> set[int]:
    """Find whose the client's end of the connection is."""
    ends = {(prefix + _written(client), prefix + _written(server)) for prefix in ("", _MAPPED)}
    rows = (line.split() for line in lines)
    return {
        int(row[7])
        for row in rows
        if len(row) >= _COLUMNS
        and (row[1], row[2]) in ends
        and row[3] == _ESTABLISHED
        and row[7].isdigit()
    }


def _written(end: Address) -> str:
    """Write an address as the lists do: four bytes in this machine's order, and the port."""
    number = int.from_bytes(socket.inet_aton(end[0]), sys.byteorder)
    return f"{number:08X}:{end[1]:04X}"
