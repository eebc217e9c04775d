"""Input counts of an X11 server, by raw XInput2 events (docs/adr/0012).

Rules: the four bytes of an event that tell which key or button it was are skipped by the reader of
the wire format, so nothing here ever sees them; as the server sends them, they stand in the
library's receive buffer and in the raw event until the next one is read. Pointer motion is not
subscribed to; once a second the pointer is asked whether it is still where it was.
"""

import os
import select
import threading
import time
from contextlib import suppress

from Xlib.display import Display  # noqa: TC002 - for readers of the annotations
from Xlib.ext import ge, xinput
from Xlib.protocol import rq
from Xlib.protocol.rq import Event

from workseal_agent.activity.counts import Counts, Press, Tally
from workseal_agent.errors import NoScreenError
from workseal_agent.xserver import SERVER_ERRORS, close_display, is_waylands, open_display
from workseal_protocol.commitment import ActivitySource

_PRESSES = {xinput.RawKeyPress: Press.KEY, xinput.RawButtonPress: Press.POINTER}
_SYNTHETIC_NAMES = ("XTEST keyboard", "XTEST pointer")
# xXIRawEvent after its first ten bytes, up to the source: deviceid, time (4) and detail (4; the
# key or button), sourceid. Time and detail are padding to this reader.
_SOURCE_ONLY = rq.Struct(rq.Card16("deviceid"), rq.Pad(8), rq.Card16("sourceid"))


class X11Activity:
    """Count presses of all devices in a thread of its own.

    Raises `NoScreenError` when the server does not answer or has no XInput 2.2. When the server
    goes away, `take` says that nothing was observed, and looks for it again.
    """

    def __init__(self, display: str | None = None) -> None:
        self._display = display
        self._lock = threading.Lock()
        self._counter: _Counter | None = _Counter(display)
        self._revival: threading.Thread | None = None
        self._closed = False
        # Who asks a server that hangs must not hold up who takes the counts.
        self._idle_lock = threading.Lock()
        self._idle: Display | None = None

    def take(self) -> Counts:
        """Return the counts since the last take; zeros of no source after a loss of the server."""
        with self._lock:
            if self._counter is not None and self._counter.alive:
                return self._counter.take()
            self._stop()
            if self._revival is None or not self._revival.is_alive():
                # A daemon, beside: a server that came back may take connections and say nothing.
                self._revival = threading.Thread(target=self._revive, name="revival", daemon=True)
                self._revival.start()
            return Tally().take(ActivitySource.NONE)

    def idle_ms(self) -> int | None:
        """Return the idle time that the server's screen saver extension tells."""
        with self._idle_lock:
            try:
                if self._idle is None:
                    self._idle = open_display(self._display)
                if not self._idle.has_extension("MIT-SCREEN-SAVER"):
                    return None
                return int(self._idle.screen().root.screensaver_query_info().idle)
            except SERVER_ERRORS:
                self._idle = None
                return None

    def close(self) -> None:
        """Stop the thread and close both connections."""
        with self._lock:
            self._closed = True
            self._stop()
        with self._idle_lock:
            idle, self._idle = self._idle, None
            if idle is not None:
                close_display(idle)

    def _revive(self) -> None:
        with suppress(NoScreenError):
            counter = _Counter(self._display)
            with self._lock:
                if not self._closed:
                    self._counter = counter
                    return
            counter.close()

    def _stop(self) -> None:
        counter, self._counter = self._counter, None
        if counter is not None:
            counter.close()


class _Counter:
    """Own one connection and the thread that reads it."""

    def __init__(self, display: str | None) -> None:
        try:
            self._connection = open_display(display)
        except SERVER_ERRORS as failure:
            raise NoScreenError("no X11 display answers: input cannot be counted") from failure
        try:
            self._subscribe()
        except NoScreenError:
            close_display(self._connection)
            raise
        except SERVER_ERRORS as failure:
            close_display(self._connection)
            raise NoScreenError("the X11 server does not give raw input events") from failure
        self._tally = Tally()
        self._lock = threading.Lock()
        self._wake, self._waker = os.pipe()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="activity", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def take(self) -> Counts:
        with self._lock:
            return self._tally.take(ActivitySource.XINPUT2)

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        with suppress(OSError):
            os.write(self._waker, b"x")
        self._thread.join()
        os.close(self._wake)
        os.close(self._waker)
        close_display(self._connection)

    def _subscribe(self) -> None:
        connection = self._connection
        if is_waylands(connection):
            raise NoScreenError(
                "this is a Wayland session: its X11 display sees a part of the input"
            )
        if not (connection.has_extension(xinput.extname) and connection.has_extension(ge.extname)):
            raise NoScreenError("the X11 server has no XInput 2: input cannot be counted")
        opcode = connection.display.get_extension_major(xinput.extname)
        # 2.2, which python-xlib does not ask for: since 2.1 a grab (an open menu, a game) no
        # longer hides raw events from everybody else.
        version = xinput.XIQueryVersion(
            display=connection.display, opcode=opcode, major_version=2, minor_version=2
        )
        if (version.major_version, version.minor_version) < (2, 2):
            raise NoScreenError("the X11 server is older than XInput 2.2: input cannot be counted")
        for kind in _PRESSES:
            connection.ge_add_event_data(opcode, kind, _SOURCE_ONLY)
        connection.screen().root.xinput_select_events(
            [
                (xinput.AllMasterDevices, xinput.RawKeyPressMask | xinput.RawButtonPressMask),
                (xinput.AllDevices, xinput.HierarchyChangedMask),
            ]
        )
        self._opcode = opcode
        self._learn_devices()

    def _learn_devices(self) -> None:
        """Learn which devices are the server's own test devices: numbers are given out again."""
        devices = self._connection.xinput_query_device(xinput.AllDevices).devices
        self._synthetic = frozenset(
            device.deviceid for device in devices if str(device.name).endswith(_SYNTHETIC_NAMES)
        )

    def _run(self) -> None:
        try:
            self._count()
        except SERVER_ERRORS:
            return  # `alive` is False from here on, which `take` reports

    def _count(self) -> None:
        place = self._pointer()
        asked = time.monotonic()
        while not self._closing:
            while self._connection.pending_events():
                self._see(self._connection.next_event())
            pause = max(0.0, asked + 1 - time.monotonic())
            ready, _, _ = select.select([self._connection.fileno(), self._wake], [], [], pause)
            if ready:
                continue
            asked = time.monotonic()
            now = self._pointer()
            if now != place:
                place = now
                with self._lock:
                    self._tally.moved(int(asked))

    def _see(self, event: Event) -> None:
        if event.type != ge.GenericEventCode or event.extension != self._opcode:
            return
        kind: int = event.evtype
        if kind == xinput.HierarchyChanged:
            self._learn_devices()
        press = _PRESSES.get(kind)
        if press is None:
            return
        synthetic = event.data.sourceid in self._synthetic
        with self._lock:
            self._tally.press(press, synthetic=synthetic, second=int(time.monotonic()))

    def _pointer(self) -> tuple[int, int]:
        answer = self._connection.screen().root.query_pointer()
        return answer.root_x, answer.root_y
