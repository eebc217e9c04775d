"""Pictures of a Wayland screen, by the ScreenCast portal and PipeWire.

Rules: the person is asked once, by the desktop; what it then hands out (a restore token) is kept in
the home and given back, so that it need not ask again. Each picture opens a session of its own and
closes it: nothing is streamed between captures. A session that gives nothing is tried anew where
that asks nobody. Who refuses is not asked again by this process.
Frames come through a pipe from GStreamer's own program, and no file is written. The portal tells
no windows, so nothing can be masked.
"""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from workseal_agent import bus
from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.language import phrase
from workseal_agent.screen.frame import RawFrame
from workseal_agent.screen.portalrequest import PATH, PORTAL, PortalRequest, UnansweredError
from workseal_agent.surroundings import Surroundings
from workseal_agent.windows import WindowInfo

_CAST = "org.freedesktop.portal.ScreenCast"
_SESSION = "org.freedesktop.portal.Session"
# Restore tokens came with the fourth version.
_VERSION = 4
_MONITORS = 1
_UNTIL_REVOKED = 2
_STREAMS = 16
# A person reads a question and chooses; the other steps are the desktop's own.
_ASK_SECONDS = 60.0
_STEP_SECONDS = 5.0
_FRAME_SECONDS = 10.0
_TRIES = 3
_AGAIN_SECONDS = 0.2
_MAX_PIXELS = 16_384 * 16_384
_MAX_TOKEN = 4_096
_LAUNCH = "gst-launch-1.0"
# The plugin has the version of PipeWire, and not that of GStreamer, which is asked for otherwise.
_INSPECT = ("gst-inspect-1.0", "--exists", "--atleast-version=0.3", "pipewiresrc")
# Never another source in its place when the display is gone: that could be a camera.
_THIS_OR_NOTHING = "stream-properties=p,node.dont-fallback=true,node.dont-reconnect=true"
# What reached the sink, as `-v` tells it; the fields of such a line have no fixed order.
_CAPS = re.compile(rb"GstFdSink[^\n]*: caps = (video/x-raw,[^\n]*)")
_WIDTH = re.compile(rb" width=\(int\)([1-9][0-9]{0,4})\b")
_HEIGHT = re.compile(rb" height=\(int\)([1-9][0-9]{0,4})\b")


class Stream(NamedTuple):
    """One display: its node in PipeWire, and where it lies if that is told."""

    node: int
    left: int
    top: int


class CastScreen:
    """Take one picture of each display that the person chose to share."""

    lists_windows = False
    virtual = False
    name = "Wayland desktop by its ScreenCast portal"

    def __init__(self, around: Surroundings, token_file: Path | None = None) -> None:
        if around.wayland is None:
            raise NoScreenError("this is no Wayland session: WAYLAND_DISPLAY is not set")
        if not reads_pipewire():
            raise NoScreenError(
                phrase(
                    "reading PipeWire needs the program {launch} and its plugin pipewiresrc"
                    " (Debian: gstreamer1.0-tools, gstreamer1.0-plugins-base,"
                    " gstreamer1.0-pipewire)",
                    launch=_LAUNCH,
                )
            )
        self._address = around.session_bus
        self._token_file = token_file
        self._token = _kept(token_file)
        # Why nobody is asked any more.
        self._refused: str | None = None
        try:
            self._examine()
        except bus.BusError as failure:
            raise NoScreenError(
                phrase("the desktop offers no ScreenCast portal: {error}", error=failure)
            ) from failure

    def grab(self) -> tuple[RawFrame, ...]:
        """Return each display that is shared."""
        if self._refused:
            raise CaptureError(CaptureFailure.REFUSED, self._refused)
        try:
            return self._shot()
        except bus.BusError as failure:
            raise CaptureError(CaptureFailure.NO_DISPLAY, str(failure)) from failure

    def windows(self) -> tuple[WindowInfo, ...]:
        """Raise `CaptureError`: a portal does not tell which windows it shows."""
        raise CaptureError(CaptureFailure.REFUSED, "the portal does not tell its windows")

    def close(self) -> None:
        """Release nothing: no session is kept."""

    def _examine(self) -> None:
        with bus.connected(self._address) as connection:
            version = connection.get_property(PORTAL, PATH, f"{_CAST}.version")
            if version < _VERSION:
                raise bus.BusError(
                    phrase(
                        "version {version}, expected {least} or later",
                        version=version,
                        least=_VERSION,
                    )
                )
            kinds = connection.get_property(PORTAL, PATH, f"{_CAST}.AvailableSourceTypes")
            if not kinds & _MONITORS:
                raise bus.BusError("it shares no displays")

    def _shot(self) -> tuple[RawFrame, ...]:
        """Take a picture; a stream that sticks is given up for the one of a new session."""
        for _ in range(_TRIES - 1):
            try:
                return self._cast()
            except CaptureError:
                # Without a token a new session is a new question to the person.
                if self._refused or self._token is None:
                    raise
            time.sleep(_AGAIN_SECONDS)
        return self._cast()

    def _cast(self) -> tuple[RawFrame, ...]:
        with bus.connected(self._address, descriptors=True) as connection:
            session = self._session(connection)
            try:
                streams = self._started(connection, session)
                return tuple(
                    self._read(connection, session, number, stream)
                    for number, stream in enumerate(streams)
                )
            finally:
                with suppress(bus.BusError):
                    connection.call(PORTAL, session, f"{_SESSION}.Close")

    def _session(self, connection: bus.Connection) -> str:
        # Whoever serves the portal is started by this, if nobody is there yet.
        connection.get_property(PORTAL, PATH, f"{_CAST}.version")
        request = PortalRequest(connection)
        token = "s", "workseal"
        made = _asked(request, _STEP_SECONDS, "CreateSession", "", session_handle_token=token)
        return str(made["session_handle"][1])

    def _started(self, connection: bus.Connection, session: str) -> tuple[Stream, ...]:
        """Begin a session, after the person allowed it once."""
        wanted: dict[str, tuple[str, Any]] = {
            "types": ("u", _MONITORS),
            "multiple": ("b", True),
            "persist_mode": ("u", _UNTIL_REVOKED),
        }
        if self._token is not None:
            wanted["restore_token"] = "s", self._token
        select = PortalRequest(connection)
        _asked(select, _STEP_SECONDS, "SelectSources", "o", session, **wanted)
        try:
            told = _asked(PortalRequest(connection), _ASK_SECONDS, "Start", "os", session, "")
        except CaptureError:
            self._refused = "sharing the screen was refused"
            raise
        except UnansweredError as error:
            if self._token is not None:
                raise
            # A question that stood there and was let be: it is not put again at each capture.
            self._refused = "nobody answered whether the screen may be shared: `start` asks again"
            raise CaptureError(CaptureFailure.REFUSED, self._refused) from error
        # Good for one time; the next one comes with each answer.
        self._keep(told["restore_token"][1] if "restore_token" in told else None)
        return _streams(told["streams"][1] if "streams" in told else [])

    def _read(
        self, connection: bus.Connection, session: str, number: int, stream: Stream
    ) -> RawFrame:
        opened = connection.call(
            PORTAL, PATH, f"{_CAST}.OpenPipeWireRemote", session, {},
            signature="oa{sv}",
        )  # fmt: skip
        if opened.signature != "h":
            raise bus.BusError("the portal opens no way to PipeWire")
        with opened.body[0] as remote:
            width, height, rgb = read_picture(remote.fileno(), stream.node)
        return RawFrame(number, stream.left, stream.top, width, height, rgb)

    def _keep(self, token: str | None) -> None:
        self._token = token
        if self._token_file is None:
            return
        with suppress(OSError):  # the desktop asks again, after the next start
            self._token_file.unlink(missing_ok=True)
            if token is not None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                with os.fdopen(os.open(self._token_file, flags, 0o600), "w") as file:
                    file.write(token)


def _asked(
    request: PortalRequest,
    seconds: float,
    member: str,
    signature: str,
    *arguments: Any,
    **more: Any,
) -> dict[str, Any]:
    """Make a request and return what was answered; `CaptureError` when it is refused."""
    request.prepare()
    try:
        request.send(f"{_CAST}.{member}", signature, *arguments, **more)
        code, results = request.answered(seconds)
    except bus.BusError:
        request.close()
        raise
    if code != 0:
        raise CaptureError(CaptureFailure.REFUSED, "the desktop refused to share the screen")
    return dict(results)


def _streams(told: Sequence[Any]) -> tuple[Stream, ...]:
    streams = []
    for node, properties in told[:_STREAMS]:
        place = properties.get("position")
        left, top = place[1] if place is not None else (0, 0)
        streams.append(Stream(int(node), int(left), int(top)))
    if not streams:
        raise CaptureError(CaptureFailure.NO_DISPLAY, "the portal shares no display")
    return tuple(streams)


def _kept(token_file: Path | None) -> str | None:
    if token_file is not None:
        with suppress(OSError, UnicodeDecodeError), token_file.open("rb") as file:
            return file.read(_MAX_TOKEN).decode() or None
    return None


# --- PipeWire -----------------------------------------------------------------------------------


def reads_pipewire() -> bool:
    """Say whether GStreamer's program is here, with the plugin that reads PipeWire."""
    if shutil.which(_LAUNCH) is None or shutil.which(_INSPECT[0]) is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            _INSPECT,
            capture_output=True,
            timeout=_FRAME_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def read_picture(remote: int, node: int) -> tuple[int, int, bytes]:
    """Read one picture of a node; `remote` is a connection to PipeWire. Width, height, RGB."""
    pixels, theirs = os.pipe()
    command = [
        _LAUNCH, "-v", "pipewiresrc", f"fd={remote}", f"path={node}", _THIS_OR_NOTHING,
        "num-buffers=1", "!", "videoconvert", "!", "video/x-raw,format=RGBx",
        "!", "fdsink", f"fd={theirs}",
    ]  # fmt: skip
    try:
        program = subprocess.Popen(  # noqa: S603 - fixed words and numbers
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(remote, theirs),
        )
    except OSError as failure:
        os.close(pixels)
        raise CaptureError(
            CaptureFailure.OTHER, phrase("{launch} cannot be started", launch=_LAUNCH)
        ) from failure
    finally:
        os.close(theirs)
    late = threading.Timer(_FRAME_SECONDS, program.kill)
    late.start()
    try:
        with os.fdopen(pixels, "rb") as file:
            data = file.read(4 * _MAX_PIXELS + 1)
        said, _ = program.communicate()
    finally:
        late.cancel()
        program.kill()
        program.wait()
    return _read(data, said)


def _read(data: bytes, said: bytes) -> tuple[int, int, bytes]:
    caps = _CAPS.search(said)
    told = b"" if caps is None else caps[1]
    width, height = (_number(form, told) for form in (_WIDTH, _HEIGHT))
    if not data or len(data) != 4 * width * height:
        raise CaptureError(CaptureFailure.NO_DISPLAY, "PipeWire gives no picture")
    import numpy as np  # noqa: PLC0415 - who records from elsewhere does not load it

    return width, height, np.frombuffer(data, np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _number(form: re.Pattern[bytes], told: bytes) -> int:
    found = form.search(told)
    return int(found[1]) if found else 0
