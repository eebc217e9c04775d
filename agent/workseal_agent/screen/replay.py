"""A recorded desktop instead of a real one: the PNG files of a folder, in turn.

Rule: the files are the user's own, and still read strictly (`workseal_agent.screen.png`).
"""

from pathlib import Path

from workseal_agent.errors import CaptureError, CaptureFailure, NoScreenError
from workseal_agent.language import phrase, phrases
from workseal_agent.screen.frame import RawFrame
from workseal_agent.screen.png import MAX_FILE_BYTES, DamagedError, read_png
from workseal_agent.windows import WindowInfo

MAX_FILES = 4096


class ReplayScreen:
    """Show the pictures of a folder in the order of their names, over and over."""

    lists_windows = True

    def __init__(self, folder: Path) -> None:
        try:
            files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
        except OSError as error:
            raise NoScreenError("the folder of recorded pictures cannot be read") from error
        if not 1 <= len(files) <= MAX_FILES:
            raise NoScreenError(
                phrase("a recorded desktop needs 1 to {most} PNG files", most=MAX_FILES)
            )
        self._files = files
        self._next = 0
        self.name = phrases(
            len(files), "recorded desktop ({count} picture)", "recorded desktop ({count} pictures)"
        )
        self.virtual = True

    def grab(self) -> tuple[RawFrame, ...]:
        """Return the next picture as one display."""
        path = self._files[self._next % len(self._files)]
        self._next += 1
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise CaptureError(CaptureFailure.OTHER, "a recorded picture cannot be read") from error
        return (_decode(data),)

    def windows(self) -> tuple[WindowInfo, ...]:
        """Return nothing: a recorded picture has no windows."""
        return ()

    def close(self) -> None:
        """Release nothing."""


def _decode(data: bytes) -> RawFrame:
    try:
        width, height, rgb = read_png(data)
    except DamagedError as error:
        raise CaptureError(CaptureFailure.OTHER, "a recorded picture is damaged") from error
    except ValueError as error:
        raise CaptureError(
            CaptureFailure.OTHER, "a recorded picture is not an 8-bit RGB PNG file"
        ) from error
    return RawFrame(0, 0, 0, width, height, rgb)
