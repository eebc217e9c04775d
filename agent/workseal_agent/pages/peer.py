"""Whose program is at the other end of a loopback connection, where the system tells.

Linux lists every TCP socket with the user that it belongs to. A cookie knows no port, so another
user's server on this machine can be sent ours; it is worth nothing to that user's programs.
"""

import os
from collections.abc import Iterable
from pathlib import Path

Address = tuple[str, int]

# Of programs that ask over IPv6 for an IPv4 address, the second list tells.
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_COLUMNS = 8


def is_own(client: Address, server: Address, tables: Iterable[Path] = _TABLES) -> bool:
    """Tell whether a connection was made by a program of this user, or of root.

    Where no list of sockets exists, nothing can be told and the answer is yes; one that exists and
    does not hold the connection is a no.
    """
    told = False
    for table in tables:
        try:
            lines = table.read_text("ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        told = True
        user = _user_of(lines, client[1], server[1])
        if user is not None:
            return user in {0, os.geteuid()}
    return not told


def _user_of(lines: Iterable[str], client: int, server: int) -> int | None:
    """Find the socket from one port to the other: the client's end of the connection."""
    ends = f":{client:04X}", f":{server:04X}"
    for line in lines:
        columns = line.split()
        if len(columns) >= _COLUMNS and columns[1].endswith(ends[0]):  # noqa: SIM102 - reads so
            if columns[2].endswith(ends[1]) and columns[7].isdigit():
                return int(columns[7])
    return None
