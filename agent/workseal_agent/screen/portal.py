"""Pictures of a Wayland screen, by the Screenshot portal of the desktop.

Rules: the portal's backend writes each picture into a file of its own choice. That file is removed
before its pixels are read, whatever becomes of them after; only a file that was made for this
picture is touched, and only the portal's own word names it. A request that is not answered in time
is closed, and listened to for longer: a picture that comes all the same is removed unread. The
portal tells no windows, so nothing can be masked.
"""

import os
import stat
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from workseal_agent import bus
from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.language import phrase
from workseal_agent.screen.frame import RawFrame
from workseal_agent.screen.png import MAX_FILE_BYTES, read_png
from workseal_agent.screen.portalrequest import PATH, PORTAL, PortalRequest
from workseal_agent.surroundings import Surroundings
from workseal_agent.windows import WindowInfo

_SCREENSHOT = "org.freedesktop.portal.Screenshot"
# Whoever waits for the picture gives up sooner; a file that comes later is still removed.
_SECONDS = 60.0
_LATE_SECONDS = 300.0
# File systems keep times in steps of up to two seconds.
_SLACK_NS = 3_000_000_000


class PortalScreen:
    """Ask the desktop for one picture of everything; `NoScreenError` without a portal."""

    lists_windows = False
    virtual = False
    name = "Wayland desktop by its Screenshot portal"

    def __init__(self, around: Surroundings) -> None:
        if around.wayland is None:
            raise NoScreenError("this is no Wayland session: WAYLAND_DISPLAY is not set")
        self._address = around.session_bus
        try:
            self._examine()
        except bus.BusError as failure:
            raise NoScreenError(
                phrase("the desktop offers no Screenshot portal: {error}", error=failure)
            ) from failure

    def grab(self) -> tuple[RawFrame, ...]:
        """Return all displays in one picture, as the desktop puts them together."""
        picture: Future[bytes] = Future()
        # A daemon: it may wait for a late answer for as long as this process lives.
        threading.Thread(target=self._talk, args=(picture,), name="portal", daemon=True).start()
        try:
            data = picture.result()
        except bus.BusError as failure:
            raise CaptureError(CaptureFailure.NO_DISPLAY, str(failure)) from failure
        try:
            width, height, rgb = read_png(data, alpha=True)
        except ValueError as failure:
            raise CaptureError(
                CaptureFailure.OTHER, "the portal's picture is not an 8-bit RGB PNG file"
            ) from failure
        return (RawFrame(0, 0, 0, width, height, rgb),)

    def windows(self) -> tuple[WindowInfo, ...]:
        """Raise `CaptureError`: a portal does not tell which windows it shows."""
        raise CaptureError(CaptureFailure.REFUSED, "the portal does not tell its windows")

    def close(self) -> None:
        """Release nothing: no connection is kept."""

    def _examine(self) -> None:
        with bus.connected(self._address) as connection:
            connection.get_property(PORTAL, PATH, f"{_SCREENSHOT}.version")

    def _talk(self, picture: "Future[bytes]") -> None:
        """Ask for a picture; what went wrong after it was given up concerns nobody any more."""
        try:
            self._ask(picture, time.time_ns())
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            if not picture.done():
                picture.set_exception(error)

    def _ask(self, picture: "Future[bytes]", began_ns: int) -> None:
        with bus.connected(self._address) as connection:
            # Whoever serves the portal is started by this, if nobody is there yet.
            connection.get_property(PORTAL, PATH, f"{_SCREENSHOT}.version")
            request = PortalRequest(connection)
            request.prepare()
            try:
                # Without a question to the person, if the desktop allows it.
                request.send(f"{_SCREENSHOT}.Screenshot", "s", "", interactive=("b", False))
                code, results = request.answered(_SECONDS)
            except bus.BusError as late:
                picture.set_exception(late)
                request.close()
                code, results = request.answered(_LATE_SECONDS)
                taken_away(_uri(code, results), began_ns)
                return
        picture.set_result(taken_away(_uri(code, results), began_ns))


def _uri(code: int, results: dict[str, Any]) -> str:
    if code != 0 or "uri" not in results:
        raise CaptureError(CaptureFailure.REFUSED, "the desktop refused the picture")
    return str(results["uri"][1])


def taken_away(uri: str, began_ns: int) -> bytes:
    """Remove the file that a picture was written to, and return what it held.

    Raises `CaptureError` when it is no file of this user that was written since `began_ns`, which
    is left alone, and when it cannot be removed or read.
    """
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not parts.path:
        raise CaptureError(CaptureFailure.OTHER, "the portal's picture is no local file")
    path = Path(unquote(parts.path))
    try:
        if not _made_for_this(path.lstat(), began_ns):
            raise CaptureError(
                CaptureFailure.OTHER, "the portal names a file that it did not make just now"
            )
        with _opened(path) as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as failure:
        raise CaptureError(
            CaptureFailure.OTHER, "the portal's picture cannot be read and removed"
        ) from failure


def _made_for_this(found: os.stat_result, began_ns: int) -> bool:
    ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    return ours and found.st_mtime_ns >= began_ns - _SLACK_NS


_DATABASE = b"SQLite format 3\0"


def _opened(path: Path) -> BinaryIO:
    """Open a file and remove its name, in any case and before a byte of it is read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    file = os.fdopen(descriptor, "rb")
    if os.pread(descriptor, len(_DATABASE), 0) == _DATABASE:
        # Whatever a broken portal names: a chain of work is one of these, and no picture is.
        file.close()
        raise CaptureError(CaptureFailure.OTHER, "the portal names a file that is no picture")
    try:
        path.unlink()
    except OSError:
        file.close()
        raise
    return file
