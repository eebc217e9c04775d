"""A real PipeWire of one's own, with a display in it that shows one colour."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.buses import private_bus
from support.wayland import wait_for

_PROGRAMS = ("pipewire", "wireplumber", "pw-dump", "gst-launch-1.0", "gst-inspect-1.0")
NEEDS_PIPEWIRE = pytest.mark.skipif(
    not all(shutil.which(name) for name in _PROGRAMS),
    reason="needs pipewire, wireplumber and gstreamer's tools",
)


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

    def show(self, name: str, width: int, height: int, colour: int) -> int:
        """Show one colour as a display; returns its node."""
        self.run(
            "gst-launch-1.0", "videotestsrc", "pattern=solid-color", "is-live=true",
            f"foreground-color={0xFF000000 | colour}", "!",
            f"video/x-raw,format=BGRx,width={width},height={height},framerate=5/1", "!",
            "pipewiresink", "mode=provide",
            f"stream-properties=p,media.class=Video/Source,node.name={name}",
        )  # fmt: skip
        wait_for("the display", lambda: self._node(name) is not None)
        found = self._node(name)
        assert found is not None
        return found

    def _node(self, name: str) -> int | None:
        done = subprocess.run(
            ["pw-dump"], env=self.environment, capture_output=True, timeout=20, check=False
        )
        if done.returncode:
            return None
        for one in json.loads(done.stdout):
            told = (one.get("info") or {}).get("props") or {}
            if told.get("node.name") == name:
                return int(one["id"])
        return None

    def close(self) -> None:
        """End everything."""
        self._programs.close()


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
