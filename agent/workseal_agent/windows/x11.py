"""Which windows are on an X11 screen, whose they are and where.

Rules: a window that cannot be read any more is gone; a server that cannot be read is an error,
because then nobody can say what must be masked. A title is read whole or not at all.
"""

from collections.abc import Iterator, Sequence

from Xlib import X, error
from Xlib.display import Display
from Xlib.xobject.drawable import Window

from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.windows.info import MAX_TITLE, WindowInfo
from workseal_agent.xserver import SERVER_ERRORS, close_display, open_display

_CLIENT_DEPTH = 4  # window managers put a client at most this deep inside its frame


def visible_windows(display: str | None = None) -> tuple[WindowInfo, ...]:
    """List what is mapped, bottom to top; `CaptureError` when the server cannot be asked."""
    try:
        connection = open_display(display)
    except SERVER_ERRORS as failure:
        raise CaptureError(
            CaptureFailure.NO_DISPLAY, "the windows of the screen cannot be listed"
        ) from failure
    try:
        return tuple(_list_windows(connection))
    except SERVER_ERRORS as failure:
        raise CaptureError(
            CaptureFailure.OTHER, "the windows of the screen cannot be listed"
        ) from failure
    finally:
        close_display(connection)


def _list_windows(connection: Display) -> Iterator[WindowInfo]:
    reader = _Reader(connection)
    for stacking, top_level in enumerate(connection.screen().root.query_tree().children):
        try:
            yield from reader.describe(top_level, stacking)
        except (error.BadWindow, error.BadDrawable):
            continue  # closed while we looked


class _Reader:
    """Read windows of one connection; the atoms are looked up once."""

    def __init__(self, connection: Display) -> None:
        self._state = connection.get_atom("WM_STATE")
        self._names = tuple(
            connection.get_atom(name)
            for name in ("_NET_WM_NAME", "WM_NAME", "_NET_WM_VISIBLE_NAME")
        )
        self._class = connection.get_atom("WM_CLASS")
        self._transient = connection.get_atom("WM_TRANSIENT_FOR")
        self._process = connection.get_atom("_NET_WM_PID")
        self._root = connection.screen().root.id
        # Each connection draws its identifiers from a range of its own (X11 protocol, section 8).
        self._own_bits = connection.display.info.resource_id_mask

    def describe(self, top_level: Window, stacking: int) -> Iterator[WindowInfo]:
        """Yield the window, once for each client inside it."""
        attributes = top_level.get_attributes()
        if attributes.map_state != X.IsViewable or attributes.win_class == X.InputOnly:
            return
        box = top_level.get_geometry()
        managed = tuple(self._clients(top_level, _CLIENT_DEPTH))
        for client in managed or (top_level,):
            names = [self._text(client, atom) for atom in self._names]
            classes = self._text(client, self._class)
            yield WindowInfo(
                title=_title(names),
                wm_class=_wm_class(classes),
                left=box.x,
                top=box.y,
                width=box.width + 2 * box.border_width,
                height=box.height + 2 * box.border_width,
                stacking=stacking,
                identifier=client.id,
                transient_for=self._number(client, self._transient),
                client=client.id & ~self._own_bits,
                process=self._number(client, self._process),
                popup=not managed and bool(attributes.override_redirect),
                overlong=None in (*names, classes),
            )

    def _clients(self, window: Window, depth: int) -> Iterator[Window]:
        """Find the managed windows: those on which a window manager has put WM_STATE."""
        if window.get_property(self._state, X.AnyPropertyType, 0, 1) is not None:
            yield window
        elif depth:
            for child in window.query_tree().children:
                try:
                    yield from self._clients(child, depth - 1)
                except (error.BadWindow, error.BadDrawable):
                    continue

    def _number(self, window: Window, atom: int) -> int | None:
        """Read a window's or a process's number; the root window and 0 stand for nobody."""
        found = window.get_property(atom, X.AnyPropertyType, 0, 1)
        if found is None or found.format != 32 or not found.value:
            return None
        number = int(found.value[0])
        return number if number not in {0, self._root} else None

    def _text(self, window: Window, atom: int) -> bytes | None:
        """Read a property whole; empty when it is absent, None when it is longer than a title."""
        found = window.get_property(atom, X.AnyPropertyType, 0, MAX_TITLE // 4)
        if found is None:
            return b""
        return None if found.bytes_after else bytes(found.value)


def _title(names: Sequence[bytes | None]) -> str:
    """Join all names that a title may have, so that a rule can match any of them."""
    return "\n".join(dict.fromkeys(_decode(name) for name in names if name))


def _wm_class(raw: bytes | None) -> tuple[str, ...]:
    parts = (raw or b"").decode("latin-1").split("\0")
    return tuple(part for part in parts[:2] if part)


def _decode(raw: bytes) -> str:
    """Read a name as UTF-8, or as Latin-1, which the oldest kind of name is in."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
