"""Opening and closing connections to an X11 server, with one list of what can go wrong.

Rules: a local display is reached by its local socket or not at all. python-xlib would go on to try
the network, where somebody else may listen. Whoever listens may be no X11 server, or one that dies.
"""

import socket
from contextlib import closing, suppress

from Xlib import error, ext
from Xlib.display import Display
from Xlib.support.connect import get_display

SERVER_ERRORS = (
    error.DisplayError,
    error.ConnectionClosedError,
    error.XauthError,
    error.XNoAuthError,
    error.XError,
    OSError,
)

# What is asked of a server here. python-xlib loads all that it knows and the server has, and
# prepares each for every kind of object: more than half a megabyte in a process that stays.
_USED = frozenset({"DPMS", "Generic Event Extension", "MIT-SCREEN-SAVER", "XInputExtension"})
_known: list[tuple[str, str]] = vars(ext)["__extensions__"]  # no stub has the name
_known[:] = [one for one in _known if one[0] in _USED]


def open_display(name: str | None) -> Display:
    """Connect to a display, by default that of the session; raises one of `SERVER_ERRORS`."""
    full_name, protocol, host, number, _ = get_display(name)
    if not host and protocol in {None, "", "unix"} and not _listens(number):
        raise error.DisplayConnectionError(full_name, "nobody listens")
    try:
        connection = Display(full_name)
    except SERVER_ERRORS:
        raise
    except Exception as failure:
        # A greeting that is none shows as whatever python-xlib trips over.
        raise error.DisplayConnectionError(full_name, "its greeting is not X11") from failure
    for screen in connection.display.info.roots:
        # How windows could be coloured: hundreds of ways, in each connection, and none is made.
        screen.allowed_depths = []
    return connection


def close_display(connection: Display) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(*SERVER_ERRORS):
        connection.close()


def is_waylands(connection: Display) -> bool:
    """Say whether the server shows X11 programs in a Wayland session, and sees nothing else.

    Xwayland tells so since its version 23.1.
    """
    # Not `has_extension`, which knows those alone that python-xlib itself speaks.
    return "XWAYLAND" in connection.list_extensions()


def _listens(number: int) -> bool:
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - fixed by X11
    for address in ("\0" + path, path):
        with closing(socket.socket(socket.AF_UNIX)) as probe, suppress(OSError):
            probe.connect(address)
            return True
    return False
