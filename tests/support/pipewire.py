"""A real PipeWire of one's own, with displays in it that show a pattern.

The displays are PipeWire's own example of a video source, which streams as a compositor does;
GStreamer's sink gets stuck now and then when a reader leaves it.
"""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.buses import private_bus
from support.wayland import wait_for

_SOURCE = "/usr/libexec/installed-tests/pipewire-0.3/examples/video-src"
_PROGRAMS = ("pipewire", "wireplumber", "pw-dump", "gst-launch-1.0", "gst-inspect-1.0", _SOURCE)
NEEDS_PIPEWIRE = pytest.mark.skipif(
    not all(shutil.which(name) for name in _PROGRAMS),
    reason="needs pipewire, its tests, wireplumber and gstreamer's tools",
)
WIDTH, HEIGHT = 320, 240
_STEP = 13


class PipeWire:
    """Own a PipeWire; connections to it are handed out as a portal does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = ExitStack()
        self.environment = os.environ | {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}

    def run(self, *command: str) -> None:
        """Start a program that ends with it."""
        program = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._programs.callback(program.wait)
        self._programs.callback(program.kill)

    def remote(self) -> int:
        """Connect to it; the descriptor is closed at the end."""
        connection = socket.socket(socket.AF_UNIX)
        self._programs.callback(connection.close)
        connection.connect(str(self._folder / "pipewire-0"))
        return connection.fileno()

    def silent_remote(self) -> int:
        """Return a connection to nobody; it is closed at the end."""
        near, far = socket.socketpair()
        far.close()
        self._programs.callback(near.close)
        return near.fileno()

    def show(self) -> int:
        """Show the pattern as one more display; returns its node."""
        before = self._displays()
        self.run(_SOURCE)
        wait_for("the display", lambda: self._displays() > before)
        (node,) = self._displays() - before
        return node

    def _displays(self) -> set[int]:
        done = subprocess.run(
            ["pw-dump"], env=self.environment, capture_output=True, timeout=20, check=False
        )
        told = [] if done.returncode else json.loads(done.stdout)
        return {int(one["id"]) for one in told if _class(one) == "Video/Source"}

    def close(self) -> None:
        """End everything."""
        self._programs.close()


def _class(told: Any) -> object:
    return ((told.get("info") or {}).get("props") or {}).get("media.class")


def shows_pattern(rgb: bytes) -> bool:
    """Say whether these are the pixels of a display; each picture begins with another number."""
    first = np.uint8(rgb[0])
    down, along = np.ogrid[:HEIGHT, : 3 * WIDTH]
    wanted = (first + _STEP * down + down * along).astype(np.uint8)
    return rgb == bytes(wanted.tobytes())


@contextmanager
def private_pipewire(folder: Path) -> Iterator[tuple[PipeWire, str]]:
    """Run a PipeWire on a bus of its own; gives it, and the bus's address."""
    with private_bus(folder) as address:
        made = PipeWire(folder)
        made.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        try:
            made.run("pipewire")
            wait_for("PipeWire", (folder / "pipewire-0").exists)
            made.run("wireplumber")
            yield made, address
        finally:
            made.close()
