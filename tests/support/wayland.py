"""A Wayland desktop without a screen: Sway as an ordinary user, with a session bus and portals.

Sway refuses root. A test that runs as root lends the desktop to the user `nobody`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from desktop import missing_tools
from workseal_agent.surroundings import Surroundings

PATIENCE = 20.0
WAYLAND_MARKS = [
    pytest.mark.screen,
    pytest.mark.skipif(
        bool(missing_tools(("sway", "grim", "foot", "dbus-daemon"))),
        reason="needs sway, grim, foot and dbus-daemon",
    ),
]
_NOBODY = 65_534
_PORTALS = ("/usr/libexec/xdg-desktop-portal-wlr", "/usr/libexec/xdg-desktop-portal")
_BACKEND = "org.freedesktop.impl.portal.desktop.wlr"
NEEDS_PORTALS = pytest.mark.skipif(
    not all(Path(one).exists() for one in _PORTALS) or bool(missing_tools(("pipewire", "gdbus"))),
    reason="needs xdg-desktop-portal, its wlr backend, pipewire and gdbus",
)
# A process that changed its user may not be looked at by others of that user, unless it says so:
# a portal does look at who calls.
_BECOME = """
import asyncio, ctypes, encodings.idna, os, sys, time
import cv2, numpy
import dbus_fast.aio
from workseal_agent.doctor import examine_sources
from workseal_agent.doctor.sources import Wanted
from workseal_agent.screen.portal import PortalScreen
from workseal_agent.surroundings import Surroundings
if os.geteuid() != {user}:
    os.setgroups([])
    os.setgid({user})
    os.setuid({user})
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
around = Surroundings.of(os.environ)
"""
_CONFIG = (
    "output HEADLESS-1 resolution 640x480 position 0 0\ndefault_border normal\nfont monospace 8\n"
)


class WaylandDesktop:
    """Own one compositor and all that runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = _NOBODY if os.geteuid() == 0 else os.geteuid()
        self._programs: list[subprocess.Popen[bytes]] = []
        os.chown(folder, self.user, -1)
        folder.chmod(0o700)
        (folder / "config").write_text(_CONFIG)

    @property
    def environment(self) -> dict[str, str]:
        """Return what programs of this desktop are told."""
        hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SWAYSOCK", "XDG_", "DBUS_", "HOME", "WLR_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        return kept | {
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "XDG_CURRENT_DESKTOP": "sway",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.folder}/bus",
            "LC_ALL": "C.UTF-8",
        }

    @property
    def seen(self) -> dict[str, str]:
        """Return the same with the way to the compositor."""
        return self.environment | {"WAYLAND_DISPLAY": self.wayland, "SWAYSOCK": self.sway}

    @property
    def around(self) -> Surroundings:
        """Return the same as the agent reads it."""
        return Surroundings.of(self.seen)

    def start(self) -> None:
        """Start bus and compositor."""
        first = {"WAYLAND_DISPLAY": "wayland-1"}  # what Sway will call itself: for activation
        bus = ["dbus-daemon", "--session", "--nofork", "--nopidfile"]
        self.run([*bus, f"--address=unix:path={self.folder}/bus"], first)
        headless = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman"}
        headless["WLR_LIBINPUT_NO_DEVICES"] = "1"
        self.run(["sway", "-c", str(self.folder / "config")], headless)
        wait_for("Sway", lambda: bool(list(self.folder.glob("sway-ipc.*.sock"))))
        wait_for("its display", (self.folder / "wayland-1").exists)
        self.wayland = str(self.folder / "wayland-1")
        (socket,) = self.folder.glob("sway-ipc.*.sock")
        self.sway = str(socket)
        wait_for("its answer", lambda: bool(self.outputs()))

    def run(
        self, command: Sequence[str], more: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program of this desktop's user; it ends with the desktop."""
        lent = os.geteuid() == 0
        program = subprocess.Popen(
            command,
            env=self.environment | (more or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            user=self.user if lent else None,
            group=self.user if lent else None,
            extra_groups=() if lent else None,
        )
        self._programs.append(program)
        return program

    def start_portals(self) -> None:
        """Start what a Screenshot portal is made of, and allow it once and for all."""
        shown = {"WAYLAND_DISPLAY": self.wayland}
        self.run(["pipewire"])
        wait_for("PipeWire", (self.folder / "pipewire-0").exists)
        # Before the portal looks for it: being activated by the bus may take half a minute.
        self.run([_PORTALS[0]], shown)
        wait_for(
            "the backend", lambda: self.ask_bus(_BACKEND, "/", "org.freedesktop.DBus.Peer.Ping")
        )
        store = "org.freedesktop.impl.portal.PermissionStore"
        allow = ["screenshot", "true", "screenshot", "", "['yes']"]
        assert self.ask_bus(store, "/" + store.replace(".", "/"), f"{store}.SetPermission", *allow)
        self.run([_PORTALS[1]], shown)
        wait_for(
            "the portal",
            lambda: self.ask_bus(
                "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop",
                "org.freedesktop.DBus.Properties.Get",
                "org.freedesktop.portal.Screenshot", "version",
            ),
        )  # fmt: skip

    def ask_bus(self, name: str, path: str, method: str, *words: str) -> bool:
        """Call a service as the desktop's user; say whether it answered."""
        command = ["gdbus", "call", "--session", "--timeout", "15", "--dest", name]
        program = self.run([*command, "--object-path", path, "--method", method, *words])
        return program.wait(PATIENCE) == 0

    def run_python(self, code: str) -> bytes:
        """Run Python as the desktop's user and return what it wrote.

        Everything is imported before, because that user may not be able to read this interpreter.
        """
        done = subprocess.run(
            [sys.executable, "-c", _BECOME.format(user=self.user) + code],
            env=self.seen,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def tell(self, *words: str) -> Any:
        """Give Sway a command."""
        done = subprocess.run(
            ["swaymsg", "-s", self.sway, "-r", *words],
            env=self.seen,
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
        return json.loads(done.stdout or b"null")

    def outputs(self) -> list[dict[str, Any]]:
        """List the displays that are on."""
        try:
            return [one for one in self.tell("-t", "get_outputs") if one["active"]]
        except subprocess.SubprocessError:
            return []

    def open_window(
        self, title: str, application: str = "foot", command: str = "sleep 600"
    ) -> None:
        """Open a terminal with a title and wait until Sway shows it."""
        before = len(self._titled(title))
        words = ["foot", "-T", title, "-a", application, "-o", "locked-title=yes"]
        self.run([*words, "sh", "-c", command], self.seen)
        wait_for(f"the window {title!r}", lambda: len(self._titled(title)) > before)

    def _titled(self, title: str) -> list[Any]:
        def inside(node: Any) -> Iterator[Any]:
            if node.get("name") == title and "pid" in node:
                yield node
            for child in (*node["nodes"], *node["floating_nodes"]):
                yield from inside(child)

        return list(inside(self.tell("-t", "get_tree")))

    def close(self) -> None:
        """End every program, the bus last; safe to repeat."""
        programs, self._programs = self._programs, []
        for program in reversed(programs):
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(program.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    program.wait(timeout=3)
                    break
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def wayland_desktop() -> Iterator[WaylandDesktop]:
    """Run a desktop for a fixture."""
    desktop = WaylandDesktop(Path(tempfile.mkdtemp(prefix="ws-way-")))
    try:
        desktop.start()
        yield desktop
    finally:
        desktop.close()


def wait_for(what: str, ready: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not appear"
        time.sleep(0.05)
