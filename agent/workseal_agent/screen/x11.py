"""Pictures of an X11 screen, by mss.

Rules: each grab opens its own connection. mss reads the monitors once per connection, so a kept
one would go on showing the old part of a screen that grew; a new one costs 10 ms for 1080p and
follows resized, added and restarted screens alike.
"""

from contextlib import suppress

import mss
from mss.exception import ScreenShotError
from Xlib.display import Display
from Xlib.ext import dpms, xinput

from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.language import phrase
from workseal_agent.screen.frame import RawFrame
from workseal_agent.screen.shots import monitors_of, take
from workseal_agent.windows import WindowInfo
from workseal_agent.windows.x11 import visible_windows
from workseal_agent.xserver import SERVER_ERRORS, close_display, open_display

_BAD_ACCESS = 10
_SAVER_ON = 1
# Names of the input devices, outputs and extensions that servers without a screen make.
_SIGNS = ("xvfb", "xephyr", "vnc", "xrdp", "xwayland", "nxagent", "xpra", "dummy", "qemu", "spice")


class X11Screen:
    """Grab every monitor of one X11 server; `NoScreenError` when it does not answer."""

    lists_windows = True

    def __init__(self, display: str | None = None) -> None:
        self._display = display
        self.virtual, self.name = _look_at(display)

    def grab(self) -> tuple[RawFrame, ...]:
        """Return one frame for each monitor; a screen that changes meanwhile is tried again."""
        try:
            return self._grab_once()
        except CaptureError as first:
            if first.failure is not CaptureFailure.CHANGED:
                raise
            return self._grab_once()

    def windows(self) -> tuple[WindowInfo, ...]:
        """List the visible windows of this server, bottom to top."""
        return visible_windows(self._display)

    def close(self) -> None:
        """Release nothing: no connection is kept."""

    def _grab_once(self) -> tuple[RawFrame, ...]:
        if _is_blank(self._display):
            raise CaptureError(CaptureFailure.HIDDEN, "the screen is blank")
        try:
            camera = mss.MSS(display=self._display)
        except Exception as failure:
            # A server that dies while it is greeted trips the library in ways of its own.
            raise CaptureError(
                CaptureFailure.NO_DISPLAY, "the X11 display does not answer"
            ) from failure
        try:
            return tuple(
                take(camera, number, monitor) for number, monitor in enumerate(monitors_of(camera))
            )
        except ScreenShotError as failure:
            code = failure.details.get("error_code")
            refused = code == _BAD_ACCESS
            raise CaptureError(
                CaptureFailure.REFUSED if refused else CaptureFailure.CHANGED,
                phrase("the X11 server refused the picture")
                if refused
                else phrase("the screen changed while the picture was taken"),
            ) from failure
        except Exception as failure:
            # A server that dies in the middle shows as whatever the library trips over; a picture
            # that is missed is noted, and the recording goes on.
            raise CaptureError(
                CaptureFailure.CHANGED, "the X11 server went away while the picture was taken"
            ) from failure
        finally:
            # What was taken is taken; a server that died since must not cost it.
            with suppress(Exception):
                camera.close()


def _look_at(display: str | None) -> tuple[bool, str]:
    """Return whether the server shows a sign of a virtual screen, and its name."""
    try:
        connection = open_display(display)
    except SERVER_ERRORS as failure:
        raise NoScreenError(
            phrase("no X11 display answers at {display}", display=_plain(display))
            if display
            else phrase("no X11 display answers at the DISPLAY of this session")
        ) from failure
    try:
        name = phrase("X11 display {display}", display=_plain(connection.get_display_name()))
        extensions = set(connection.list_extensions())
        if "XWAYLAND" in extensions:
            raise NoScreenError(
                "this is a Wayland session: its X11 display does not show the screen"
            )
        return _is_virtual(connection, extensions), name
    except SERVER_ERRORS as failure:
        raise NoScreenError("the X11 display does not answer") from failure
    finally:
        close_display(connection)


def _is_blank(display: str | None) -> bool:
    """Say whether a saver of the screen or of power shows nothing now; False without an answer."""
    try:
        connection = open_display(display)
    except SERVER_ERRORS:
        return False
    try:
        saved = connection.has_extension("MIT-SCREEN-SAVER")
        if saved and connection.screen().root.screensaver_query_info().state == _SAVER_ON:
            return True
        if not connection.has_extension("DPMS"):
            return False
        power = connection.dpms_info()
        return bool(power.state) and power.power_level != dpms.DPMSModeOn
    except SERVER_ERRORS:
        return False
    finally:
        close_display(connection)


def _is_virtual(connection: Display, extensions: set[str]) -> bool:
    words = [*extensions, connection.display.info.vendor]
    if xinput.extname in extensions:
        found = connection.xinput_query_device(xinput.AllDevices).devices
        words.extend(device.name for device in found)
    return any(sign in str(word).lower() for word in words for sign in _SIGNS)


def _plain(text: str) -> str:
    return text if len(text) <= 64 and text.isascii() and text.isprintable() else "that name"
