"""Pictures of a Wayland screen, by the program grim (wlroots: Sway and others).

Rules: the pixels come through a pipe and touch no disk. Each display is asked for in the size of
the windows' coordinates, because the mask is painted in these; a picture of another size is none.
Only Sway tells its windows; on another compositor nothing can be masked.
"""

import os
import shutil
import subprocess

from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.language import phrase
from workseal_agent.screen.frame import RawFrame
from workseal_agent.screen.ppm import MAX_BYTES, read_ppm
from workseal_agent.surroundings import Surroundings
from workseal_agent.swaysocket import SWAY_ERRORS, Output, outputs
from workseal_agent.windows import WindowInfo
from workseal_agent.windows.sway import sway_windows

MAX_DISPLAYS = 255
_SECONDS = 4.0
# What wlroots calls displays without a screen.
_SIGNS = ("HEADLESS-", "NOOP-", "WL-", "X11-")


class GrimScreen:
    """Grab every display of one compositor; `NoScreenError` when it gives no pictures."""

    def __init__(self, around: Surroundings) -> None:
        program = shutil.which("grim")
        if around.wayland is None:
            raise NoScreenError("this is no Wayland session: WAYLAND_DISPLAY is not set")
        if program is None:
            raise NoScreenError("the program grim is not installed")
        self._program = program
        self._environment = {**os.environ, "WAYLAND_DISPLAY": around.wayland}
        self._sway = around.sway
        self.lists_windows = around.sway is not None
        try:
            displays = self._displays()
            self._try(displays)
            if self.lists_windows:
                self.windows()
        except (CaptureError, ValueError) as failure:
            raise NoScreenError(
                "grim gets no picture: the compositor is away, or is not of the wlroots family"
            ) from failure
        self.virtual = any(one.name.startswith(_SIGNS) for one in displays)
        self.name = phrase("Wayland displays by grim")
        if self.lists_windows:
            self.name = phrase("Wayland displays by grim and Sway")

    def grab(self) -> tuple[RawFrame, ...]:
        """Return one frame for each display; a screen that changes meanwhile is tried again."""
        try:
            return self._grab_once()
        except CaptureError as first:
            if first.failure is not CaptureFailure.CHANGED:
                raise
            return self._grab_once()

    def windows(self) -> tuple[WindowInfo, ...]:
        """List the windows that Sway shows; `CaptureError` on any other compositor."""
        if self._sway is None:
            raise CaptureError(CaptureFailure.REFUSED, "the compositor does not tell its windows")
        return sway_windows(self._sway)

    def close(self) -> None:
        """Release nothing: no connection is kept."""

    def _grab_once(self) -> tuple[RawFrame, ...]:
        displays = self._displays()
        if self._sway is not None and not displays:
            raise CaptureError(CaptureFailure.HIDDEN, "every display is off")
        if not displays:
            return (self._take(0, None),)
        frames = tuple(
            self._take(number, one) for number, one in enumerate(displays[:MAX_DISPLAYS])
        )
        if self._displays() != displays:
            raise CaptureError(
                CaptureFailure.CHANGED, "the displays changed while the picture was taken"
            )
        return frames

    def _try(self, displays: tuple[Output, ...]) -> None:
        """Ask for one pixel, to learn whether the compositor gives any.

        A display may begin anywhere: the one that is left when a lid is closed, for one.
        """
        left, top = (displays[0].left, displays[0].top) if displays else (0, 0)
        try:
            read_ppm(self._call("-g", f"{left},{top} 1x1"))
        except CaptureError as error:
            if displays or error.failure is not CaptureFailure.CHANGED:
                raise
            # Who tells no displays may have none at this place.
            read_ppm(self._call("-s", "1"))

    def _displays(self) -> tuple[Output, ...]:
        """Ask Sway for its displays; on another compositor none are known one by one."""
        if self._sway is None:
            return ()
        try:
            return outputs(self._sway)
        except SWAY_ERRORS as failure:
            raise CaptureError(
                CaptureFailure.NO_DISPLAY, "the displays cannot be listed"
            ) from failure

    def _take(self, number: int, display: Output | None) -> RawFrame:
        chosen = () if display is None else ("-o", display.name)
        try:
            width, height, rgb = read_ppm(self._call("-s", "1", *chosen))
        except ValueError as failure:
            raise CaptureError(CaptureFailure.OTHER, "grim's picture is damaged") from failure
        if display is None:
            return RawFrame(number, 0, 0, width, height, rgb)
        if (width, height) != (display.width, display.height):
            raise CaptureError(
                CaptureFailure.CHANGED, "the picture does not have the size of its display"
            )
        return RawFrame(number, display.left, display.top, width, height, rgb)

    def _call(self, *words: str) -> bytes:
        """Run grim and return its picture; what it complains of is not read."""
        try:
            with subprocess.Popen(  # noqa: S603 - a program of the system, with words of our own
                [self._program, *words, "-t", "ppm", "-"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process:
                try:
                    data, _ = process.communicate(timeout=_SECONDS)
                except subprocess.TimeoutExpired as late:
                    process.kill()
                    raise CaptureError(
                        CaptureFailure.NO_DISPLAY, "grim does not answer in time"
                    ) from late
        except OSError as failure:
            raise CaptureError(CaptureFailure.OTHER, "grim cannot be run") from failure
        if process.returncode or len(data) > MAX_BYTES:
            # A display that was switched off since it was listed ends here too.
            raise CaptureError(CaptureFailure.CHANGED, "grim gives no picture")
        return data
