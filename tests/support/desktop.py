"""What tests need of a private desktop: when to skip, and painting known pixels."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
import pytest
from Xlib import X
from Xlib.display import Display

from desktop import REQUIRED, Desktop, missing_tools

SCREEN_MARKS = [
    pytest.mark.screen,
    pytest.mark.skipif(
        bool(missing_tools(("xterm", *REQUIRED))), reason="needs Xvfb, xdotool and xterm"
    ),
]
NEEDS_XEPHYR = pytest.mark.skipif(bool(missing_tools(("Xephyr",))), reason="needs Xephyr")


@contextmanager
def private_desktop(
    width: int = 640, height: int = 480, *, window_manager: bool = True
) -> Iterator[Desktop]:
    """Run a desktop for a fixture."""
    with Desktop.start(width, height, window_manager=window_manager) as desktop:
        yield desktop


def noise(width: int, height: int, seed: int = 1) -> bytes:
    """Make RGB pixels in which no two rows are alike."""
    return np.random.default_rng(seed).integers(0, 256, width * height * 3, np.uint8).tobytes()


def paint_root(desktop: Desktop, width: int, height: int, rgb: bytes) -> None:
    """Paint the root window with RGB pixels; alpha bytes are set, to show that nobody uses them."""
    colours = np.frombuffer(rgb, np.uint8).reshape(height, width, 3)
    pixels = np.full((height, width, 4), 0xA5, np.uint8)
    pixels[:, :, :3] = colours[:, :, ::-1]
    with closing(Display(desktop.display)) as connection:
        screen = connection.screen()
        context = screen.root.create_gc()
        for row in range(height):  # one row fits into one request
            screen.root.put_image(
                context, 0, row, width, 1, X.ZPixmap, screen.root_depth, 0, pixels[row].tobytes()
            )
        connection.sync()
