import socket

import pytest
from Xlib import error
from Xlib.support import connect

from support.desktop import SCREEN_MARKS, private_desktop
from workseal_agent import xserver
from workseal_agent.xserver import SERVER_ERRORS, close_display, open_display


def test_a_local_display_is_never_looked_for_on_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    families: list[int] = []
    real = socket.socket

    def seen(family: int = -1, *rest: int) -> socket.socket:
        families.append(family)
        return real(family, *rest)

    monkeypatch.setattr(socket, "socket", seen)
    for name in (":98765", "unix/:98765"):
        with pytest.raises(error.DisplayConnectionError, match="nobody listens"):
            open_display(name)
    assert set(families) == {socket.AF_UNIX}


def test_a_name_that_is_none_is_a_server_error() -> None:
    with pytest.raises(SERVER_ERRORS):
        open_display("not a display")


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x01\x00\x0b\x00\x00\x00\x00\x00",  # yes, and nothing else
        b"\x01\x00\x0b\x00\x00\x00\x08\x00" + b"\xff" * 32,
        b"\x00\xff\x0b\x00\x00\x00\x02\x00no\0\0\0\0\0\0",
    ],
    ids=["nothing", "another protocol", "half", "lengths that lie", "a refusal that lies"],
)
def test_whoever_listens_and_is_no_x11_server_is_a_server_error(
    greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(greeting)
        theirs.shutdown(socket.SHUT_WR)
        monkeypatch.setattr(xserver, "_listens", lambda _number: True)
        monkeypatch.setattr(connect, "get_socket", lambda *_: ours)
        with pytest.raises(SERVER_ERRORS):
            open_display(":98765")
    ours.close()


class TestWithADesktop:
    pytestmark = SCREEN_MARKS

    def test_closing_is_safe_in_any_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with private_desktop(window_manager=False) as desktop:
            monkeypatch.setenv("DISPLAY", desktop.display)
            connection = open_display(None)
            assert connection.get_display_name() == desktop.display
            assert not xserver.is_waylands(connection)
            # What is asked of it, and nothing that would only lie in memory.
            assert {"MIT-SCREEN-SAVER", "XInputExtension"} <= set(connection.extensions)
            assert not connection.has_extension("RANDR")
            assert [one.allowed_depths for one in connection.display.info.roots] == [[]]
        close_display(connection)
        close_display(connection)
