import socket

import pytest
from Xlib import error

from support.desktop import SCREEN_MARKS, private_desktop
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


class TestWithADesktop:
    pytestmark = SCREEN_MARKS

    def test_closing_is_safe_in_any_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with private_desktop(window_manager=False) as desktop:
            monkeypatch.setenv("DISPLAY", desktop.display)
            connection = open_display(None)
            assert connection.get_display_name() == desktop.display
        close_display(connection)
        close_display(connection)
